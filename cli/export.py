import shlex

import click

from keras_csg.choices import (
    ALL,
    FORMATS,
    INPUT_DTYPES,
    LAYOUTS,
    QUANTIZATIONS,
    QUANTIZATIONS_OF,
)
from keras_csg.files import WAYS_OUT, what_to_do
from keras_csg_cli.options import (
    ANY_PATH,
    UserMistake,
    json_option,
    load_library,
    run_argument,
    say,
    user_mistakes,
)
from keras_csg_cli.printing import print_json


@click.command(short_help="Write a run's network for servers and devices.")
@run_argument
@click.option(
    "--format",
    "formats",
    type=click.Choice([*FORMATS, ALL]),
    multiple=True,
    help="May be given several times; all: those whose runtime is installed "
    "(default: onnx; within a layout, what it is made for).",
)
@click.option(
    "--out",
    metavar="DIR",
    type=ANY_PATH,
    help="Where the files go (default: RUN/export; runs/weights-NAME/export).",
)
@click.option(
    "--outputs",
    metavar="NAME,NAME...",
    callback=lambda ctx, option, text: _names(text),
    help="What the files answer (default: all the network has).",
)
@click.option(
    "--input",
    "input_dtype",
    type=click.Choice(INPUT_DTYPES),
    default="float32",
    show_default=True,
    help="Type of the pixels the files take; 0..255 either way.",
)
@click.option(
    "--quantize",
    type=click.Choice([*QUANTIZATIONS, ALL]),
    multiple=True,
    help="Smaller files beside the float32 one; may be given several times ("
    + "; ".join(f"{f}: {', '.join(k)}" for f, k in QUANTIZATIONS_OF.items())
    + ").",
)
@click.option(
    "--with-detector",
    "detector",
    metavar="[DIR]",
    is_flag=False,
    flag_value="",
    type=ANY_PATH,
    help="Have the files say of images whether they show a known class, by the "
    "detector in DIR (default: that of `keras-csg detect fit RUN`).",
)
@click.option(
    "--calibrate",
    is_flag=True,
    help="Divide logits by the temperature that fits the validation split "
    "best, so that probabilities mean what they say.",
)
@click.option(
    "--min-agreement",
    type=click.FloatRange(0, 1),
    default=0.95,
    show_default=True,
    help="Share of images of which a quantised file must name the network's "
    "class.",
)
@click.option(
    "--layout",
    type=click.Choice(list(LAYOUTS)),
    help="Arrange DIR as this server's model repository; web: a folder with a "
    "page that runs the network in a browser.",
)
@click.option(
    "--ort-web",
    metavar="PATH",
    type=ANY_PATH,
    help="onnxruntime-web for --layout web, a .tgz of npm or its folder dist "
    "(default: fetched once from npm's registry).",
)
@click.option(
    "--name", help="The model's name in a layout (default: the run's)."
)
@click.option(
    "--version",
    type=click.IntRange(min=1),
    help="Number of the version in a layout (default: the next free one).",
)
@click.option(
    "--data", help="Data of the same classes to prove and calibrate on."
)
@click.option(
    "--data-dir",
    type=ANY_PATH,
    help="Where the data are now, if they moved.",
)
@click.option("--force", is_flag=True, help="Replace what an export wrote.")
@json_option
def export(
    run_path,
    formats,
    out,
    quantize,
    layout,
    name,
    version,
    detector,
    force,
    as_json,
    **settings,
):
    """Write the network in RUN to files that run without this package.

    RUN may be weights:NAME, one of `keras-csg weights`.

    Into DIR go saved_model/, model.onnx, model.tflite, openvino/ and
    model.mlpackage, as --format says, and with --quantize int8 or the like
    model-int8.onnx and so on beside them. Each takes plain images and answers
    with the class, what the class-specific head says, the filters that speak
    for it and a heatmap.

    In a layout an export adds a version to the model's others. --force
    replaces what an export wrote, of a layout the version of --version; files
    of others are never replaced.

    No file is left that does not answer as the network does: each is run on
    images of the validation split, and what that showed lies beside it, in a
    file whose name ends in .proof.json.
    """
    from keras_csg import commands
    from keras_csg.training.run_folders import folder_of

    plan = {
        "formats": formats,
        "quantize": quantize,
        "layout": layout,
        "name": name,
        "version": version,
        "detector": True if detector == "" else detector,
        "overwrite": force,
    }
    if out is None:
        out = folder_of(run_path) / "export"
    with user_mistakes():  # Before what takes long.
        commands.plan_export(run_path, out, **plan)
    load_library()
    from keras_csg_cli.export_output import show_targets

    with user_mistakes():
        files, failed = commands.export_run(
            run_path, out, tracker=show_targets, log=say, **plan, **settings
        )
    if layout == "web" and not as_json:
        for proof in files:
            where = shlex.quote(proof["path"])
            say(
                "Any web server will do, no network is needed: "
                f"python -m http.server -d {where}"
            )
    _print(files, failed, title=f"{run_path} in {out}", as_json=as_json)
    if failed:
        raise _ExportFailed(failed)


def _print(proofs, failures, title, as_json):
    if as_json:
        failed = [
            {"path": str(path), "error": str(error)}
            for path, error in failures.items()
        ]
        print_json({"files": proofs, "failed": failed})
    elif proofs:
        from keras_csg_cli.export_output import print_proofs

        print_proofs(proofs, title)


class _ExportFailed(click.ClickException):
    """Some of the files could not be written; the others are there."""

    def __init__(self, failures):
        super().__init__(
            "; ".join(
                f"{path}: {_said(error)}" for path, error in failures.items()
            )
        )
        mistakes = all(_is_mistake(error) for error in failures.values())
        self.exit_code = UserMistake.exit_code if mistakes else 1


def _said(error):
    """Returns what went wrong with a file, whose name is said already."""
    if isinstance(error, OSError) and error.errno in WAYS_OUT:
        return what_to_do(OSError(error.errno, error.strerror))
    return str(error)


def _is_mistake(error):
    """Whether the user asked for what cannot be had."""
    from keras_csg.deployment.proof import ProofError

    expected = isinstance(error, ValueError | OSError)
    return expected and not isinstance(error, ProofError)


def _names(text):
    """Returns the names in a list with commas, `None` for no list."""
    if text is None:
        return None
    return [name.strip() for name in text.split(",") if name.strip()]
