"""Ctrl-C, SIGTERM and SIGHUP, in processes of their own."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

if sys.platform != "linux":
    pytest.skip("looks into /proc", allow_module_level=True)

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
AGAIN = "Stopped; nothing is left half written: the same command starts anew."
START = """
import os, sqlite3, sys, time
from keras_csg_cli.ending import ending
ending.begin()

def code():  # In C, which holds Python's handlers back.
    endless = (
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
        "SELECT count(*) FROM c"
    )
    sqlite3.connect(":memory:").execute(endless).fetchall()

def begun():
    print("begun", flush=True)

"""


def started(body, **kwargs):
    """Starts a program that is stopped once it says that it has begun."""
    process = subprocess.Popen(
        [sys.executable, "-c", START + body],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **kwargs,
    )
    assert process.stdout.readline() == "begun\n"
    return process


def ended(process, *numbers, gap=0.0):
    """Sends signals; returns exit code, stderr and the seconds it took."""
    began = time.monotonic()
    for number in numbers:
        process.send_signal(number)
        time.sleep(gap)
    try:
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
    return process.returncode, err, time.monotonic() - began


COMMAND = """
import click
from unittest import mock
from keras_csg_cli import main
@click.command()
def endless():
    try:
        begun()
        {body}
    finally:
        open({path!r}, "w").close()
main.cli.add_command(endless)
sys.argv = ["keras-csg", "endless"]
main.main()
"""


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_unwinds_a_command_in_one_line(number, tmp_path):
    unwound = tmp_path / "unwound"
    process = started(COMMAND.format(body="time.sleep(60)", path=str(unwound)))
    code, err, seconds = ended(process, number)
    assert (code, err) == (SIGNALS[number], f"{AGAIN}\n")
    assert seconds < 2
    assert unwound.exists()


def test_what_an_import_makes_of_it_is_the_same_line(tmp_path):
    """Some turn whatever is raised within them into another error."""
    body = """
        try:
            time.sleep(60)
        except BaseException as error:
            raise ImportError("initialization failed") from error
    """
    process = started(
        COMMAND.format(body=body.strip(), path=str(tmp_path / "unwound"))
    )
    code, err, _ = ended(process, signal.SIGINT)
    assert (code, err) == (130, f"{AGAIN}\n")


@pytest.mark.parametrize("number", SIGNALS)
def test_code_that_holds_the_signal_back_is_not_waited_for(number, tmp_path):
    part = tmp_path / "part"
    body = (
        "import pathlib, keras_csg.files as files\n"
        f"part = pathlib.Path({str(part)!r})\n"
        "part.touch(); files.PARTS.add(part)\n"
        "begun(); code()"
    )
    process = started(body)
    time.sleep(0.3)  # Until it is in there.
    code, err, seconds = ended(process, number)
    assert (code, err) == (SIGNALS[number], f"{AGAIN}\n")
    assert seconds < 2
    assert not part.exists()


def test_a_second_signal_ends_it_at_once():
    body = "try: begun(); time.sleep(60)\nfinally: begun(); code()"
    process = started(body)
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.3)
    code, err, seconds = ended(process, signal.SIGINT)
    assert (code, err) == (143, f"{AGAIN}\n")
    assert seconds < 0.6


def test_five_in_a_row_show_no_traceback(tmp_path):
    body = "time.sleep(60)"
    for gap in (0, 0.01, 0.03):
        process = started(
            COMMAND.format(body=body, path=str(tmp_path / "unwound"))
        )
        code, err, _ = ended(process, *[signal.SIGINT] * 5, gap=gap)
        assert (code, err) == (130, f"{AGAIN}\n")


def test_what_is_ignored_from_the_start_stays_so():
    """As `nohup` has it."""
    process = started(
        "begun(); time.sleep(1); sys.exit(7)",
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    code, err, _ = ended(process, signal.SIGHUP)
    assert (code, err) == (7, "")


def test_it_is_taken_before_the_commands_are_imported():
    code = (
        "import sys\n"
        "import keras_csg_cli.__main__\n"
        "sys.exit('click' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code])
    assert done.returncode == 0


# In real commands, at moments from the imports to the end.


def stop(args, moment, number=signal.SIGINT, times=1):
    """Starts a command and stops it; returns code, stderr, seconds, left.

    Args:
        args: of the command line.
        moment: float, seconds; or str, what stderr has to say before.
        number: the signal.
        times: int. How often it is sent.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "keras_csg_cli", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    said = ""
    if isinstance(moment, str):
        while not re.search(moment, said):
            line = process.stderr.readline()
            assert line, said
            said += line
    else:
        wait_until_taken(process)
        time.sleep(moment)
    began = time.monotonic()
    for _ in range(times):
        os.killpg(process.pid, number)
        time.sleep(0.05)
    _, err = process.communicate(timeout=60)
    seconds = time.monotonic() - began
    return process.returncode, said + err, seconds, group_of(process.pid)


def wait_until_taken(process):
    """Waits for the first lines of the command: before, Python has them."""
    taken = 1 << (signal.SIGTERM - 1)
    status = pathlib.Path("/proc", str(process.pid), "status")
    while process.poll() is None:
        caught = re.search(r"SigCgt:\s+(\w+)", status.read_text())
        if caught and int(caught[1], 16) & taken:
            return
        time.sleep(0.005)


def group_of(leader):
    """Returns the processes of a group that are still there."""
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            stat = pathlib.Path("/proc", pid, "stat").read_text()
        except OSError:
            continue
        if stat.rpartition(")")[2].split()[2] == str(leader):
            found.append(pid)
    return found


def check(result, code, line=AGAIN, within=4):
    """The machine of a test may be busy: 2 s are promised on a quiet one."""
    got, err, seconds, left = result
    assert got == code, err
    assert "Traceback" not in err
    assert err.splitlines()[-1] == line
    assert err.count("Stopped") == 1
    assert seconds < within
    assert not left


MOMENTS = (0, 0.5, 2.5)


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
def test_a_training_ends_and_goes_on(number, tmp_path):
    run = tmp_path / "run"
    args = ["train", "--epochs", "9", "--image-size", "16", "--out", run]
    for moment in MOMENTS:
        check(stop(args, moment, number), SIGNALS[number])
        assert not run.exists()
    on = f"Stopped. Go on with: keras-csg train --resume --out {run}"
    check(stop(args, "Run directory", number, times=5), SIGNALS[number], on)
    resume = ["train", "--resume", "--out", run]
    check(stop(resume, "epoch 1/9", number), SIGNALS[number], on)
    check(stop(resume, "epoch 2/9", number, times=2), SIGNALS[number], on)
    assert not list(run.rglob(".*"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", ["evaluate", "export", "predict", "localize", "serve"]
)
def test_other_commands_end_at_any_moment(command, tiny_run, digit, tmp_path):
    (picture, *_), _ = digit
    args = {
        "evaluate": [tiny_run],
        "export": [tiny_run, "--out", tmp_path / "out", "--format", "all"],
        "predict": [tiny_run, picture, "--out", tmp_path / "out.csv"],
        "localize": [tiny_run],
        "serve": [tiny_run, "--port", "0", "--grpc-port", "0"],
    }[command]
    for moment, number, times in (
        (0, signal.SIGINT, 1),
        (1, signal.SIGTERM, 1),
        (3, signal.SIGHUP, 1),
        (4, signal.SIGINT, 5),
    ):
        result = stop([command, *args], moment, number, times)
        if result[0] == 0 or (command == "serve" and "Serving" in result[1]):
            break  # It was done before, or serves: that ends in its own way.
        check(result, SIGNALS[number])
    left = {path.name for path in tmp_path.iterdir()}
    assert not {name for name in left if name.startswith(".")}
