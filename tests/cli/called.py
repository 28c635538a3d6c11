"""Commands that are called within a process, for programs of tests."""

import contextlib
import io

from keras_csg_cli.main import main


def call(*args):
    """Returns exit code and stderr of a command."""
    said, told = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(told):
            main([str(arg) for arg in args])
    except SystemExit as exit_:
        return exit_.code or 0, said.getvalue()
    return None, said.getvalue()
