"""The examples that compare explanations run."""

import numpy as np
import pytest
from PIL import Image

import keras_csg
from tests.test_examples import EXAMPLES, load
from tests.tiny_run import make_tiny_run

# tf-keras-vis and Quantus use older names of SciPy, Keras and matplotlib.
others_names = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def digits_run(tmp_path_factory):
    """A run that knows most digits."""
    digits = keras_csg.load_data("digits", image_size=8)
    path = tmp_path_factory.mktemp("runs") / "digits"
    return make_tiny_run(path, digits, epochs=8)


@others_names
@pytest.mark.slow
@pytest.mark.parametrize("gated", [True, False])
def test_compare_with_gradcam(digits_run, gated, tmp_path, capsys):
    pytest.importorskip("tf_keras_vis", reason="pip install tf-keras-vis")
    if not gated:
        digits = keras_csg.load_data("digits", image_size=8)
        digits_run = make_tiny_run(tmp_path / "run", digits, gated=False)
    picture = tmp_path / "gradcam.png"
    means = load("compare_with_gradcam.py").main(digits_run, picture, limit=7)
    # Behind global average pooling Grad-CAM is CAM's positive part.
    assert means["CAM, all filters, positive part"] == pytest.approx(1)
    assert ("CAM, own filters" in means) is gated
    assert all(-1 <= mean <= 1 for mean in means.values())
    with Image.open(picture) as drawn:
        assert drawn.format == "PNG"
    assert "CAM, all filters" in capsys.readouterr().out


@others_names
@pytest.mark.slow
def test_faithfulness(digits_run, capsys, monkeypatch):
    pytest.importorskip("quantus", reason="pip install quantus")
    monkeypatch.syspath_prepend(EXAMPLES)
    rows = load("faithfulness.py").main(digits_run, limit=40, mosaics=4)
    means = {
        name: {key: row[key].mean() for key in ("deletion", "insertion")}
        for name, row in rows.items()
    }
    assert len(means) == 6
    for row in rows.values():
        assert ((row["deletion"] >= 0) & (row["deletion"] <= 1)).all()
    own, random = means["CAM, own filters"], means["control: random"]
    assert own["deletion"] < random["deletion"]
    assert own["insertion"] > random["insertion"]
    assert "deletion" in capsys.readouterr().out


@others_names
def test_deletion_and_insertion_change_what_is_named_first(monkeypatch):
    pytest.importorskip("quantus", reason="pip install quantus")
    monkeypatch.syspath_prepend(EXAMPLES)
    example = load("faithfulness.py")
    arr, source = np.zeros((2, 4)), np.arange(8.0).reshape(2, 4)
    changed = example.replace(arr, np.array([[0, 3], [1, 2]]), source)
    np.testing.assert_array_equal(changed, [[0, 0, 0, 3], [0, 5, 6, 0]])
    assert not arr.any()
    ranks = example.ranks(
        np.array([[[0.5, 0.1], [0.1, 0.9]]]), np.random.default_rng(0)
    )
    assert ranks[0, 0, 0] == 2 and ranks[0, 1, 1] == 3
    assert {ranks[0, 0, 1], ranks[0, 1, 0]} == {0, 1}
    assert [example.step_size(n) for n in (1024, 16384, 49, 4)] == [
        128,
        2048,
        1,
        1,
    ]
