import logging
import os
import subprocess
import sys
import warnings

import pytest

from keras_csg.quiet import held_back, quietly


def chatter():
    os.write(1, b"from C++, ")
    sys.stdout.write("printed, ")
    sys.stderr.write("an error, ")
    logging.getLogger("converter").warning("logged")
    warnings.warn("warned", stacklevel=2)


def test_nothing_is_shown_of_what_succeeds(capfd):
    with quietly():
        chatter()
    sys.stdout.write("afterwards\n")
    assert capfd.readouterr() == ("afterwards\n", "")


def test_everything_is_shown_of_what_fails(capfd):
    with pytest.raises(RuntimeError), quietly():
        chatter()
        raise RuntimeError
    out, err = capfd.readouterr()
    assert not out
    for words in ("from C++", "printed", "an error"):
        assert words in err


def test_a_log_handler_that_was_made_inside_still_writes_afterwards(capfd):
    logger = logging.Logger("lazy")
    with quietly():
        logger.addHandler(logging.StreamHandler())
    logger.warning("later")
    assert capfd.readouterr().err == "later\n"


def test_one_descriptor_is_held_back_and_the_other_is_not(capfd):
    with held_back(2):
        os.write(1, b"an answer")
        os.write(2, b"chatter")
    assert capfd.readouterr() == ("an answer", "")
    with pytest.raises(RuntimeError), held_back(1):
        os.write(1, b"what went wrong")
        raise RuntimeError
    assert capfd.readouterr() == ("", "what went wrong")


def test_it_is_imported_without_the_library():
    code = (
        "import sys, keras_csg.quiet, keras_csg.choices, keras_csg.files;"
        "print(sorted({'keras', 'tensorflow', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


IN_THREADS = """
import concurrent.futures, os, sys, threading
from keras_csg.quiet import held_back, quietly
before = [os.fstat(number)[:3] for number in (1, 2)]
barrier = threading.Barrier(8)

def chatter(number):
    barrier.wait()
    for _ in range(50):
        with (quietly() if number % 2 else held_back(1, 2)):
            os.write(1, b"chatter")
            sys.stdout and print("chatter", end="")
    return number

with concurrent.futures.ThreadPoolExecutor(8) as pool:
    assert sorted(pool.map(chatter, range(8))) == [*range(8)]
assert before == [os.fstat(number)[:3] for number in (1, 2)]
print("still heard", file=sys.__stdout__)
sys.__stdout__.flush()
print("on both", file=sys.__stderr__)
"""


@pytest.mark.parametrize("replace", ["", "import sys; sys.stdout = None"])
def test_threads_leave_the_streams_as_they_were(replace):
    done = run(f"{replace}\n{IN_THREADS}")
    assert (done.stdout, done.stderr) == ("still heard\n", "on both\n")


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )


@pytest.mark.parametrize(
    "broken",
    [
        "sys.stdout = sys.stderr = None",
        "sys.stdout.close()",
        "os.close(1)",
        "sys.stdout = io.StringIO(); os.close(1)",
    ],
)
def test_a_program_without_a_console_can_be_quiet(broken, tmp_path):
    answer = tmp_path / "answer"
    run(
        f"""
import io, os, sys, warnings
from keras_csg.quiet import held_back, quietly
{broken}
before = sys.stdout
with quietly():
    print("chatter")
    warnings.warn("chatter")
with held_back(1, 2):
    os.write(2, b"chatter")
try:
    with quietly():
        raise RuntimeError
except RuntimeError:
    assert sys.stdout is before
    open({str(answer)!r}, "w").write("done")
os._exit(0)  # Python itself stumbles over what is closed.
"""
    )
    assert answer.read_text() == "done"


def test_one_line_is_dropped_and_others_are_shown(capfd):
    with held_back(2, but_show_all_except=b"INFO: announced"):
        os.write(2, b"of another thread\nINFO: announced\n")
    assert capfd.readouterr().err == "of another thread\n"
