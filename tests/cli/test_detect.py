import json

import numpy as np
import pytest
from PIL import Image

from keras_csg.robustness.detection.registry import DEFAULT
from keras_csg_cli.detect import fit


@pytest.fixture(scope="module")
def fitted(make_tiny_run, tmp_path_factory):
    return make_tiny_run(tmp_path_factory.mktemp("runs") / "run", epochs=2)


def test_a_detector_is_fitted_and_asked(run_cli, fitted, tmp_path, digits):
    arguments = ("--false-alarm-rate", 0.1, "--limit", 50)
    code, out, err = run_cli(
        "detect", "fit", fitted, "--unknown", "noise,colours", *arguments
    )
    assert code == 0, err
    assert "surprise: " in out
    assert "asked for were 10.0%" in out
    assert "noise" in out
    assert "colours" in out
    code, out, _ = run_cli("detect", "fit", fitted, "--json", *arguments)
    assert code == 0
    assert json.loads(out)["kinds"] == {}
    images, _ = digits.test.images_and_labels(1)
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), "uint8")
    Image.fromarray(images[0]).save(tmp_path / "digit.png")
    Image.fromarray(noise).save(tmp_path / "noise.png")
    files = (tmp_path / "digit.png", tmp_path / "noise.png")
    code, out, _ = run_cli("detect", "score", fitted, *files)
    assert code == 0
    one, other = out.splitlines()
    assert "noise.png: not one of the known classes (score 1.000)" in other
    code, out, _ = run_cli("detect", "score", fitted, *files, "--json")
    assert [entry["known"] for entry in json.loads(out)][1] is False
    (tmp_path / "noise.png").write_bytes(b"none")
    code, out, err = run_cli("detect", "score", fitted, *files)
    assert code == 2
    assert out.splitlines() == [one]
    assert "Cannot read the image" in err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--score", "enrgy"), "--score must be one of"),
        (("--false-alarm-rate", 0), "--false-alarm-rate must be above 0"),
        (("--unknown", "gohsts"), "--unknown must be some of noise"),
        (("--attacks", "fsgm"), "did you mean 'fgsm'"),
        (("--epsilon", "8"), "--epsilon must be"),
    ],
)
def test_a_mistake_is_one_line(run_cli, fitted, arguments, message):
    code, out, err = run_cli("detect", "fit", fitted, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_the_default_is_that_of_the_library():
    defaults = {option.name: option.default for option in fit.params}
    assert defaults["score"] == DEFAULT
