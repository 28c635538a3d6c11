import click
from click.core import ParameterSource

from keras_csg import choices
from keras_csg_cli import STARTED
from keras_csg_cli.completion import (
    complete_backbone,
    complete_recipe,
    complete_weights,
)
from keras_csg_cli.options import (
    ANY_PATH,
    NumberOrText,
    UserMistake,
    folder_options,
    json_option,
    load_library,
    say,
    user_mistakes,
)
from keras_csg_cli.processes import (
    check_options,
    is_first,
    join,
    process_options,
    watch_over_child,
)
from keras_csg_cli.train_options import (
    BY_RECIPE,
    class_options,
    gate_options,
    option,
)
from keras_csg_cli.train_output import (
    log_option,
    print_figures,
    run_training,
    say_how_to_go_on,
)


@click.command(short_help="Train a network with a class-specific gate.")
@option(
    "--recipe",
    metavar="NAME",
    shell_complete=complete_recipe,
    help="Options that go together; see `recipes`.",
)
@option(
    "--data",
    help="digits (default), a folder, a TFDS name, hf:NAME or an address.",
)
@option(
    "--data-dir",
    type=ANY_PATH,
    help="TFDS directory (default: TFDS_DATA_DIR).",
)
@option(
    "--image-size",
    type=NumberOrText(),
    metavar="SIDE|HEIGHTxWIDTH",
    help="What images are resized to.",
)
@option(
    "--validation-split",
    type=float,
    help="Share of train held out where the data have no validation split "
    "(default: 0.1).",
)
@folder_options
@option(
    "--cache",
    type=click.Choice(choices.SWITCHES),
    help="Keep decoded images in memory (default: while they fit).",
)
@option(
    "--augment",
    help=f"Some of {', '.join(choices.AUGMENTATIONS)}, between commas; "
    "crop:0.6 keeps 0.6 of a large image or more, not 0.25 "
    f"({BY_RECIPE}).",
)
@option(
    "--backbone",
    shell_complete=complete_backbone,
    help="Network (default: resnet20); see `backbones`. Or hub:PRESET.",
)
@option(
    "--weights",
    shell_complete=complete_weights,
    help="imagenet, a .weights.h5 or .keras file, another run, or one of "
    "`weights`; random by default, a preset's own for hub:PRESET. Images get "
    "the backbone's own size.",
)
@option(
    "--freeze",
    type=NumberOrText(),
    metavar="all|N|statistics",
    help="What rests of the backbone: all, its first N layers with weights, "
    "or the statistics of batch normalization.",
)
@option(
    "--init",
    metavar="RUN",
    help="Start where RUN ended: backbone, and head and gate of its classes.",
)
@option("--gate-at", help="Layer to gate instead of the last.")
@option("--filters", type=int, help="Filters of a 3x3 convolution before it.")
@option(
    "--standard/--gated",
    help="The ungated baseline with the same trainable layers.",
)
@gate_options
@option(
    "--batch-statistics",
    type=click.Choice(choices.BATCH_STATISTICS),
    help="fitted (default) to the number of steps, or Keras's running "
    "averages.",
)
@option(
    "--bn-momentum",
    type=float,
    help="Of the moving statistics of batch normalization, at most (default: "
    "the backbone's own).",
)
@option("--epochs", type=int, help=BY_RECIPE)
@option(
    "--patience",
    type=int,
    help="Stop after so many epochs without a better one, and keep the best "
    "(default: the last).",
)
@option(
    "--time-budget",
    type=float,
    metavar="MINUTES",
    help="As many epochs, of those planned, as fit into so much time.",
)
@option("--batch-size", type=int, help=BY_RECIPE)
@option(
    "--optimizer",
    type=click.Choice(choices.OPTIMIZERS),
    help=BY_RECIPE,
)
@option("--learning-rate", type=float, help=BY_RECIPE)
@option(
    "--backbone-rate",
    type=float,
    help="Share of it for the backbone (default: 1).",
)
@option(
    "--head-epochs",
    type=int,
    help="With --weights: epochs of the head alone, before all train "
    "(default: 20).",
)
@option(
    "--head-learning-rate",
    type=float,
    help=f"Learning rate then ({BY_RECIPE}).",
)
@option(
    "--lr-schedule",
    type=click.Choice(choices.LR_SCHEDULES),
    help="Of the learning rate (default: cosine).",
)
@option("--lr-warmup", type=int, help="Epochs of rising learning rate.")
@option("--weight-decay", type=float, help=f"Never on the gate ({BY_RECIPE}).")
@option("--momentum", type=float, help="Of sgd and rmsprop (default: 0.9).")
@option("--clip-norm", type=float, help="Largest norm of all gradients.")
@option(
    "--ema",
    type=float,
    metavar="MOMENTUM",
    help="End with averages of the weights over the steps, such as 0.999.",
)
@option(
    "--label-smoothing",
    type=float,
    help="Share of a label that is spread over all classes (0).",
)
@class_options
@option(
    "--precision",
    type=click.Choice(choices.PRECISIONS),
    help="auto (default) takes what trains this backbone fastest here.",
)
@option("--device", type=click.Choice(choices.DEVICES))
@option(
    "--devices",
    type=NumberOrText(),
    metavar="N|auto",
    help="GPUs to share each batch among (default: 1).",
)
@process_options
@option(
    "--jit-compile",
    type=click.Choice(choices.SWITCHES),
    help="XLA (default: on a GPU).",
)
@option("--steps-per-execution", type=int, help="Steps in one call.")
@option(
    "--trust-curve/--no-trust-curve",
    help="Follow MIS of the path without the gate by epoch.",
)
@option("--seed", type=int, help="Of weights, order and augmentation (0).")
@option(
    "--deterministic/--no-deterministic",
    help="The same bits every time, at some speed.",
)
@log_option
@click.option(
    "--config",
    "config_path",
    type=ANY_PATH,
    help="JSON or TOML file of options; the command line wins.",
)
@click.option(
    "--out", "out", metavar="RUN", type=ANY_PATH, help="Run directory."
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the run in --out; with --epochs, to more of them.",
)
@click.option(
    "--allow-changed-data",
    is_flag=True,
    help="With --resume: go on although images have changed since.",
)
@json_option
@click.pass_context
def train(
    ctx,
    config_path,
    out,
    resume,
    allow_changed_data,
    as_json,
    coordinator,
    processes,
    process_id,
    **given,
):
    """Train a network on images and write everything to a run directory.

    Without options: a small residual network on handwritten digits that come
    with scikit-learn. Needs no network and about a minute.
    """
    where = (coordinator, processes, process_id)
    if out is not None:
        say_how_to_go_on(out)
    several = check_options(*where, out)
    if several:
        watch_over_child()
    load_library()
    from keras_csg import commands
    from keras_csg.training import LostProcessError

    given = {
        name: value for name, value in given.items() if _is_given(ctx, name)
    }
    if several:
        join(*where)
    first = not several or is_first()
    try:
        with user_mistakes():
            trainer = commands.set_up_training(
                out,
                resume=resume,
                allow_changed_data=allow_changed_data,
                config=config_path,
                log=say if first else None,
                **given,
            )
            if trainer is None:
                if first:
                    print_figures(commands.finished_figures(out), out, as_json)
                return
        trainer.timings.count_before("imports", STARTED)
        run_training(trainer, first, as_json)
    except LostProcessError as error:
        raise UserMistake(str(error)) from error


def _is_given(ctx, name):
    return ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
