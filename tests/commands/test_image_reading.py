"""What a run knows of how its images were read."""

import numpy as np
from numpy.testing import assert_allclose
from PIL import Image

import keras_csg
from keras_csg.data.image_reading import ImageReading


def test_a_network_keeps_how_its_images_were_read(tmp_path, tiny_name):
    """The run's model, and what is exported of it, predict as it learnt."""
    data, run = tmp_path / "data", tmp_path / "run"
    for name, colour in (("a", (250, 0, 0)), ("b", (0, 0, 250))):
        (data / name).mkdir(parents=True)
        for number in range(9):
            image = Image.new("RGB", (40, 20), colour)
            image.putpixel((number, 0), (0, 0, 0))
            image.save(data / name / f"{number}.png")
    keras_csg.train(
        run,
        data=data,
        backbone=tiny_name,
        epochs=1,
        image_size=16,
        resize="pad",
        background="#404040",
        precision="float32",  # The figures below are compared closely.
        log=None,
    )
    model = keras_csg.training.Run(run).load_model()
    assert model.image_reading == {
        "resize": "pad",
        "background": "#404040",
        "white_level": None,
    }
    exported = keras_csg.export_run(
        run, tmp_path / "x.onnx", formats="onnx", log=None
    )
    (file,) = exported.files
    photo = data / "a" / "0.png"
    pixels = ImageReading("pad", "#404040").decode(photo, (16, 16))
    expected = model.predict(pixels[None], verbose=0)[0]
    expected = np.exp(expected) / np.exp(expected).sum()
    for source in (run, file["path"]):
        (found,) = keras_csg.predict(source, photo, top=1)
        share = found["classes"][0]["probability"]
        assert_allclose(share, expected.max(), atol=1e-4)
