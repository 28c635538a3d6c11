import logging
import os
import sys
import warnings

import pytest

from keras_csg.quiet import quietly


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
