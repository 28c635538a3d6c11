"""A detector in an exported graph answers as it does here."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg.robustness import AnomalyDetector
from keras_csg.robustness.detection import list_scores
from keras_csg.robustness.detection.registry import find_score
from tests.tiny import tiny_classifier, tiny_data

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # The exporters' own.
]
STRANGE = np.random.default_rng(2).uniform(0, 255, (9, 8, 8, 3))
EXPORTED = [name for name in list_scores() if find_score(name).exportable]


def graph_and_answers(name):
    model = tiny_classifier()
    clean, _ = tiny_data(400)
    detector = AnomalyDetector(name).fit(model, clean, unknown=STRANGE)
    features = model.pooling(model.backbone.output)
    logits = model.head(features)
    specific = model.class_specific_head(features)
    share = detector.as_layer(name="anomaly_score")(features, logits, specific)
    images = np.concatenate([clean[:9], STRANGE]).astype("float32")
    graph = keras.Model(model.backbone.input, share)
    graph(images)  # Keras exports no model that was never called.
    return graph, images, detector.anomaly_scores(images)


@pytest.mark.parametrize("name", EXPORTED)
def test_onnx_answers_alike(name, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    graph, images, expected = graph_and_answers(name)
    path = tmp_path / "graph.onnx"
    graph.export(path, format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path)
    (given,) = session.get_inputs()
    (answer,) = session.run(None, {given.name: images})
    assert_allclose(answer, expected, atol=2e-3)


def test_litert_answers_alike(tmp_path):
    tf = pytest.importorskip("tensorflow")
    graph, images, expected = graph_and_answers("surprise")
    signature = tf.TensorSpec((None, 8, 8, 3), tf.float32)
    function = tf.function(lambda x: graph(x)).get_concrete_function(signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function], graph
    )
    interpreter = tf.lite.Interpreter(model_content=converter.convert())
    number = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(number, images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(number, images)
    interpreter.invoke()
    answer = interpreter.get_tensor(
        interpreter.get_output_details()[0]["index"]
    )
    assert_allclose(answer, expected, atol=2e-3)
