import pytest
import tensorflow as tf

from keras_csg.backbones.catalog import has_depthwise_convolutions
from keras_csg.training import precision
from keras_csg.training.precision import choose_precision

ZEN4 = "processor: 0\nflags\t\t: fpu sse2 avx512f avx512_bf16 avx512_vnni\n"
SKYLAKE = "processor: 0\nflags\t\t: fpu sse2 avx512f avx512cd\n"


@pytest.fixture
def processor(monkeypatch, tmp_path):
    """Puts another processor into the machine."""

    def describe(text):
        path = tmp_path / "cpuinfo"
        path.write_text(text)
        monkeypatch.setattr(precision, "CPU_DESCRIPTION", path)

    return describe


@pytest.fixture
def gpus(monkeypatch):
    """Puts GPUs of some compute capabilities into the machine."""

    def plug_in(*capabilities):
        monkeypatch.setattr(
            tf.config, "get_visible_devices", lambda kind: capabilities
        )
        monkeypatch.setattr(
            tf.config.experimental,
            "get_device_details",
            lambda gpu: {"compute_capability": gpu} if gpu else {},
        )

    return plug_in


@pytest.mark.parametrize(
    "text, backbone, expected",
    [
        (ZEN4, "resnet20", "mixed_bfloat16"),
        (ZEN4.replace("avx512_bf16", "amx_bf16"), "vgg16", "mixed_bfloat16"),
        (ZEN4, "MobileNet_V2", "float32"),
        (SKYLAKE, "resnet20", "float32"),
        ("", "resnet20", "float32"),
    ],
)
def test_on_a_processor(processor, text, backbone, expected):
    processor(text)
    assert choose_precision(backbone) == expected


def test_where_nothing_describes_the_processor(monkeypatch, tmp_path):
    monkeypatch.setattr(precision, "CPU_DESCRIPTION", tmp_path / "missing")
    assert choose_precision("resnet20") == "float32"


@pytest.mark.parametrize(
    "capabilities, expected",
    [
        ([(8, 0)], "mixed_bfloat16"),
        ([(12, 0)], "mixed_bfloat16"),
        ([(7, 5)], "mixed_float16"),
        ([(6, 1)], "float32"),
        ([(9, 0), (7, 0)], "mixed_float16"),  # The weaker of two counts.
        ([None], "float32"),  # A device that does not say.
    ],
)
def test_on_gpus(gpus, capabilities, expected):
    gpus(*capabilities)
    assert choose_precision("mobilenetv2") == expected


def test_an_unknown_backbone_is_named():
    with pytest.raises(ValueError, match="resnet"):
        choose_precision("resnet21")


@pytest.mark.parametrize(
    "name, expected",
    [
        ("resnet50", False),
        ("mobilenetv2", True),
        ("xception", True),  # Separable, in Keras's own layer.
        ("convnexttiny", True),
    ],
)
def test_which_backbones_have_depthwise_convolutions(name, expected):
    assert has_depthwise_convolutions(name) is expected


def test_a_backbone_from_outside_is_built_to_see(monkeypatch):
    import keras

    from keras_csg.backbones import register_backbone, registry

    monkeypatch.setattr(registry, "_SPECS", dict(registry._SPECS))
    layer = keras.layers.DepthwiseConv2D(3)
    register_backbone("mine", family="Mine", default_size=32, min_size=8)(
        lambda images, weights: layer(images)
    )
    assert has_depthwise_convolutions("mine")
