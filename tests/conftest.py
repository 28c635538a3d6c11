import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import pytest  # noqa: E402

from tests.tiny import registered_tiny  # noqa: E402


@pytest.fixture
def tiny_name():
    """The name by which a test can train a network that is trained at once."""
    with registered_tiny() as name:
        yield name


@pytest.fixture(autouse=True)
def fresh_keras():
    """Gives each test the default dtype policy, a seed and empty memory."""
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")
    keras.utils.clear_session(free_memory=False)
