"""Lists within lists are nested as the shape says, or refused."""

import numpy as np
import pytest

from tests.serving import stand_in
from tests.serving.stand_in import as_json, post, some_images

IMAGES = some_images(2)


@pytest.fixture(scope="module")
def port():
    with stand_in.served() as server:
        yield server.port


def asked(port, data):
    request = as_json(IMAGES)
    request["inputs"][0]["data"] = data.tolist()
    return post(port, request)


def test_flat_and_nested_are_the_same(port):
    answers = [asked(port, data) for data in (IMAGES.reshape(-1), IMAGES)]
    assert answers[0] == answers[1] and answers[0][0] == 200


@pytest.mark.parametrize(
    "data",
    [np.moveaxis(IMAGES, -1, 1), IMAGES.reshape(len(IMAGES), -1)],
    ids=["colours first", "rows of an image"],
)
def test_other_nesting_is_refused(port, data):
    status, answer = asked(port, data)
    assert status == 400
    assert (
        f"is nested as {list(data.shape)}, and its `shape`" in answer["error"]
    )
