"""Models of other kinds of images and of other outputs."""

import base64
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


def as_file(size):
    stream = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(stream, "PNG")
    return stream.getvalue()


def test_image_files_keep_their_size_where_the_model_takes_any():
    exported = Colours(shape=(None, None, 3))
    with stand_in.served(exported) as server:
        files = [as_file((30, 20)), as_file((31, 20))]
        tensor = {
            "name": "images",
            "datatype": "BYTES",
            "shape": [1],
            "data": [base64.b64encode(files[0]).decode()],
        }
        _, answer = post(server.port, {"inputs": [tensor]})
        assert arrays(answer)["heatmap"].shape == (1, 20, 30)
        check(arrays(answer), exported.read(files[0]))
        tensor["shape"] = [2]
        tensor["data"] = [base64.b64encode(f).decode() for f in files]
        status, answer = post(server.port, {"inputs": [tensor]})
    assert status == 400 and "must be of one size" in answer["error"]


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
