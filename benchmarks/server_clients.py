"""Those who ask a server in `bench_server.py`, each in its own way."""

import http.client
import json

import grpc
import numpy as np

from keras_csg.serving.grpc_messages import message_classes

HEADER = "Inference-Header-Content-Length"
METHOD = "/inference.GRPCInferenceService/ModelInfer"
OUTPUTS = ("probabilities", "class_id")


class HttpClient:
    """Asks over HTTP, on a connection that stays."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection(*server.http)
        self.path = f"/v2/models/{server.name}/infer"

    def ask(self, body, headers):
        """Returns status, headers and body of the answer."""
        self.connection.request("POST", self.path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()


class BinaryClient(HttpClient):
    """Asks in tensors, and gets them."""

    def right(self, pixels, file):
        """Returns the status and the probabilities."""
        return self.send(pixels.tobytes(), pixels.shape)

    def wrong(self, pixels, file):
        """Whether a wrong request is refused as the client's mistake."""
        status, _ = self.send(pixels.tobytes()[:-4], pixels.shape)
        return 400 <= status < 500

    def send(self, data, shape):
        """Returns the status and the probabilities."""
        tensor = {
            "name": "images",
            "datatype": "FP32",
            "shape": [1, *shape],
            "parameters": {"binary_data_size": len(data)},
        }
        wanted = [
            {"name": name, "parameters": {"binary_data": True}}
            for name in OUTPUTS
        ]
        text = json.dumps({"id": "1", "inputs": [tensor], "outputs": wanted})
        headers = {
            HEADER: str(len(text)),
            "Content-Type": "application/octet-stream",
        }
        status, told, answer = self.ask(text.encode() + data, headers)
        if status != 200:
            return status, None
        data = answer[int(told[HEADER]) :]
        return status, np.frombuffer(data[:-4], "<f4")


class PictureClient(HttpClient):
    """Asks with a JPEG file, and gets the likeliest class."""

    def right(self, pixels, file):
        """Returns the status and the probabilities."""
        status, _, answer = self.ask(file, {"Content-Type": "image/jpeg"})
        likeliest = json.loads(answer)["classes"][0]["probability"]
        return status, np.array([likeliest])

    def wrong(self, pixels, file):
        """Whether a wrong request is refused as the client's mistake."""
        cut = file[: len(file) // 2]
        return 400 <= self.ask(cut, {"Content-Type": "image/jpeg"})[0] < 500


class GrpcClient:
    """Asks over gRPC."""

    def __init__(self, server):
        self.channel = grpc.insecure_channel(server.grpc)
        self.classes = message_classes()
        self.infer = self.channel.unary_unary(
            METHOD,
            self.classes["ModelInferRequest"].SerializeToString,
            self.classes["ModelInferResponse"].FromString,
        )
        self.name = server.name

    def right(self, pixels, file):
        """Returns the status and the probabilities."""
        answer = self.send(pixels.tobytes(), pixels.shape)
        return 200, np.frombuffer(answer.raw_output_contents[0], "<f4")

    def wrong(self, pixels, file):
        """Whether a wrong request is refused as the client's mistake."""
        try:
            self.send(pixels.tobytes()[:-4], pixels.shape)
        except grpc.RpcError as error:
            return error.code() == grpc.StatusCode.INVALID_ARGUMENT
        return False

    def send(self, data, shape):
        """Returns the answer's message."""
        tensor = {"name": "images", "datatype": "FP32", "shape": [1, *shape]}
        return self.infer(
            self.classes["ModelInferRequest"](
                model_name=self.name,
                inputs=[tensor],
                outputs=[{"name": name} for name in OUTPUTS],
                raw_input_contents=[data],
            ),
            timeout=60,
        )


CLIENTS = {
    "HTTP, binary": BinaryClient,
    "HTTP, JPEG": PictureClient,
    "gRPC": GrpcClient,
}
