"""Answers of a model as the tensors that a request wants."""

from collections.abc import Mapping

import numpy as np

from keras_csg.deployment.layouts import LABELLED
from keras_csg.deployment.metadata import Metadata
from keras_csg.serving.errors import RequestError, shown
from keras_csg.serving.requests import (
    BYTES,
    DATATYPES,
    InferRequest,
    InferResponse,
    OutputTensor,
    WantedOutput,
)

Answers = Mapping[str, np.ndarray]


def check_wanted(request: InferRequest, metadata: Metadata) -> None:
    """Refuses outputs that the model lacks.

    Args:
        request: `InferRequest`.
        metadata: the model's `Metadata`.

    Raises:
        RequestError: naming the output.
    """
    for wanted in request.outputs:
        if wanted.name not in metadata.outputs:
            raise RequestError(
                f"`outputs` must be out of {', '.join(metadata.outputs)}. "
                f"Received: {shown(wanted.name)}"
            )
        if wanted.classification and wanted.name not in LABELLED:
            raise RequestError(
                "`classification` is for the outputs "
                f"{' and '.join(LABELLED)}. Received: {shown(wanted.name)}"
            )


def respond(
    request: InferRequest, answers: Answers, metadata: Metadata
) -> InferResponse:
    """Returns what a request wants of the answers to its images.

    Args:
        request: `InferRequest`, checked.
        answers: dict of arrays `(batch, ...)`, one for each output.
        metadata: the model's `Metadata`.
    """
    wanted = request.outputs or [
        WantedOutput(name, binary=request.binary) for name in answers
    ]
    names = metadata.class_names
    class_names = None
    if "class_id" in answers:
        class_names = [str(names[number]) for number in answers["class_id"]]
    outputs = [_tensor(one, answers[one.name], names) for one in wanted]
    return InferResponse(outputs, class_names, request.id)


def _tensor(wanted, array, class_names):
    if wanted.classification:
        labels = _classified(array, wanted.classification, class_names)
        return OutputTensor(wanted.name, BYTES, labels, wanted.binary)
    datatype = DATATYPES[array.dtype.name]
    return OutputTensor(wanted.name, datatype, array, wanted.binary)


def _classified(probabilities, count, class_names):
    """Returns `value:number:name` of the likeliest classes, `(batch, n)`."""
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    labels = np.empty(order.shape, object)
    for row, column in np.ndindex(*order.shape):
        number = order[row, column]
        value = f"{probabilities[row, number]:f}:{number}:{class_names[number]}"
        labels[row, column] = value.encode()
    return labels
