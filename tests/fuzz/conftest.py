import socket

import pytest

from tests.cli.conftest import (  # noqa: F401
    digits,
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
