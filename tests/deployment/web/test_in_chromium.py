"""The page in a browser, beside `predict` on the same files."""

import struct

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

import keras_csg
from keras_csg.data.image_reading import ImageReading
from keras_csg.training import open_run
from tests.deployment.trained import trained_classifier
from tests.deployment.web.visiting import (
    ANSWER,
    Visit,
    assert_as_predict_says,
    assert_same_heatmap,
    served,
)
from tests.tiny import CLASSES

pytestmark = pytest.mark.slow
NAMES = [f"<img src=x onerror=alert({n})> & {n}" for n in range(CLASSES)]
PIXELS = """async ({ bytes, size, resize, background }) => {
  const { decoded, rowsOf } = await import("./pictures.js");
  const { read } = await import("./reading.js");
  const bitmap = await decoded(new Blob([new Uint8Array(bytes)]));
  const picture = { width: bitmap.width, height: bitmap.height };
  const rows = rowsOf(bitmap, background);
  return Array.from(read(rows, picture, size, { resize, background }));
}"""


@pytest.fixture(scope="module")
def cifar(export):
    return export(open_run("weights:cifar10").load_model())


def test_a_photograph_gets_predicts_answer_without_a_network(
    chromium, cifar, photographs, tmp_path
):
    with served(cifar) as url:
        visit = Visit(chromium, url).loaded()
        assert visit.text("#name") == "birds"
        for number, pixels in enumerate(photographs):
            path = tmp_path / f"{number}.png"
            Image.fromarray(pixels).save(path)
            answer = visit.ask(path)
            assert_as_predict_says(answer, cifar, path)
            assert_same_heatmap(answer, cifar, path)
            best = answer["classes"][0]
            assert visit.text("#headline").startswith(best["name"])
            assert visit.page.locator("#classes tbody tr").count() == 5
            # 640 x 427 pixels, of which the middle is seen.
            assert answer["view"]["width"] == pytest.approx(427)
            assert answer["view"]["left"] == pytest.approx(106.5)
        visit.check()


@pytest.mark.parametrize("quantize", ["float16", "int8"])
def test_a_narrow_file_gets_predicts_answer(
    quantize, chromium, export, photographs, tmp_path
):
    crops = np.stack(
        [
            photograph[y : y + 32, x : x + 32]
            for photograph in photographs
            for y in range(0, 384, 32)
            for x in range(0, 608, 64)
        ]
    ).astype("float32")
    calibration = {"calibration": crops} if quantize == "int8" else {}
    folder = export(
        open_run("weights:cifar10").load_model(),
        quantize=quantize,
        images=crops,
        **calibration,
    )
    assert keras_csg.read_metadata(folder).quantization == quantize
    with served(folder) as url:
        visit = Visit(chromium, url).loaded()
        for number, photograph in enumerate(photographs):
            for part, pixels in enumerate((photograph, photograph[:200, :200])):
                path = tmp_path / f"{number}-{part}.png"
                Image.fromarray(pixels).save(path)
                answer = visit.ask(path)
                assert_as_predict_says(answer, folder, path)
                assert_same_heatmap(answer, folder, path)
        visit.check()


def test_once_it_is_loaded_no_server_is_asked(chromium, cifar, photographs):
    with served(cifar) as url:
        visit = Visit(chromium, url).loaded()
    # The server is gone, and the browser is told that it has no network.
    visit.context.set_offline(True)
    visit.page.evaluate(ANSWER)
    visit.page.click("#example")
    assert visit.page.evaluate("window.answered")["classes"]
    visit.check()


def odd_files(folder, photograph):
    """Writes files as cameras, telephones and programs do; yields paths."""
    image = Image.fromarray(photograph).resize((120, 90))
    alpha = Image.linear_gradient("L").resize((120, 90))
    see_through = image.copy()
    see_through.putalpha(alpha)
    exif = Image.Exif()
    exif[0x0112] = 6
    gamma = PngImagePlugin.PngInfo()
    gamma.add(b"gAMA", struct.pack(">I", 100_000))
    moving = {"save_all": True, "append_images": [image.rotate(90)]}
    grey = np.asarray(image.convert("L"), "uint16") * 257
    for name, picture, options in (
        ("turned.jpg", image, {"exif": exif, "quality": 90}),
        ("plain.jpg", image, {"quality": 75}),
        ("progressive.jpg", image, {"progressive": True}),
        ("grey.jpg", image.convert("L"), {}),
        ("transparent.png", see_through, {}),
        ("grey-transparent.png", see_through.convert("LA"), {}),
        ("palette.png", image.quantize(64), {}),
        ("gamma.png", image, {"pnginfo": gamma}),
        ("print.jpg", image.convert("CMYK"), {}),
        ("bits.png", image.convert("1"), {}),
        ("sixteen.png", Image.fromarray(grey), {}),
        ("still.gif", image.quantize(64), {}),
        ("moving.gif", image.quantize(64), moving),
        ("lossless.webp", image, {"lossless": True}),
    ):
        picture.save(folder / name, **options)
        yield folder / name


def test_pixels_are_those_of_pillow_to_one_grey_level(
    chromium, cifar, photographs, tmp_path
):
    with served(cifar) as url:
        visit = Visit(chromium, url).loaded()
        for path in odd_files(tmp_path, photographs[0]):
            for resize in ("crop", "pad"):
                reading = ImageReading(resize, "#0a64c8")
                expected = reading.decode(path, (64, 48)).astype(int)
                given = visit.page.evaluate(
                    PIXELS,
                    {
                        "bytes": list(path.read_bytes()),
                        "size": {"width": 48, "height": 64},
                        "resize": resize,
                        "background": [10, 100, 200],
                    },
                )
                gaps = np.abs(np.reshape(given, expected.shape) - expected)
                assert gaps.max() <= 1, (path.name, resize, gaps.max())
        visit.check()


def test_several_classes_of_hostile_names_and_small_integers(
    chromium, export, photographs, tmp_path
):
    model = trained_classifier(
        multi_label=True, class_names=NAMES, filter_names={0: "<b>mane</b>"}
    )
    folder = export(model, input_dtype="uint8")
    path = tmp_path / "photograph.png"
    Image.fromarray(photographs[1]).save(path)
    with served(folder) as url:
        visit = Visit(chromium, url).loaded()
        answer = visit.ask(path)
        assert_as_predict_says(answer, folder, path)
        assert_same_heatmap(answer, folder, path)
        (expected,) = keras_csg.predict(folder, path)
        assert answer["present"] == [
            entry["class_name"] for entry in expected["present"]
        ]
        shown = visit.page.locator("#classes tbody th").all_inner_texts()
        assert {text.removesuffix("there") for text in shown} == set(NAMES)
        assert not visit.page.locator("img").count()
        visit.check()


def test_without_a_gate_there_is_no_column_of_it(chromium, export, tmp_path):
    folder = export(trained_classifier(gated=False, class_names=NAMES))
    path = tmp_path / "image.png"
    Image.new("RGB", (30, 20), "red").save(path)
    with served(folder) as url:
        visit = Visit(chromium, url).loaded()
        answer = visit.ask(path)
        assert_as_predict_says(answer, folder, path)
        assert not visit.page.locator("th.specific").is_visible()
        assert not visit.page.locator("#missing").is_visible()
        visit.check()


def test_what_the_file_does_not_answer_is_hidden_and_said(
    chromium, export, tmp_path
):
    folder = export(trained_classifier(), outputs=["class_id"])
    path = tmp_path / "image.png"
    Image.new("RGB", (30, 20), "red").save(path)
    with served(folder) as url:
        visit = Visit(chromium, url).loaded()
        assert visit.ask(path)["heatmap"] is None
        for part in ("#classes", "#speaking", "#heat"):
            assert not visit.page.locator(part).is_visible()
        assert "the heatmap" in visit.text("#missing")
        assert visit.text("#headline") in map(str, range(CLASSES))
        visit.check()


def test_images_of_any_size_are_taken_at_theirs(chromium, export, tmp_path):
    import keras

    from tests.tiny import tiny_maps

    images = keras.Input((None, None, 3))
    backbone = keras.Model(images, tiny_maps(images), name="any")
    folder = export(trained_classifier(backbone))
    path = tmp_path / "image.png"
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (23, 37, 3), "uint8")
    Image.fromarray(pixels).save(path)
    with served(folder) as url:
        visit = Visit(chromium, url).loaded()
        answer = visit.ask(path)
        assert answer["size"] == {"width": 37, "height": 23}
        exported = keras_csg.open_exported(folder)
        expected = exported.answer(pixels[None].astype("float32"))
        best = answer["classes"][0]["probability"]
        assert best == pytest.approx(expected["probabilities"].max(), abs=1e-3)
        visit.check()


def test_a_thousand_classes_are_five_lines(chromium, export, tmp_path):
    from keras_csg import CSGClassifier
    from tests.tiny import tiny_backbone

    model = CSGClassifier(tiny_backbone(filters=64), 1000)
    folder = export(model)
    path = tmp_path / "image.png"
    Image.new("RGB", (30, 20), "red").save(path)
    with served(folder) as url:
        visit = Visit(chromium, url).loaded()
        visit.ask(path)
        assert visit.page.locator("#classes tbody tr").count() == 5
        assert "1,000 classes" in visit.text("#lead")
        visit.check()


def test_threads_are_used_where_the_page_is_isolated(
    chromium, cifar, photographs, tmp_path
):
    path = tmp_path / "photograph.png"
    Image.fromarray(photographs[0]).save(path)
    headers = [
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Embedder-Policy", "require-corp"),
    ]
    with served(cifar, headers) as url:
        visit = Visit(chromium, url).loaded()
        assert visit.page.evaluate("crossOriginIsolated")
        assert_as_predict_says(visit.ask(path), cifar, path)
        visit.page.click("summary")
        assert "threads" in visit.text("#facts")
        visit.check()
