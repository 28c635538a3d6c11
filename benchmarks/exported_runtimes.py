"""Exported files in their runtimes on a fixed number of threads."""

import pathlib
from collections.abc import Callable

import numpy as np

from keras_csg.deployment.formats.openvino import GRAPH_FILE

Answer = Callable[[np.ndarray], dict[str, np.ndarray]]


def open_with_threads(path: pathlib.Path, threads: int) -> Answer:
    """Returns a function from images to all answers of a file.

    Args:
        path: of an ONNX file, a LiteRT file or an OpenVINO folder.
        threads: int.
    """
    if path.suffix == ".onnx":
        return _open_onnx(path, threads)
    if path.suffix == ".tflite":
        return _open_litert(path, threads)
    return _open_openvino(path, threads)


def _open_onnx(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]

    def answer(images):
        values = session.run(names, {"images": images})
        return dict(zip(names, values, strict=True))

    return answer


def _open_litert(path, threads):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=threads)
    runner = interpreter.get_signature_runner()
    return lambda images: runner(images=images)


def _open_openvino(path, threads):
    import openvino

    core = openvino.Core()
    compiled = core.compile_model(
        core.read_model(str(path / GRAPH_FILE)),
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
        },
    )
    request = compiled.create_infer_request()

    def answer(images):
        values = request.infer({"images": images})
        return {o.get_any_name(): values[o] for o in compiled.outputs}

    return answer
