import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from keras_csg import plots
from keras_csg.metrics import Ablation

NAMES = ["ant", "$bee"]


@pytest.fixture
def texts(monkeypatch):
    """The titles, labels, ticks and numbers of all that is saved."""
    seen, save = [], Figure.savefig

    def savefig(figure, *args, **kwargs):
        for panel in figure.axes:
            ticks = [*panel.get_xticklabels(), *panel.get_yticklabels()]
            words = [panel.title, panel.xaxis.label, panel.yaxis.label]
            words += [*ticks, *panel.texts]
            seen.extend(word.get_text() for word in words)
        save(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", savefig)
    return seen


def size(path):
    with Image.open(path) as picture:
        return picture.size


def curves(**more):
    return {"epoch": [1.0, 2.0], "loss": [2.0, 1.0], **more}


def test_curves_have_a_panel_for_each_figure(tmp_path, texts):
    path = tmp_path / "curves.png"
    plots.save_curves(curves(), path)
    assert {"Accuracy", "Loss"} <= set(texts)
    plain = size(path)
    more = {"l1_density": [1.0, 0.5], "val_mis": [0.1, float("nan")]}
    plots.save_curves(curves(**more), path)
    assert {"L1-density of the gate", "MIS without the gate"} <= set(texts)
    assert size(path)[0] > 1.8 * plain[0]


def test_without_an_epoch_there_are_no_curves(tmp_path):
    plots.save_curves({}, tmp_path / "curves.png")
    assert list(tmp_path.iterdir()) == []


def test_the_gate_is_drawn_with_its_density(tmp_path, texts):
    gate = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]])
    plots.save_gate(gate, NAMES, tmp_path / "gate.png")
    assert "Gate matrix, L1-density 0.500" in texts
    assert "ant" in texts and r"\$bee" in texts
    plots.save_gate(gate, None, tmp_path / "gate.png")
    assert size(tmp_path / "gate.png")[0] > 100


def test_named_filters_stand_under_the_gate(tmp_path, texts):
    gate = np.array([[0.0, 1.0, 0.5], [1.0, 0.0, 0.5]])
    names = {0: "a $tail$", 2: "head"}
    plots.save_gate(gate, NAMES, tmp_path / "gate.png", names)
    assert r"0 a \$tail\$" in texts and "2 head" in texts


def test_names_of_many_classes_are_left_out(tmp_path, texts):
    plots.save_gate(np.eye(41), ["ant"] * 41, tmp_path / "gate.png")
    assert "ant" not in texts


def test_ablation_is_drawn_with_names(tmp_path, texts):
    recalls = Ablation(np.eye(2), 1 - np.eye(2), np.ones(2), np.zeros(2))
    plots.save_ablation(recalls, NAMES, tmp_path / "ablation.png")
    assert "The class's filters removed" in texts
    assert texts.count(r"\$bee") >= 2
    assert size(tmp_path / "ablation.png")[0] > 100


def test_confusion_names_the_class_whose_filters_are_gone(tmp_path, texts):
    matrices = np.eye(2, dtype=int), np.ones((2, 2), int)
    path = tmp_path / "confusion.png"
    plots.save_ablation_confusion(matrices, NAMES, 1, path)
    assert r"Filters of \$bee removed" in texts
    plots.save_ablation_confusion(matrices, None, 1, path)
    assert "Filters of 1 kept alone" in texts
    assert [file.name for file in tmp_path.iterdir()] == ["confusion.png"]


@pytest.mark.parametrize("classes", [3, 60])
def test_what_is_taken_for_what_is_drawn(tmp_path, texts, classes):
    confusion = np.eye(classes, dtype=int) * 3
    confusion[1, 2] = 1
    names = [f"${number}" for number in range(classes)]
    plots.save_confusion(confusion, names, tmp_path / "c.png")
    assert (r"\$2" in texts) == (classes == 3) == ("0.75" in texts)
    assert "Share of a class's images" in texts
    plots.save_confusion(np.zeros((2, 2), int), None, tmp_path / "d.png")
