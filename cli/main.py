import codecs
import collections
import importlib.util
import io
import os
import sys
import warnings

import click

from keras_csg.choices import BACKENDS
from keras_csg.files import WAYS_OUT, what_to_do
from keras_csg.printable import printable, shortened
from keras_csg_cli import processes, streams
from keras_csg_cli.app import app
from keras_csg_cli.attack import attack
from keras_csg_cli.backbones import backbones
from keras_csg_cli.clean_output import clean_output
from keras_csg_cli.data import data
from keras_csg_cli.detect import detect
from keras_csg_cli.doctor import doctor
from keras_csg_cli.edit import edit
from keras_csg_cli.ending import AGAIN, ending
from keras_csg_cli.evaluate import evaluate
from keras_csg_cli.explain import explain
from keras_csg_cli.export import export
from keras_csg_cli.filters import filters
from keras_csg_cli.localize import localize
from keras_csg_cli.options import UserMistake
from keras_csg_cli.pack import pack
from keras_csg_cli.predict import predict
from keras_csg_cli.printing import print_line
from keras_csg_cli.recipes import recipes
from keras_csg_cli.report import report
from keras_csg_cli.robustness import robustness
from keras_csg_cli.serve import serve
from keras_csg_cli.train import train
from keras_csg_cli.version import version_option
from keras_csg_cli.weights import weights

INTERRUPTED = 130
MOST_ALIKE = 3
"""Warnings of one line of code that are shown."""
_warned: collections.Counter = collections.Counter()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@version_option
def cli():
    """Train and use image classifiers whose filters mean something."""
    _check_backend()


COMMANDS = (
    train,
    evaluate,
    detect,
    edit,
    localize,
    filters,
    report,
    attack,
    robustness,
    predict,
    explain,
    app,
    export,
    serve,
    data,
    pack,
    backbones,
    recipes,
    weights,
    doctor,
)
for command in COMMANDS:
    cli.add_command(command)


def main(args=None):
    """Runs the command line; a mistake is one line on stderr."""
    if args is None:  # As a program, whose signals are its own.
        ending.begin()
        streams.watch()
    ending.line = AGAIN
    _print_any_name()
    # Where in the library a warning comes from tells a user nothing.
    warnings.formatwarning = _warning
    with clean_output():
        try:
            code = cli.main(args, prog_name="keras-csg", standalone_mode=False)
            streams.flush()
        except BaseException as error:
            if ending.number is not None:  # Whatever an import made of it.
                processes.forget()
                ending.leave()
            code = _code_of(error)
    processes.leave(code if isinstance(code, int) else 0)


def _code_of(error):
    """Says what a command ended with, and returns the exit code."""
    if isinstance(error, click.ClickException):
        print_line(f"Error: {_one_line(error)}", err=True)
        return error.exit_code
    if isinstance(error, click.Abort | KeyboardInterrupt):
        print_line(ending.text(), err=True)
        return INTERRUPTED
    if isinstance(error, streams.OutputGone):
        streams.forget_output()
        if error.line is not None:
            print_line(error.line, err=True)
        return error.exit_code
    if isinstance(error, OSError) and error.errno in WAYS_OUT:
        print_line(f"Error: {shortened(what_to_do(error))}", err=True)
        return UserMistake.exit_code
    raise error


def _warning(text, category, filename, lineno, *about):
    """Returns the line of a warning; a library may have one for each layer."""
    _warned[filename, lineno] += 1
    alike = _warned[filename, lineno]
    if alike > MOST_ALIKE + 1:
        return ""
    if alike > MOST_ALIKE:
        return "Warning: more like the last one are not shown.\n"
    return f"Warning: {printable(' '.join(str(text).split()))}\n"


def _print_any_name():
    """Lets names be printed where the locale has no letters for them.

    A file's bytes that are none of its encoding stay as they are.
    """
    codecs.register_error("keras_csg.shown", _shown)
    for stream in (sys.stdout, sys.stderr):
        # Others, such as `backslashreplace`, print whatever comes.
        stops = getattr(stream, "errors", None) in ("strict", "surrogateescape")
        if stops and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="keras_csg.shown")


def _shown(error):
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    try:
        return text.encode("ascii", "surrogateescape"), error.end
    except UnicodeEncodeError:
        return text.encode("ascii", "backslashreplace"), error.end


def _check_backend():
    """Refuses a backend that is none, before a command imports it."""
    name = os.environ.get("KERAS_BACKEND")
    if name and name not in BACKENDS:
        raise UserMistake(
            f"KERAS_BACKEND must be one of {', '.join(BACKENDS)}. "
            f"Received: {name}"
        )
    if name and importlib.util.find_spec(name) is None:
        raise UserMistake(
            f"KERAS_BACKEND is {name}, which is not installed: "
            f"pip install {name}"
        )


def _one_line(error):
    text = shortened(" ".join(error.format_message().split()))
    if isinstance(error, click.NoSuchOption | click.MissingParameter):
        return f"{text} See {error.ctx.command_path} --help."
    return text


if __name__ == "__main__":
    main()
