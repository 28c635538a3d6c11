"""A browser, the real runtime, and models exported for it."""

import pytest

import keras_csg
from keras_csg.deployment.web.runtime import find_runtime
from tests.reports.chromium import browser


@pytest.fixture(scope="module")
def chromium():
    # It has a camera, of which a visitor still has to allow the use.
    with browser("--use-fake-device-for-media-stream") as started:
        yield started


@pytest.fixture(scope="module")
def runtime():
    """A folder of the real package; the same for all pages."""
    try:
        return find_runtime()
    except ValueError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def export(runtime, tmp_path_factory):
    """Exports models to folders for browsers, the package unpacked once."""
    dist = tmp_path_factory.mktemp("npm") / "dist"
    dist.mkdir()
    for name, data in runtime.items():
        (dist / name).write_bytes(data)

    def write(model, **options):
        folder = tmp_path_factory.mktemp("site") / "birds"
        keras_csg.export(model, folder, layout="web", ort_web=dist, **options)
        return folder

    return write


@pytest.fixture(scope="module")
def photographs():
    """Two photographs that come with scikit-learn."""
    from sklearn import datasets

    return datasets.load_sample_images().images
