"""Models of other kinds of images and of other outputs."""

import io

import numpy as np
from PIL import Image

from tests.serving import stand_in
from tests.serving.stand_in import (
    Colours,
    arrays,
    as_json,
    check,
    get,
    post,
    some_images,
)

GOOD = as_json(some_images(1))


def test_floats_do_not_fit_a_model_of_whole_numbers():
    with stand_in.served(Colours(dtype="uint8")) as server:
        status, answer = post(server.port, GOOD)
        assert status == 400 and "must be UINT8" in answer["error"]
        images = some_images(1, dtype="uint8")
        _, answer = post(server.port, as_json(images, "UINT8"))
        check(arrays(answer), images)


def test_images_of_any_size_are_taken_where_the_model_takes_them():
    with stand_in.served(Colours(shape=(None, None, 3))) as server:
        _, described = get(server.port, f"/v2/models/{stand_in.NAME}")
        assert described["inputs"][0]["shape"] == [-1, -1, -1, 3]
        shapes = {o["name"]: o["shape"] for o in described["outputs"]}
        assert shapes["heatmap"] == [-1, -1, -1]
        assert shapes["probabilities"] == [-1, 3]
        images = np.ones((1, 2, 3, 3), "float32")
        _, answer = post(server.port, as_json(images))
        check(arrays(answer), images)
        status, _ = post(server.port, as_json(np.empty((1, 0, 5, 3))))
        assert status == 400


def test_a_model_without_classes_answers_tensors_alone():
    class Heat(Colours):
        def _run(self, images):
            return {"heatmap": super()._run(images)["heatmap"]}

    with stand_in.served(Heat(outputs={"heatmap": ""})) as server:
        _, answer = post(server.port, GOOD)
        assert list(arrays(answer)) == ["heatmap"]
        assert "parameters" not in answer
        stream = io.BytesIO()
        Image.new("RGB", (9, 9)).save(stream, "JPEG")
        status, answer = post(server.port, stream.getvalue())
        assert status == 400 and "ask it for tensors" in answer["error"]
