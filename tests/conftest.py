import os
import pathlib
import signal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if workers > 1:  # Each would start as many threads as there are cores.
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    for kind in ("OMP_NUM", "OPENBLAS_NUM", "TF_NUM_INTRAOP"):
        os.environ.setdefault(f"{kind}_THREADS", threads)

import keras  # noqa: E402
import pytest  # noqa: E402

from tests.tiny import registered_tiny  # noqa: E402

CIFAR10 = pathlib.Path(__file__).parents[2] / "shared" / "data" / "tfds"


@pytest.fixture
def cifar10_dir():
    if not (CIFAR10 / "cifar10").is_dir():
        pytest.skip(f"no prepared cifar10 in {CIFAR10}")
    return CIFAR10


@pytest.fixture
def tiny_name():
    """The name by which a test can train a network that is trained at once."""
    with registered_tiny() as name:
        yield name


@pytest.fixture(autouse=True)
def heeded_signals():
    """Programs that a test starts heed what `nohup` or `&` has ignored."""
    before = {}
    for name, heeded in (
        ("SIGINT", signal.default_int_handler),
        ("SIGHUP", signal.SIG_DFL),
    ):
        number = getattr(signal, name, None)  # Windows has no SIGHUP.
        if number and signal.getsignal(number) is signal.SIG_IGN:
            before[number] = signal.signal(number, heeded)
    yield
    for number, ignored in before.items():
        signal.signal(number, ignored)


@pytest.fixture(autouse=True)
def fresh_keras():
    """Gives each test the default dtype policy, a seed and empty memory."""
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")
    keras.utils.clear_session(free_memory=False)
