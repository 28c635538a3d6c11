"""What the page says of an answer, beside `predict`'s words for the same."""

import json

import numpy as np
import pytest
from PIL import Image

from keras_csg.deployment import ExportedAnswers, Metadata, predict_files
from tests.deployment.web.node import run_in_node

NAMES = [f"<b>class {number}</b>" for number in range(7)]
SCRIPT = """
import { describe, missing } from "./answer.js";
const { outputs, metadata } = value;
const answer = {
  described: describe(outputs, metadata),
  missing: missing(metadata),
};
"""
WORDS = {
    "probabilities": "the probabilities of the classes",
    "class_id": "the predicted class",
    "heatmap": "the heatmap",
    "filter_contributions": "the filters that speak for a class",
    "class_specific_probabilities": "what a class's own filters say by "
    "themselves",
}


class Fixed(ExportedAnswers):
    """Answers that do not look at the image."""

    runtime = "none"

    def __init__(self, metadata, values):
        self.metadata = metadata
        self._values = values

    def _run(self, images):
        return self._values


def metadata(outputs, gated=True, **changes):
    values = {
        "format": "onnx",
        "backbone": "none",
        "class_names": NAMES,
        "input": {"name": "images", "shape": (None, 2, 2, 3), "dtype": "uint8"},
        "outputs": dict.fromkeys(outputs, ""),
        "gate_matrix": np.eye(7, dtype="float32") if gated else None,
        "filter_classes": [6, 5, 4, 3, 2, 1, 0] if gated else None,
        "filter_names": {2: "<i>stripes</i>"},
    }
    return Metadata(**values | changes)


def answers(seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.uniform(0, 1, (1, 7)).astype("float32")
    return {
        "probabilities": probabilities,
        "class_id": probabilities.argmax(1).astype("int32"),
        "class_specific_probabilities": probabilities[:, ::-1],
        "filter_contributions": rng.normal(size=(1, 7)).astype("float32"),
    }


def described(folder, values, about):
    outputs = {
        name: {"data": value.ravel().tolist(), "dims": list(value.shape)}
        for name, value in values.items()
    }
    given = {"outputs": outputs, "metadata": json.loads(about.to_json())}
    return run_in_node(folder, SCRIPT, given)


def predicted(folder, values, about, top=5):
    Image.new("RGB", (2, 2)).save(folder / "image.png")
    source = Fixed(about, values)
    (found,) = predict_files(source, [folder / "image.png"], top=top)
    return found


def as_predict_says(entries):
    return [
        {"class_name": e["name"], "probability": e["probability"]}
        for e in entries
    ]


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_page_says_what_predict_says(seed, multi_label, tmp_path):
    values = answers(seed)
    about = metadata(values, multi_label=multi_label)
    found = described(tmp_path, values, about)["described"]
    expected = predicted(tmp_path, values, about)
    assert as_predict_says(found["classes"]) == expected["classes"]
    filters = [(f["filter"], f.get("name")) for f in found["filters"]]
    assert filters == [
        (f["filter"], f.get("name")) for f in expected["filters"]
    ]
    shares = [f["share"] for f in found["filters"]]
    assert shares == pytest.approx([f["share"] for f in expected["filters"]])
    for entry in found["filters"]:
        assert entry["of"] == NAMES[6 - entry["filter"]]
    if multi_label:
        names = [entry["class_name"] for entry in expected["present"]]
        assert found["present"] == names
        there = [e["name"] for e in found["classes"] if e["present"]]
        assert there == names
    else:
        assert found["present"] is None


@pytest.mark.parametrize("score, known", [(0.5, True), (0.97, False)])
def test_it_says_whether_it_is_known(score, known, tmp_path):
    values = answers(0) | {
        "anomaly_score": np.array([score], "float32"),
        "known": np.array([known]),
    }
    about = metadata(values, detector={"known_up_to": 0.95})
    expected = predicted(tmp_path, values, about)
    for given in (values, {k: v for k, v in values.items() if k != "known"}):
        found = described(tmp_path, given, about)["described"]
        assert found["known"] is expected["known"] is known
        assert found["anomaly"] == pytest.approx(expected["anomaly_score"])
    found = described(tmp_path, answers(0), metadata(answers(0)))["described"]
    assert "known" not in found


def test_all_classes_that_are_there_are_listed(tmp_path):
    values = answers(0) | {"probabilities": np.full((1, 7), 0.75, "float32")}
    about = metadata(values, multi_label=True)
    found = described(tmp_path, values, about)["described"]
    assert len(found["present"]) == len(found["classes"]) == 7


def test_the_predicted_class_comes_first_though_others_tie(tmp_path):
    values = {
        "probabilities": np.full((1, 7), 1 / 7, "float32"),
        "class_id": np.array([4], "int32"),
    }
    about = metadata(values)
    found = described(tmp_path, values, about)["described"]
    names = [entry["name"] for entry in found["classes"]]
    assert names == [NAMES[k] for k in (4, 0, 1, 2, 3)]
    assert (
        as_predict_says(found["classes"])
        == (predicted(tmp_path, values, about)["classes"])
    )


@pytest.mark.parametrize(
    "outputs, gated, lacking",
    [
        (["probabilities"], True, list(WORDS)[2:]),
        (["probabilities"], False, ["heatmap", "filter_contributions"]),
        (["class_id", "heatmap"], False, ["probabilities"] + list(WORDS)[3:4]),
        (list(WORDS), True, []),
    ],
)
def test_what_the_file_does_not_answer_is_said(
    outputs, gated, lacking, tmp_path
):
    values = {k: v for k, v in answers(0).items() if k in outputs}
    if "heatmap" in outputs:
        values["heatmap"] = np.zeros((1, 2, 3), "float32")
    about = metadata(outputs, gated)
    answer = described(tmp_path, values, about)
    assert answer["missing"] == [WORDS[name] for name in lacking]
    found = answer["described"]
    assert (found["heatmap"] is None) == ("heatmap" not in outputs)
    assert (found["filters"] is None) == ("filter_contributions" not in outputs)
    if "probabilities" not in outputs:
        (entry,) = found["classes"]
        assert entry["name"] == NAMES[int(values["class_id"][0])]
        assert "probability" not in entry
