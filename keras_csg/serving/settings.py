"""What a server is told, in a form that another process can be told."""

import dataclasses
import json


@dataclasses.dataclass(frozen=True)
class ServerSettings:
    """What and where to serve.

    Args:
        path: str. Path of the exported model.
        name: str. What clients call it.
        version: str. Its version.
        host: str. Address to listen at.
        port: int, for HTTP; 0 for a free one.
        grpc_port: int; 0 for a free one, `None` for no gRPC.
        threads: int. Threads that compute; `None` for the runtime's choice.
        max_batch_size: int. Most images of a request, and of a batch.
        max_body: int. Most bytes of a request.
        max_pixels: int. Image files with more are not decoded.
        shared_ports: bool. Whether several processes listen there.
        trust: bool. Whether the file may have operations that no export needs.
    """

    path: str
    name: str
    version: str
    host: str
    port: int
    grpc_port: int | None
    threads: int | None
    max_batch_size: int
    max_body: int
    max_pixels: int
    shared_ports: bool = False
    trust: bool = False

    def to_json(self) -> str:
        """Returns the settings as JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "ServerSettings":
        """Reads what `to_json` wrote."""
        return cls(**json.loads(text))
