"""Serves an exported ONNX file on the Open Inference Protocol V2.

    pip install kserve onnxruntime
    python examples/serve_with_kserve/serve.py birds.onnx --model_name birds

Expected: within five seconds `http://localhost:8080/v2/models/birds` tells what
goes in and what comes out, and any client of the protocol gets answers, over
HTTP or, which suits photographs better, over gRPC on port 8081: see `ask.py`.
Needs neither TensorFlow nor keras_csg.

Requests that come in while the model is busy are joined into one batch: no
request waits for others to come, and many clients cost little more than few.
Whatever does not fit the model is refused before it joins a batch. The server
listens on every network of the machine and lets anybody ask.
"""

import argparse
import json
import sys

from micro_batching import MicroBatcher

try:
    import kserve
    import onnxruntime
    from kserve.errors import InvalidInput, invalid_input_handler
    from kserve.model_server import app
    from kserve.model_server import parser as server_options
    from kserve.utils.numpy_codec import from_np_dtype
except ImportError as error:
    sys.exit(f"{error}: pip install kserve onnxruntime")

DATATYPES = {
    "tensor(float)": "FP32",
    "tensor(uint8)": "UINT8",
    "tensor(int32)": "INT32",
}


class ExportedModel(kserve.Model):
    """An exported ONNX file.

    Args:
        name: str. What clients call it.
        path: path of the file.
        max_batch_size: int. Most images of a request, and of a batch.
    """

    def __init__(self, name, path, max_batch_size):
        super().__init__(name)
        options = onnxruntime.SessionOptions()
        # Its threads would wait for work by taking time from the server's.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(path, options)
        (self.images,) = self.session.get_inputs()
        self.outputs = [output.name for output in self.session.get_outputs()]
        properties = self.session.get_modelmeta().custom_metadata_map
        self.class_names = json.loads(properties["class_names"])
        self.batcher = MicroBatcher(self.run, max_batch_size)

    def run(self, images):
        """Returns the list of outputs for a batch of images."""
        return self.session.run(self.outputs, {self.images.name: images})

    def get_input_types(self):
        """Describes the input, for the model's metadata."""
        return [describe(self.images)]

    def get_output_types(self):
        """Describes the outputs, for the model's metadata."""
        return [describe(output) for output in self.session.get_outputs()]

    async def predict(self, payload, headers=None, response_headers=None):
        """Answers one request, together with others that wait."""
        arrays = await self.batcher.answer(self.read_images(payload))
        answers = dict(zip(self.outputs, arrays, strict=True))
        names = [self.class_names[c] for c in answers.get("class_id", [])]
        return kserve.InferResponse(
            response_id=payload.id,
            model_name=self.name,
            infer_outputs=[as_output(*answer) for answer in answers.items()],
            parameters={"class_names": json.dumps(names)},
            use_binary_outputs=payload.use_binary_outputs,
            requested_outputs=payload.request_outputs,
        )

    def read_images(self, request):
        """Returns the images of a request, or says what is wrong with it."""
        wanted = describe(self.images)
        if not isinstance(request, kserve.InferRequest):
            raise InvalidInput("Ask on /v2/models: the V2 protocol only.")
        if [given.name for given in request.inputs] != [wanted["name"]]:
            raise InvalidInput(f"Expected one input named {wanted['name']!r}.")
        (given,) = request.inputs
        if given.datatype != wanted["datatype"]:
            raise InvalidInput(
                f"Input {given.name!r} must be {wanted['datatype']}. "
                f"Received: {given.datatype}"
            )
        most = self.batcher.max_batch_size
        fits = len(given.shape) == len(wanted["shape"]) and all(
            want in (-1, have)
            for want, have in zip(wanted["shape"], given.shape, strict=True)
        )
        if not fits or not 1 <= given.shape[0] <= most:
            raise InvalidInput(
                f"Input {given.name!r} must have shape {wanted['shape']}, "
                f"with 1 to {most} images. Received: {given.shape}"
            )
        return given.as_numpy()


def as_output(name, array):
    """Puts an array into a response, in binary: over gRPC it must be so."""
    datatype = from_np_dtype(array.dtype)
    output = kserve.InferOutput(name, list(array.shape), datatype)
    output.set_data_from_numpy(array)
    return output


def describe(tensor):
    """Returns a tensor's description in the protocol's words."""
    return {
        "name": tensor.name,
        "datatype": DATATYPES[tensor.type],
        "shape": [s if isinstance(s, int) else -1 for s in tensor.shape],
    }


def main():
    options = argparse.ArgumentParser(parents=[server_options])
    options.add_argument("path", help="The exported ONNX file.")
    options.add_argument("--max_batch_size", type=int, default=32)
    args = options.parse_args()
    # Data that do not fill the shape they come with are the client's mistake.
    app.add_exception_handler(ValueError, invalid_input_handler)
    model = ExportedModel(args.model_name, args.path, args.max_batch_size)
    model.load()
    kserve.ModelServer().start([model])


if __name__ == "__main__":
    main()
