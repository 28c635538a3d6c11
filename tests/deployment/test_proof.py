"""Proofs with answers made up by hand, in the place of file and model."""

import types

import numpy as np
import pytest

from keras_csg.deployment.proof import prove

PROBABILITIES = np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]], "float32")
IMAGES = np.arange(3)


def answers(shift=0.0, classes=(0, 0, 1), heatmap=0.0):
    return {
        "probabilities": PROBABILITIES + np.float32(shift),
        "class_id": np.array(classes),
        "heatmap": np.full((3, 2, 2), heatmap) * np.ones((3, 1, 1)),
    }


def run(
    expected, given, quantization=None, *, images=IMAGES, told=None, **kwargs
):
    """Proves answers made up; `told` is what metadata say of a detector."""

    def rows(values):
        return lambda batch, **_: {name: v[batch] for name, v in values.items()}

    opened = types.SimpleNamespace(
        answer=rows(given),
        runtime="by hand 1.0",
        metadata=types.SimpleNamespace(
            quantization=quantization, multi_label=False, detector=told
        ),
    )
    return prove(rows(expected), opened, images, **kwargs)


def test_gaps_are_the_largest_of_each_output():
    given = answers(shift=5e-5)
    given["heatmap"][2, 1, 0] = 3e-5
    proof = run(answers(), given, labels=np.array([0, 1, 1]))
    assert proof["gaps"]["probabilities"] == pytest.approx(5e-5, rel=1e-2)
    assert proof["gaps"]["heatmap"] == pytest.approx(3e-5)
    assert proof["agreement"] == 1
    assert proof["accuracy"] == proof["keras_accuracy"] == 2 / 3
    assert proof["runtime"] == "by hand 1.0"


@pytest.mark.parametrize(
    "given, message",
    [
        (answers(shift=2e-4), "probabilities is off by 0.0002"),
        (answers(heatmap=0.5), "heatmap is off by 0.5"),
        (answers(heatmap=np.nan), "heatmap is off by inf"),
        (answers(classes=(1, 0, 1)), "class_id differs .* 0.8 apart"),
    ],
)
def test_a_gap_beyond_the_tolerance_is_named(given, message):
    with pytest.raises(ValueError, match=message):
        run(answers(), given)


def test_a_tie_may_be_broken_either_way():
    # What is said of the class differs with it, and does not count.
    given = answers(classes=(0, 1, 1))
    given["heatmap"][1] = 1
    proof = run(answers(), given)
    assert proof["agreement"] == 2 / 3
    assert proof["gaps"]["heatmap"] == 0


def test_another_shape_or_a_missing_output_is_no_equal_answer():
    given = answers()
    del given["heatmap"]
    with pytest.raises(ValueError, match="The file must answer with"):
        run(answers(), given)


def test_outputs_without_a_class_are_compared_too():
    some = {"heatmap": answers()["heatmap"]}
    assert run(some, some)["agreement"] is None
    with pytest.raises(ValueError, match="heatmap is off by"):
        run(some, {"heatmap": answers(heatmap=0.5)["heatmap"]})


def test_classes_alone_must_be_the_same():
    some = {"class_id": np.array([0, 0, 1])}
    assert run(some, some)["agreement"] == 1
    with pytest.raises(ValueError, match="class_id differs"):
        run(some, {"class_id": np.array([0, 1, 1])})


def test_a_quantised_file_may_differ_but_not_in_its_classes():
    proof = run(
        answers(), answers(shift=0.05, heatmap=0.1), "int8", labels=[0, 0, 1]
    )
    assert proof["gaps"]["heatmap"] == pytest.approx(0.1)
    assert proof["quantization"] == "int8"
    with pytest.raises(ValueError, match="of 66.7% of the images"):
        run(answers(), answers(classes=(1, 0, 1)), "int8")


def test_a_quantised_file_must_be_as_accurate():
    with pytest.raises(ValueError, match="accuracy is 0.6667"):
        run(
            answers(),
            answers(classes=(1, 0, 1)),
            "int8",
            labels=[0, 0, 1],
            min_agreement=0.5,
        )


def test_a_quantised_file_must_answer_in_numbers():
    with pytest.raises(ValueError, match="no number"):
        run(answers(), answers(heatmap=np.inf), "float16")
