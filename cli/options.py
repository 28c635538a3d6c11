"""Arguments, errors and messages that commands share."""

import contextlib
import os

import click

from keras_csg import choices
from keras_csg_cli.printing import print_line

ANY_PATH = click.Path(readable=False)
"""Whether it may be read the library says, which knows the way out."""
run_argument = click.argument("run_path", metavar="RUN", type=ANY_PATH)
data_dir_option = click.option(
    "--data-dir",
    type=ANY_PATH,
    help="Where the data are now, if they moved.",
)
trust_option = click.option(
    "--trust",
    is_flag=True,
    help="Open a FILE with operations that no export needs, too. They can do "
    "what any program can: for files of people you trust.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON."
)


class NumberOrText(click.ParamType):
    """A number, or what stands in its place."""

    name = "value"

    def convert(self, value, param, ctx):
        """Returns a number as int; the library judges the value."""
        return int(value) if str(value).isdecimal() else value


FOLDER_OPTIONS = (
    click.option(
        "--splits",
        metavar="train=A,test=B|none",
        help="Which folders the splits of a folder are, where their names do "
        "not tell; none if they are classes.",
    ),
    click.option(
        "--labels",
        metavar="FILE",
        type=ANY_PATH,
        help="CSV or .jsonl file of a folder's images: file, label, and split "
        "and group if there; of hf: and TFDS sets, the labels' column.",
    ),
    click.option(
        "--multi-label",
        is_flag=True,
        help="With --labels: an image may have several classes, cat|dog in "
        "one column or a column of 0 and 1 for each.",
    ),
    click.option("--classes", metavar="A,B,...", help="Classes to take."),
    click.option(
        "--rename-classes",
        metavar="OLD=NEW,...",
        help="New names of classes.",
    ),
    click.option(
        "--merge-classes",
        metavar="NEW=OLD+OLD,...",
        help="Classes that become one.",
    ),
    click.option(
        "--drop-duplicates",
        is_flag=True,
        help="Of equal files in several splits of a folder keep that of the "
        "test split, or of validation.",
    ),
)


READING_OPTIONS = (
    click.option(
        "--resize",
        type=click.Choice(choices.RESIZES),
        default=choices.RESIZES[0],
        help="How images get their size: cropped about the centre (default), "
        "padded, or with another aspect.",
    ),
    click.option(
        "--background",
        metavar="COLOUR",
        default="white",
        help="Under what is transparent, and beside padded images (default: "
        "white).",
    ),
    click.option(
        "--white-level",
        type=int,
        help="White in images of more than 8 bits that do not say (default: as "
        "a folder's use it).",
    ),
    click.option(
        "--max-pixels",
        type=int,
        default=choices.MOST_PIXELS,
        help="Larger files count as broken (default: 178,956,970).",
    ),
)


HELD_OUT_OPTIONS = (
    click.option(
        "--validation-split",
        type=float,
        default=0.1,
        show_default=True,
        help="Share of train held out where there is no validation split.",
    ),
    click.option("--seed", type=int, default=0, help="Of what is held out."),
)


def adding(*options):
    """Returns what adds several options to a command, in this order."""

    def add(command):
        for option in reversed(options):
            command = option(command)
        return command

    return add


splitting_options = adding(*FOLDER_OPTIONS)
"""Adds what says which images of a folder are where to a command."""
folder_options = adding(*FOLDER_OPTIONS, *READING_OPTIONS)
"""Adds what can be said of a folder of images to a command."""
held_out_options = adding(*HELD_OUT_OPTIONS)
"""Adds what says which images are held out to a command."""


WITHOUT_TENSORFLOW = (
    "This needs TensorFlow, which is not installed: pip install tensorflow "
    "keras-csg. Without it, `keras-csg predict` takes ONNX and LiteRT files."
)


class UserMistake(click.ClickException):
    """What the user asked for cannot be had; the message says why."""

    exit_code = 2


@contextlib.contextmanager
def user_mistakes():
    """Turns what the library says of its input into one line, exit 2."""
    from keras_csg.commands.input_error import InputError

    try:
        yield
    except InputError as error:
        raise UserMistake(_with_options(str(error))) from error


def _with_options(text):
    """Names a command's options as they are typed: `data_dir`, --data-dir."""
    context = click.get_current_context(silent=True)
    parameters = [] if context is None else context.command.params
    options = {
        parameter.name: max(parameter.opts, key=len)
        for parameter in parameters
        if isinstance(parameter, click.Option)
    }
    for name, option in options.items():
        text = text.replace(f"`{name}`", option)
    return text


def listed(texts):
    """Returns what options hold between commas, of each time they are given."""
    return [part.strip() for text in texts for part in text.split(",")]


def say(text):
    """Tells the user what is going on, on stderr."""
    print_line(text, err=True)


def load_library():
    """Imports the library without what TensorFlow prints about itself.

    It writes to the file descriptor, before its log level counts. What was
    held back is shown if the import fails. oneDNN's kernels are on wherever
    TensorFlow has them: by itself it leaves processors without AVX-512 to its
    own, which take twice the time for a step of training.
    """
    from keras_csg.quiet import held_back

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    try:
        with held_back(2):
            import tensorflow  # noqa: F401, ICN001

            import keras_csg.models  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name not in ("tensorflow", "keras"):
            raise
        raise UserMistake(WITHOUT_TENSORFLOW) from error
