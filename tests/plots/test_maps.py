import numpy as np
from PIL import Image

from keras_csg.plots.maps import save_maps


def test_a_picture_has_a_row_for_each_image(tmp_path):
    images = np.zeros((3, 8, 8, 3), "uint8")
    maps = {"cam": np.random.default_rng(0).random((3, 8, 8))}
    masks = np.zeros((3, 8, 8), bool)
    masks[:, 2:4, 2:4] = True
    path = tmp_path / "maps.png"
    titles = ["a", "$b", "c"]
    save_maps(images, maps, path, masks=masks, titles=titles)
    with Image.open(path) as picture:
        width, height = picture.size
    assert height > 1.3 * width
    save_maps(images, maps, path)
    assert [file.name for file in tmp_path.iterdir()] == ["maps.png"]
