import socket

import pytest

from tests.cli.conftest import (  # noqa: F401
    digit,
    digits,
    export_tiny,
    make_tiny_run,
    run_cli,
    tiny_run,
)


@pytest.fixture(scope="session")
def taken_port():
    """A port that nobody can serve at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.fixture(scope="session")
def exported(export_tiny):  # noqa: F811
    """A folder of all formats."""
    return export_tiny("float16")
