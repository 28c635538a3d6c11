"""What is said of a classifier in the file that it is exported to."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from keras_csg.data.image_reading import ImageReading
from keras_csg.data.image_steps import preprocessing_steps
from keras_csg.deployment.graph.outputs import about_output
from keras_csg.deployment.least_size import least_size
from keras_csg.deployment.metadata import Metadata
from keras_csg.deployment.pixel_range import range_of

if TYPE_CHECKING:
    import keras

    from keras_csg.evaluation.temperature import Calibration
    from keras_csg.models.classifier import CSGClassifier
    from keras_csg.robustness.detection import AnomalyDetector


def describe(
    model: "CSGClassifier",
    answering: "keras.Model",
    format: str,
    quantization: str | None = None,
    *,
    detector: "AnomalyDetector | None" = None,
    temperature: "Calibration | None" = None,
    outputs: "Iterable[str] | None" = None,
) -> Metadata:
    """Returns the `Metadata` of a classifier that is to be exported.

    Args:
        model: `CSGClassifier`.
        answering: what `answering_model` made of it.
        format: str.
        quantization: str or None.
        detector: as `answering_model` was given it.
        temperature: as `answering_model` was given it.
        outputs: names of what is answered, if it is more than the model gives.
    """
    from keras_csg.models.class_names import class_names_of  # Loads Keras.

    gate_matrix = filter_classes = None
    if model.gated:
        (gate_matrix,) = model.gate.get_weights()
        filter_classes = gate_matrix.argmax(axis=0).tolist()
    (images,) = answering.inputs
    image = {
        "name": "images",
        "shape": tuple(images.shape),
        "dtype": images.dtype,
        **range_of(model.backbone),
        "color": "RGB",
        "layout": "NHWC",
        **model.image_reading,
    }
    if None in images.shape[1:3]:
        least = least_size(model.backbone)
        image.update({} if least is None else {"least_size": least})
    reading = ImageReading(**model.image_reading)
    image["preprocessing"] = preprocessing_steps(reading, image)
    return Metadata(
        format=format,
        backbone=model.backbone.name,
        class_names=class_names_of(model),
        input=image,
        outputs={
            name: about_output(name, model.multi_label)
            for name in outputs or answering.output
        },
        gate_matrix=gate_matrix,
        filter_classes=filter_classes,
        filter_names=model.filter_names,
        multi_label=model.multi_label,
        quantization=quantization,
        detector=None if detector is None else detector.description(),
        temperature=None if temperature is None else temperature._asdict(),
    )
