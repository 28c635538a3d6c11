"""Standard output that cannot be written is one line, or none."""

import os
import pathlib
import subprocess
import sys

import pytest

FULL = pathlib.Path("/dev/full")
COMMANDS = [["recipes"], ["--help"], ["--version"]]
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")


def run(args, environment=None, **streams):
    streams = {"stderr": subprocess.PIPE, **streams}
    done = subprocess.run(
        [sys.executable, "-m", "keras_csg_cli", *map(str, args)],
        env={**os.environ, **(environment or {})},
        text=True,
        **streams,
    )
    return done.returncode, done.stderr


def into_full(args, **options):
    with FULL.open("w") as full:
        return run(args, stdout=full, **options)


def into_closed_pipe(args, **options):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as closed:
        return run(args, stdout=closed, **options)


@needs_full
@pytest.mark.parametrize("args", COMMANDS, ids=str)
def test_a_full_disk_is_one_line(args):
    code, err = into_full(args)
    assert code == 1
    assert err.splitlines()[-1] == (
        "Error: Cannot write to standard output: No space left on device."
    )
    assert "Traceback" not in err and len(err.splitlines()) <= 2


@pytest.mark.parametrize("args", COMMANDS[:2], ids=str)
def test_a_reader_that_has_seen_enough_is_no_error(args):
    code, err = into_closed_pipe(args)
    assert code == 141
    assert "Error" not in err and "Traceback" not in err
    assert "BrokenPipe" not in err


@needs_full
def test_what_is_not_buffered_is_no_other_matter():
    environment = {"PYTHONUNBUFFERED": "1"}
    code, err = into_full(COMMANDS[0], environment=environment)
    assert code == 1 and err.splitlines()[-1].startswith("Error: Cannot write")
    assert into_closed_pipe(COMMANDS[0], environment=environment)[0] == 141


@needs_full
def test_messages_that_nobody_can_read_stop_nothing():
    with FULL.open("w") as full:
        code, err = run(["recipes"], stdout=subprocess.DEVNULL, stderr=full)
    assert code == 0


def test_a_mistake_is_one_line_whatever_becomes_of_the_output():
    code, err = into_closed_pipe(["trian"])
    assert code == 2 and len(err.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="a shell's >&-")
def test_no_file_takes_the_place_of_a_closed_stream(tmp_path):
    script = (
        "import os; from keras_csg_cli import streams; streams.watch();"
        "file = os.open(os.devnull, os.O_RDONLY); print(file)"
    )
    done = subprocess.run(
        ["sh", "-c", '"$0" -c "$1" >&- 2>&- <&-; echo $?']
        + [sys.executable, script.replace("print(file)", "os._exit(file)")],
        capture_output=True,
        text=True,
    )
    assert int(done.stdout) > 2


@needs_full
@pytest.mark.parametrize("option", [[], ["--json"]])
def test_predictions_that_cannot_be_printed(option, tiny_run, digit, tmp_path):
    import keras_csg

    keras_csg.export_run(
        tiny_run, tmp_path, outputs=["class_id", "probabilities"], log=None
    )
    args = ["predict", tmp_path / "model.onnx", *digit[0], *option]
    code, err = into_full(args)
    assert code == 1, err
    code, err = into_closed_pipe(args)
    assert code == 141 and "Error" not in err
