"""Serving an exported file or a run: what is refused, and what is served."""

import json
import shutil
import sys
import urllib.request

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.commands.input_error import InputError
from keras_csg.deployment import open_exported, read_metadata
from keras_csg.serving.bodies import body_of_batch
from keras_csg.serving.opening import name_and_version, open_to_serve
from tests.deployment.detecting import detecting, images_to_ask
from tests.deployment.trained import trained_classifier

for needed in ("starlette", "uvicorn", "prometheus_client", "grpc"):
    pytest.importorskip(needed, reason="pip install 'keras-csg[server]'")

QUIET = {"log": None, "block": False, "port": 0, "grpc_port": None}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    model = trained_classifier(class_names=["ant", "bee", "cat", "dog"])
    keras_csg.export(model, folder / "bugs.onnx")
    keras_csg.export(model, folder / "bugs.tflite")
    keras_csg.export(model, folder / "repository" / "bugs", layout="triton")
    return folder


def ask(url, body=None):
    with urllib.request.urlopen(url, body, timeout=30) as answer:
        return json.load(answer)


@pytest.mark.parametrize(
    ("file", "name", "version"),
    [
        ("bugs.onnx", "bugs", "1"),
        ("bugs.tflite", "bugs", "1"),
        ("repository/bugs", "bugs", "1"),
    ],
)
def test_a_file_is_served_as_predict_answers(
    exported, file, name, version, tmp_path
):
    photo = tmp_path / "photo.png"
    pixels = np.random.default_rng(0).integers(0, 256, (30, 20, 3), "uint8")
    Image.fromarray(pixels).save(photo)
    (expected,) = keras_csg.predict(exported / file, photo)
    with keras_csg.serve(exported / file, **QUIET) as served:
        assert served.url.endswith(f"/v2/models/{name}")
        assert served.grpc_address is None
        assert ask(served.url)["versions"] == [version]
        answer = ask(served.url + "/infer", photo.read_bytes())
    assert answer.pop("model_name") == name
    assert answer.pop("model_version") == version
    expected.pop("image")
    assert answer["classes"] == expected["classes"]
    assert answer == json.loads(json.dumps(expected))


@pytest.mark.parametrize(
    ("files", "path", "expected"),
    [
        (["2024/birds.onnx"], "2024/birds.onnx", ("birds", "1")),
        (["2024/model.onnx"], "2024/model.onnx", ("model", "1")),
        (
            ["birds/config.pbtxt", "birds/3/model.onnx"],
            "birds/3/model.onnx",
            ("birds", "3"),
        ),
        (
            ["birds/config.pbtxt", "birds/3/model.onnx", "birds/12/model.onnx"],
            "birds",
            ("birds", "12"),
        ),
        (["birds/2/saved_model.pb"], "birds", ("birds", "2")),
        (["saved/saved_model.pb"], "saved", ("saved", "1")),
        (
            ["site/x.y/keras_csg.json", "site/x.y/model.onnx"],
            "site/x.y",
            ("x.y", "1"),
        ),
    ],
)
def test_a_layout_tells_name_and_version(tmp_path, files, path, expected):
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    assert name_and_version(tmp_path / path) == expected


@pytest.mark.parametrize("count", [1, 3])
def test_threads_are_those_that_are_asked_for(exported, count):
    session = open_to_serve(exported / "bugs.onnx", count)._session
    options = session.get_session_options()
    assert options.intra_op_num_threads == count
    spinning = "session.intra_op.allow_spinning"
    assert options.get_session_config_entry(spinning) == "0"
    others = open_exported(exported / "bugs.onnx")._session
    assert others.get_session_options().intra_op_num_threads == 0


def test_a_detector_answers_in_every_form(tmp_path):
    """As numbers of JSON, in binary, over gRPC, and in words."""
    import grpc

    from keras_csg.serving.grpc_messages import message_classes

    model, detector = detecting()
    images = images_to_ask()[-14:]
    path = tmp_path / "bugs.onnx"
    keras_csg.export(model, path, detector=detector, images=images)
    expected = open_exported(path).answer(images)
    assert expected["known"].any() and not expected["known"].all()
    wanted = [{"name": "anomaly_score"}, {"name": "known"}]
    given = {"name": "images", "datatype": "FP32", "shape": [14, 8, 8, 3]}
    Image.fromarray(np.zeros((8, 8, 3), "uint8")).save(tmp_path / "black.png")
    with keras_csg.serve(path, **QUIET | {"grpc_port": 0}) as served:
        kinds = {x["name"]: x for x in ask(served.url)["outputs"]}
        assert kinds["known"]["datatype"] == "BOOL"
        assert kinds["anomaly_score"]["datatype"] == "FP32"
        body = {"inputs": [given | {"data": images.ravel().tolist()}]}
        text = json.dumps(body | {"outputs": wanted}).encode()
        scores, known = ask(served.url + "/infer", text)["outputs"]
        assert known["data"] == expected["known"].tolist()
        assert np.allclose(scores["data"], expected["anomaly_score"])
        body["parameters"] = {"binary_data_output": True}
        text = json.dumps(body | {"outputs": wanted}).encode()
        url = served.url + "/infer"
        with urllib.request.urlopen(url, text, timeout=30) as answer:
            binary = answer.read()[-14:]
        assert list(np.frombuffer(binary, "?")) == known["data"]
        classes = message_classes()
        request = classes["ModelInferRequest"](
            model_name="bugs",
            inputs=[given],
            outputs=wanted,
            raw_input_contents=[images.tobytes()],
        )
        with grpc.insecure_channel(served.grpc_address) as channel:
            answer = channel.unary_unary(
                "/inference.GRPCInferenceService/ModelInfer",
                classes["ModelInferRequest"].SerializeToString,
                classes["ModelInferResponse"].FromString,
            )(request, timeout=30)
        assert answer.outputs[1].datatype == "BOOL"
        raw = answer.raw_output_contents[1]
        assert list(np.frombuffer(raw, "?")) == known["data"]
        said = ask(url, (tmp_path / "black.png").read_bytes())
    assert said["known"] is False and said["anomaly_score"] > 0.95


@pytest.mark.slow
def test_a_run_is_served_with_its_detector(tiny_run, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    keras_csg.fit_detector(run, false_alarm_rate=0.1, limit=30, log=None)
    with keras_csg.serve(run, **QUIET) as served:
        names = {x["name"] for x in ask(served.url)["outputs"]}
    assert {"anomaly_score", "known"} <= names


@pytest.mark.slow
def test_a_run_is_exported_and_proven_first(tiny_run, tmp_path):
    lines = []
    settings = QUIET | {"log": lines.append, "grpc_port": 0, "name": "a b"}
    with keras_csg.serve(tiny_run, **settings) as served:
        assert served.url.endswith("/v2/models/a%20b")
        assert ask(served.url)["name"] == "a b"
    assert lines[0] == f"Exporting {tiny_run} to ONNX, to serve that."
    assert lines[1].startswith("Proven")
    assert served.url in lines[2] and served.grpc_address in lines[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": "/no/where.onnx"}, "neither an exported model nor a run"),
        ({"source": ""}, "`source` must not be empty"),
        ({"source": 3}, "`source` must be a path"),
        ({"name": ""}, "`name`"),
        ({"name": "a/b"}, "`name` must be printable and without a slash"),
        ({"name": "a\nb"}, "`name` must be printable"),
        ({"host": ""}, "`host`"),
        ({"host": "192.0.2.1"}, "`host` of this machine"),
        ({"port": None}, "`port` must be a whole number"),
        ({"port": -1}, "`port` must be a whole number"),
        ({"port": 65536}, "`port` must be at most 65535"),
        ({"grpc_port": "none"}, "`grpc_port` must be a whole number"),
        ({"port": 9, "grpc_port": 9}, "must be two"),
        ({"threads": 0}, "`threads`"),
        ({"workers": 0}, "`workers`"),
        ({"max_batch_size": 0}, "`max_batch_size`"),
        ({"max_body": 0}, "`max_body`"),
        ({"max_pixels": 1.5}, "`max_pixels`"),
        ({"log": 1}, "`log`"),
        ({"block": 1}, "`block`"),
    ],
)
def test_arguments_are_checked(exported, arguments, message):
    settings = {"source": exported / "bugs.onnx"} | QUIET | arguments
    with pytest.raises(InputError, match=message) as raised:
        keras_csg.serve(settings.pop("source"), **settings)
    assert "\n" not in str(raised.value)


def test_what_nobody_exported_is_one_line(tmp_path):
    path = tmp_path / "x.onnx"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match=r"x\.onnx is no ONNX file"):
        keras_csg.serve(path, **QUIET)


def test_packages_that_are_missing_are_named(exported, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "grpc" else real(name, *rest),
    )
    file = exported / "bugs.onnx"
    with pytest.raises(InputError, match=r"grpc: pip install 'keras-csg\[ser"):
        keras_csg.serve(file, **QUIET | {"grpc_port": 0})
    with keras_csg.serve(file, **QUIET):
        pass  # Without gRPC it is not needed.


def test_several_workers_need_ports_that_can_be_shared(exported, monkeypatch):
    # Its name in the package is the function's.
    module = sys.modules["keras_csg.commands.serve"]
    monkeypatch.setattr(module, "can_share_ports", lambda: False)
    with pytest.raises(InputError, match="`workers` need a system"):
        keras_csg.serve(exported / "bugs.onnx", workers=2, **QUIET)


def test_the_largest_body_follows_the_largest_batch(exported):
    metadata = read_metadata(exported / "bugs.onnx")
    assert body_of_batch(metadata, 1) == 2**24
    metadata.input["shape"] = (None, 224, 224, 3)
    assert body_of_batch(metadata, 64) == 64 * 224 * 224 * 3 * 4 + 2**16
    metadata.input["shape"] = (None, None, None, 3)
    assert body_of_batch(metadata, 2) == 2 * 1024 * 1024 * 3 * 4 + 2**16
