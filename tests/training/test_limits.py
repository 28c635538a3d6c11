"""What a training asks of the machine, before data are read."""

import pytest

from keras_csg.commands import InputError, set_up_training


@pytest.mark.parametrize(
    "size, message",
    [
        ("200000x1", "must be at least 8 for resnet20"),
        ("99999999x1", "must be at least 8 for resnet20"),
        ("99999999x8", "may be 178,956,970 pixels at most"),
        ("13000x13000", "A batch of 2000 images .* `batch_size` or"),
    ],
)
def test_a_size_that_cannot_be_had_is_refused_before_data_are_read(
    size, message, tmp_path, monkeypatch
):
    monkeypatch.setattr("keras_csg.training.trainer.load_data_for", _fail)
    out = tmp_path / "run"
    with pytest.raises(InputError, match=message):
        set_up_training(
            out, data="digits", image_size=size, batch_size=2000, log=None
        )
    assert not out.exists()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"backbone": "resnt20"}, "the nearest are .*resnet20"),
        ({"backbone": "cspdarknettiny", "image_size": 65}, "multiples of 2"),
    ],
)
def test_a_backbone_that_cannot_be_had_is_refused_before_data_are_read(
    options, message, tmp_path, monkeypatch
):
    monkeypatch.setattr("keras_csg.training.trainer.load_data_for", _fail)
    with pytest.raises(InputError, match=message):
        set_up_training(
            tmp_path / "run", precision="float32", log=None, **options
        )


def _fail(*args, **options):
    raise AssertionError("The data were read.")
