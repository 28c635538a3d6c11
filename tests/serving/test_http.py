"""The protocol over HTTP: what is answered, and what is refused."""

import base64
import io
import json
import threading

import numpy as np
import pytest
from PIL import Image

from tests.serving import stand_in
from tests.serving.stand_in import (
    INFER,
    NAME,
    NAMES,
    Colours,
    answers_by_hand,
    arrays,
    as_json,
    check,
    get,
    post,
    send,
    some_images,
)

LENGTH = "Inference-Header-Content-Length"


@pytest.fixture(scope="module")
def lines():
    return []


@pytest.fixture(scope="module")
def port(lines):
    with stand_in.served(lines=lines) as server:
        yield server.port


def picture(size=(5, 4), format="PNG", seed=0):
    """Returns a picture of `(width, height)`, and its bytes."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (*size[::-1], 3), "uint8")
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format)
    return pixels, stream.getvalue()


def test_the_server_describes_itself(port):
    status, found = get(port, "/v2")
    assert status == 200
    assert found["name"] == "keras_csg" and found["version"]
    assert "binary_tensor_data" in found["extensions"]


def test_health_is_told(port):
    assert get(port, "/v2/health/live") == (200, {"live": True})
    assert get(port, "/v2/health/ready") == (200, {"ready": True})


@pytest.mark.parametrize("version", ["", "/versions/3"])
def test_the_model_is_described_and_ready(port, version):
    status, found = get(port, f"/v2/models/{NAME}{version}")
    assert status == 200
    assert found["versions"] == ["3"]
    assert found["inputs"] == [
        {"name": "images", "datatype": "FP32", "shape": [-1, 4, 5, 3]}
    ]
    assert found["outputs"] == [
        {"name": "probabilities", "datatype": "FP32", "shape": [-1, 3]},
        {"name": "class_id", "datatype": "INT32", "shape": [-1]},
        {"name": "heatmap", "datatype": "FP32", "shape": [-1, 4, 5]},
    ]
    status, found = get(port, f"/v2/models/{NAME}{version}/ready")
    assert status == 200 and found["ready"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/birds", 404),
        ("GET", "/v2/models/birds/ready", 404),
        ("GET", f"/v2/models/{NAME}/versions/4", 404),
        ("POST", "/v2/models/birds/infer", 404),
        ("POST", f"/v2/models/{NAME}/versions/1/infer", 404),
        ("POST", "/v2/repository/index", 404),
        ("POST", f"/v2/repository/models/{NAME}/load", 404),
        ("POST", f"/v2/repository/models/{NAME}/unload", 404),
        ("GET", "/v1/models", 404),
        ("GET", INFER, 405),
        ("DELETE", f"/v2/models/{NAME}", 405),
    ],
)
def test_what_is_not_served_is_not_there(port, method, path, status):
    found, _, body = send(port, method, path, b"{}")
    assert found == status
    assert "\n" not in json.loads(body)["error"]


def test_json_without_an_id_is_answered(port):
    images = some_images(3)
    status, answer = post(port, as_json(images))
    assert status == 200
    assert "id" not in answer
    assert answer["model_name"] == NAME and answer["model_version"] == "3"
    check(arrays(answer), images)
    names = json.loads(answer["parameters"]["class_names"])
    classes = answers_by_hand(images)["class_id"]
    assert names == [NAMES[number] for number in classes]


def test_an_id_comes_back_and_numbers_may_be_flat(port):
    images = some_images(2)
    asked = as_json(images, data=images.ravel().tolist()) | {"id": "a\n7"}
    status, answer = post(port, asked, f"/v2/models/{NAME}/versions/3/infer")
    assert status == 200 and answer["id"] == "a\n7"
    check(arrays(answer), images)


def test_whole_numbers_are_the_same_as_floats(port):
    images = some_images(2, dtype="uint8")
    _, answer = post(port, as_json(images, "UINT8"))
    check(arrays(answer), images)


def test_only_the_outputs_that_are_asked_for_are_sent(port):
    asked = as_json(some_images(1)) | {"outputs": [{"name": "class_id"}]}
    _, answer = post(port, asked)
    assert [output["name"] for output in answer["outputs"]] == ["class_id"]


def binary(images, outputs=(), **parameters):
    data = images.tobytes()
    header = as_json(images, parameters={"binary_data_size": len(data)})
    del header["inputs"][0]["data"]
    header |= {"outputs": list(outputs), "parameters": parameters}
    text = json.dumps(header).encode()
    return text + data, {LENGTH: str(len(text))}


def test_binary_tensors_go_in_and_come_out(port):
    images = some_images(4)
    body, headers = binary(images, binary_data_output=True)
    status, told, answer = send(port, "POST", INFER, body, headers)
    assert status == 200
    length = int(told[LENGTH])
    header, data, start = json.loads(answer[:length]), answer[length:], 0
    found = {}
    for output in header["outputs"]:
        size = output["parameters"]["binary_data_size"]
        kind = {"FP32": "<f4", "INT32": "<i4"}[output["datatype"]]
        part = np.frombuffer(data[start : start + size], kind)
        found[output["name"]] = part.reshape(output["shape"])
        start += size
    assert start == len(data)
    check(found, images)


def test_one_output_may_be_binary_and_another_not(port):
    wanted = [
        {"name": "class_id", "parameters": {"binary_data": True}},
        {"name": "probabilities"},
    ]
    images = some_images(1)
    body, headers = binary(images, wanted)
    _, told, answer = send(port, "POST", INFER, body, headers)
    length = int(told[LENGTH])
    first, second = json.loads(answer[:length])["outputs"]
    assert "data" not in first and len(answer) == length + 4
    expected = answers_by_hand(images)["probabilities"]
    np.testing.assert_allclose([second["data"]], expected, atol=1e-6)


def test_classes_are_named_where_they_are_asked_for(port):
    images = np.zeros((1, *stand_in.SHAPE), "float32")
    images[..., 2] = 9
    wanted = {"name": "probabilities", "parameters": {"classification": 2}}
    _, answer = post(port, as_json(images) | {"outputs": [wanted]})
    (output,) = answer["outputs"]
    assert output["datatype"] == "BYTES" and output["shape"] == [1, 2]
    # (20 * 9 + 1) / (20 * 9 + 3), and 1 / 183, the first of two alike.
    assert output["data"] == ["0.989071:2:blue\n<b>", "0.005464:0:red"]


@pytest.mark.parametrize("shape", [[2], [2, 1]])
@pytest.mark.parametrize("wrapped", [False, True])
def test_image_files_are_decoded_as_the_file_says(port, shape, wrapped):
    first, second = picture(seed=1), picture(seed=2)
    data = [base64.b64encode(data).decode() for _, data in (first, second)]
    if wrapped:
        data = [{"b64": text} for text in data]
    if len(shape) == 2:
        data = [[item] for item in data]
    tensor = {"name": "images", "shape": shape, "datatype": "BYTES"}
    status, answer = post(port, {"inputs": [tensor | {"data": data}]})
    assert status == 200
    check(arrays(answer), np.stack([first[0], second[0]]))


def test_image_files_may_be_binary(port):
    pixels, data = picture()
    raw = len(data).to_bytes(4, "little") + data
    header = {
        "inputs": [
            {
                "name": "images",
                "shape": [1],
                "datatype": "BYTES",
                "parameters": {"binary_data_size": len(raw)},
            }
        ]
    }
    text = json.dumps(header).encode()
    headers = {LENGTH: str(len(text))}
    status, answer = post(port, text + raw, headers=headers)
    assert status == 200
    check(arrays(answer), pixels[None])


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
@pytest.mark.parametrize("kind", [None, "image/jpeg", "text/plain"])
def test_a_picture_alone_is_answered_for_people(port, format, kind):
    _, data = picture((50, 40), format)
    headers = {"Content-Type": kind} if kind else {}
    status, answer = post(port, data, headers=headers)
    assert status == 200
    reading = Colours().metadata.reading
    pixels = reading.decode(io.BytesIO(data), (4, 5))[None]
    expected = np.sort(answers_by_hand(pixels)["probabilities"][0])[::-1]
    found = [entry["probability"] for entry in answer["classes"]]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert {entry["class_name"] for entry in answer["classes"]} == set(NAMES)
    _, answer = post(port, data, INFER + "?top=1")
    assert len(answer["classes"]) == 1


def test_results_are_those_of_asking_alone():
    """Of many that ask at a time, of whom one in five asks wrongly."""
    exported, found = Colours(), {}
    with stand_in.served(exported) as server:
        exported.go_on.clear()

        def one_client(number):
            images = some_images(1 + number % 3, seed=number)
            if number % 5 == 4:
                images[0, 0, 0, 0] = np.nan
            body, headers = binary(images)
            found[number] = images, post(server.port, body, headers=headers)

        threads = [
            threading.Thread(target=one_client, args=(number,))
            for number in range(20)
        ]
        for thread in threads:
            thread.start()
        assert exported.begun.wait(30)
        exported.go_on.set()
        for thread in threads:
            thread.join(30)
    assert len(found) == 20
    for number, (images, (status, answer)) in found.items():
        if number % 5 == 4:
            assert status == 400 and "NaN" in answer["error"]
        else:
            assert status == 200
            check(arrays(answer), images)
    assert sum(exported.batches) == 1 + sum(1 + n % 3 for n in range(20)) - sum(
        1 + n % 3 for n in range(4, 20, 5)
    )
    assert max(exported.batches) > 3


def test_a_model_that_fails_is_said_without_its_reasons(port, lines):
    images = np.full((1, *stand_in.SHAPE), 13, "float32")
    status, answer = post(port, as_json(images))
    assert status == 500
    assert answer == {"error": "The model failed to answer."}
    assert any("ArithmeticError: thirteen\\nlines" in line for line in lines)
    status, _ = post(port, as_json(some_images(1)))
    assert status == 200
