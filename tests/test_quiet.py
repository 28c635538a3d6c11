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
