import keras
import numpy as np

from keras_csg.data.image_files import decode_file

MOST_FILTERS = 5
BATCH_SIZE = 64


def predict_files(model, paths, *, top=3):
    """Classifies image files.

    Args:
        model: `CSGClassifier`.
        paths: list of paths.
        top: int. Number of classes to name.

    Returns:
        A list with a dict for each file: `image`, its path; `classes`, the
        `top` likeliest with `class_name` and `probability`; and of a gated
        model `class_specific`, what the `(W * G)` head says, and `filters`,
        those with the largest share of the predicted class's logit over its
        own filters, each with `filter` and `share`.

    Raises:
        ValueError: if a file cannot be read as an image.
    """
    size = model.backbone.input_shape[1:3]
    predictions = []
    for start in range(0, len(paths), BATCH_SIZE):
        some = paths[start : start + BATCH_SIZE]
        images = np.stack([_read(path, size) for path in some])
        features = keras.ops.convert_to_numpy(
            model.features(images, training=False)
        )
        predictions += [
            {"image": str(path), **_describe(model, row, top)}
            for path, row in zip(some, features, strict=True)
        ]
    return predictions


def _read(path, size):
    try:
        return decode_file(path, size)
    except FileNotFoundError:
        raise ValueError(f"There is no file {path}.") from None
    except Exception as error:  # Pillow raises all sorts on damaged files.
        raise ValueError(f"Cannot read the image {path}: {error}") from error


def _describe(model, features, top):
    """Returns what the model says of one image's features `(filters,)`."""
    kernel, bias = (keras.ops.convert_to_numpy(v) for v in model.head.weights)
    probabilities = _softmax(features @ kernel + bias)
    best = probabilities.argsort()[::-1][:top]
    described = {
        "classes": [_entry(model, probabilities, index) for index in best]
    }
    if not model.gated:
        return described
    gate_matrix = keras.ops.convert_to_numpy(model.gate.gate_matrix)
    specific = _softmax(features @ (kernel * gate_matrix.T) + bias)
    described["class_specific"] = _entry(model, specific, specific.argmax())
    parts = features * kernel[:, best[0]] * gate_matrix[best[0]]
    return described | {"filters": _largest_shares(parts)}


def _largest_shares(parts):
    """Returns the filters with the largest positive parts of a logit."""
    total = parts.clip(0).sum()
    order = parts.argsort()[::-1][:MOST_FILTERS]
    return [
        {"filter": int(k), "share": float(parts[k] / total)}
        for k in order
        if parts[k] > 0
    ]


def _entry(model, probabilities, index):
    name = model.class_names[index] if model.class_names else str(index)
    return {"class_name": name, "probability": float(probabilities[index])}


def _softmax(logits):
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits))
