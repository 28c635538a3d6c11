"""What a server counts, for Prometheus."""

import os
from typing import Any

import prometheus_client
from prometheus_client import multiprocess

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Name of the variable with the folder that several processes count in."""
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
IMAGES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters of one server; of all its processes where there are several.

    Attributes:
        requests: counter of requests to infer, by `protocol`.
        failures: counter of those that were not answered, by `protocol` and
            `whose`, `client` or `server`.
        seconds: histogram of how long answers took, by `protocol`.
        batches: histogram of images in a batch.
        computing: histogram of seconds of the model for a batch.
        in_flight: gauge of requests that are being answered.
        waiting: gauge of images that wait for their batch.
    """

    def __init__(self) -> None:
        # Of its own: several servers may be in one process.
        registry = prometheus_client.CollectorRegistry()
        own: dict[str, Any] = {"registry": registry, "namespace": "keras_csg"}
        self._registry = registry
        self.requests = prometheus_client.Counter(
            "requests", "Requests to infer.", ["protocol"], **own
        )
        self.failures = prometheus_client.Counter(
            "failures",
            "Requests that were not answered, by whose fault.",
            ["protocol", "whose"],
            **own,
        )
        self.seconds = prometheus_client.Histogram(
            "request_seconds",
            "Time from a request to its answer.",
            ["protocol"],
            buckets=SECONDS,
            **own,
        )
        self.batches = prometheus_client.Histogram(
            "batch_images", "Images in a batch.", buckets=IMAGES, **own
        )
        self.computing = prometheus_client.Histogram(
            "batch_seconds", "Time of a batch.", buckets=SECONDS, **own
        )
        self.in_flight = prometheus_client.Gauge(
            "requests_in_flight",
            "Requests that are being answered.",
            multiprocess_mode="livesum",
            **own,
        )
        self.waiting = prometheus_client.Gauge(
            "images_waiting",
            "Images that wait for their batch.",
            multiprocess_mode="livesum",
            **own,
        )
        for protocol in ("http", "grpc"):  # Zeros are figures, too.
            self.requests.labels(protocol)
            self.seconds.labels(protocol)
            for whose in ("client", "server"):
                self.failures.labels(protocol, whose)

    def text(self) -> bytes:
        """Returns all figures in Prometheus's text format."""
        registry = self._registry
        if os.environ.get(SHARED):
            registry = prometheus_client.CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
        return prometheus_client.generate_latest(registry)


def forget_process(folder: str, pid: int) -> None:
    """Takes a process that has ended out of the gauges of several.

    Args:
        folder: str. Folder that they count in.
        pid: int. Number of the process.
    """
    multiprocess.mark_process_dead(pid, folder)


CONTENT_TYPE = prometheus_client.CONTENT_TYPE_LATEST
