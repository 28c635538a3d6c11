"""Processes that train together: how they start, and what ends them."""

import os
import signal
import sys
import threading
import time

import click

from keras_csg.choices import is_address
from keras_csg_cli.options import UserMistake, adding
from keras_csg_cli.printing import print_line

AUTO = "auto"
LOST = (
    "The training ended because JAX lost another of its processes, or that of "
    "number 0: see what they said last. Go on with: keras-csg train --resume "
    "in all of them."
)
together = False
"""Whether this process has joined others."""


process_options = adding(
    click.option(
        "--coordinator",
        metavar="HOST:PORT|auto",
        envvar="JAX_COORDINATOR_ADDRESS",
        help="Of process 0, where several train together on JAX; auto finds it "
        "in Slurm, Open MPI or Kubernetes.",
    ),
    click.option(
        "--processes",
        type=click.IntRange(1),
        metavar="N",
        envvar="JAX_NUM_PROCESSES",
        help="How many they are.",
    ),
    click.option(
        "--process-id",
        type=click.IntRange(0),
        metavar="I",
        envvar="JAX_PROCESS_ID",
        help="The number of this one, from 0.",
    ),
)
"""Adds what says that a process is one of several to a command."""


def check_options(coordinator, processes, process_id, out):
    """Refuses what does not go together; says whether there are several."""
    known = (processes is not None, process_id is not None)
    if coordinator is None:
        if any(known):
            raise UserMistake(
                "--processes and --process-id need --coordinator HOST:PORT, "
                "the address of process 0."
            )
        return False
    if coordinator != AUTO and not all(known):
        raise UserMistake(
            "--coordinator HOST:PORT needs --processes and --process-id; auto "
            f"finds them. Received: --coordinator {coordinator}"
        )
    if coordinator != AUTO and not is_address(coordinator):
        raise UserMistake(
            f"--coordinator must be HOST:PORT or auto. Received: {coordinator}"
        )
    if all(known) and process_id >= processes:
        raise UserMistake(
            "--process-id counts from 0 to one less than --processes. "
            f"Received: {process_id} of {processes}"
        )
    if out is None:
        raise UserMistake(
            "Several processes need --out, the folder of the run that all name."
        )
    return True


def watch_over_child():
    """Goes on in a child, and says what it means if JAX ends that.

    When JAX loses process 0 it ends the others at once, and nothing in them
    can say why. What was started stays and waits; where it is killed, the
    child ends too.
    """
    if not hasattr(os, "fork"):
        return
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The child has it, too.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(child, number))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == -signal.SIGABRT:
        print_line(f"Error: {LOST}", err=True)
        code = UserMistake.exit_code
    sys.stderr.flush()
    os._exit(code if code >= 0 else 128 - code)


def join(coordinator, processes, process_id):
    """Makes this process one of several; see `keras_csg.join_processes`."""
    global together
    from keras_csg.training import join_processes

    found = coordinator == AUTO
    if not found and processes > 1:
        print_line(f"Joining {processes} processes at {coordinator}.", err=True)
    try:
        join_processes(None if found else coordinator, processes, process_id)
    except ValueError as error:
        raise UserMistake(str(error)) from error
    together = True


def is_first():
    """Whether this process writes the run and speaks for all."""
    from keras_csg.engines import engine

    return engine.process_index() == 0


def forget():
    """Removes what this process keeps for those that it joined."""
    if together:
        from keras_csg.training.processes import remove_folders

        remove_folders()


def leave(code):
    """Ends Python; at once where others would be waited for in vain."""
    if together and code:
        forget()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _end_with(parent):
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
