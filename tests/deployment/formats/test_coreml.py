"""Core ML packages: refused where they cannot run, and what they would hold.

They run on macOS alone. Where the converter is installed elsewhere, as on
Linux, it is tried as far as it goes: what a package computes is not.
"""

import sys

import pytest

import keras_csg
from keras_csg.deployment.describing import describe
from keras_csg.deployment.formats import coreml
from keras_csg.deployment.formats.coreml import CoreMLFormat
from keras_csg.deployment.graph.answers import answering_model
from tests.deployment.trained import trained_classifier


@pytest.mark.skipif(sys.platform == "darwin", reason="it runs here")
def test_it_is_refused_where_it_cannot_be_proven(tmp_path):
    with pytest.raises(ValueError, match="on macOS alone: export there"):
        keras_csg.export(trained_classifier(), tmp_path / "model.mlpackage")
    assert not list(tmp_path.iterdir())


def test_a_missing_converter_is_named(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "coremltools", None)
    assert "pip install 'keras-csg[coreml]'" in CoreMLFormat().missing()


def test_8_bits_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(CoreMLFormat, "missing", lambda self: None)
    with pytest.raises(ValueError, match="'int8'. is for .*not offered"):
        keras_csg.export(
            trained_classifier(), tmp_path / "m.mlpackage", quantize="int8"
        )


@pytest.fixture
def coremltools():
    return pytest.importorskip("coremltools")


@pytest.mark.parametrize("quantize", [None, "float16"])
def test_a_package_has_our_names_and_metadata(coremltools, tmp_path, quantize):
    model = trained_classifier(class_names=["a", "b", "c", "d"])
    answering = answering_model(model)
    metadata = describe(model, answering, "coreml", quantize)
    path = tmp_path / ".model.part"  # As it is called until it is proven.
    CoreMLFormat().write(answering, metadata, path, quantize=quantize)
    read = keras_csg.read_metadata(path)
    assert read.class_names == ["a", "b", "c", "d"]
    assert read.quantization == quantize
    spec = coreml._load_spec(coremltools, path)
    (images,) = spec.description.input
    types = coremltools.proto.FeatureTypes_pb2.ArrayFeatureType
    assert images.name == "images"
    assert images.type.multiArrayType.dataType == types.FLOAT32
    outputs = {
        output.name: output.type.multiArrayType.dataType
        for output in spec.description.output
    }
    assert outputs.pop("class_id") == types.INT32
    assert set(outputs) | {"class_id"} == set(answering.output)
    assert set(outputs.values()) == {types.FLOAT32}


def test_bytes_are_refused(coremltools, tmp_path):
    model = trained_classifier()
    answering = answering_model(model, input_dtype="uint8")
    metadata = describe(model, answering, "coreml")
    with pytest.raises(ValueError, match="no tensors of bytes"):
        CoreMLFormat().write(answering, metadata, tmp_path / "m")
