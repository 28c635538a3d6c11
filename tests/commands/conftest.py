import pytest

import keras_csg
from tests.tiny_run import make_tiny_run


@pytest.fixture(scope="session")
def digits():
    return keras_csg.load_data("digits", image_size=8)


@pytest.fixture(scope="session")
def tiny_run(digits, tmp_path_factory):
    """A run that was not trained, for tests that write nothing to it."""
    return make_tiny_run(tmp_path_factory.mktemp("tiny") / "run", digits)
