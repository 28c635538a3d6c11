import importlib.util

import click

from keras_csg_cli.options import (
    UserMistake,
    json_option,
    load_library,
    say,
    user_mistakes,
)
from keras_csg_cli.printing import print_json, print_line


@click.command(short_help="Say what is installed, and whether it works.")
@click.option(
    "--self-test/--no-self-test",
    default=True,
    show_default=True,
    help="Build, train a step, export and ask a small network.",
)
@json_option
def doctor(self_test, as_json):
    """Say what is installed, what is missing and whether it works.

    Versions, the backend and the devices that it sees, and the extras with the
    line that installs each; then a small network is built, trained for one
    step, exported and asked, in about ten seconds. Ends with code 1 if
    something that is needed is missing or fails.
    """
    _quietly()
    from keras_csg import commands

    with user_mistakes():
        found = commands.doctor(self_test=self_test, log=say)
    if as_json:
        print_json(found)
    else:
        _print(found)
    if not found["ok"]:
        raise SystemExit(1)


def _quietly():
    """Loads the library without its chatter; what fails is told later."""
    if importlib.util.find_spec("tensorflow") is None:
        return  # Which is among what is told.
    try:
        load_library()
    except (UserMistake, ImportError):
        return


def _print(found):
    for name, version in found["versions"].items():
        print_line(f"{name} {version}")
    print_line(f"on {found['platform']}")
    if found["backend"] is not None:
        devices = ", ".join(found["devices"]) or "no devices"
        print_line(f"Keras runs on {found['backend']} and sees {devices}")
    here = [extra["name"] for extra in found["extras"] if extra["here"]]
    print_line(f"extras that are here: {', '.join(here) or 'none'}")
    for extra in found["extras"]:
        if not extra["here"]:
            lacks = ", ".join(extra["missing"])
            print_line(f"  {extra['name']} lacks {lacks}: {extra['install']}")
    for step in found["self_test"]:
        outcome = step["error"] or f"{step['seconds']:.1f} s"
        print_line(f"self-test, {step['step']}: {outcome}")
    for problem in found["problems"]:
        print_line(f"Problem: {problem}")
    if found["ok"]:
        print_line("All is well.")
