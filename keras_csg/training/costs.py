"""What a run costs: its network, its memory, its epochs."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_csg.backbones.multiply_adds import multiply_adds
from keras_csg.engines import engine
from keras_csg.models.classifier import CSGClassifier

try:
    import resource
except ImportError:  # Windows, which has no word for it.
    resource = None  # type: ignore[assignment]


def costs_of(model: CSGClassifier, seconds: Sequence[float]) -> dict[str, Any]:
    """Returns what a network and its training cost.

    Args:
        model: `CSGClassifier`.
        seconds: of each epoch.

    Returns:
        A flat dict:

        - `parameters`: int, weights of the backbone and the head, which are
          all that a prediction needs.
        - `multiply_adds`: int, see there; `None` where it cannot be counted.
        - `peak_memory_mib`: of this process up to now, its data included;
          `None` on Windows.
        - `peak_device_memory_mib`: of the GPU, where there is one.
        - `epoch_seconds`: median of the epochs, but of the first, in which the
          step is compiled, where there are others.
    """
    try:
        count: int | None = multiply_adds(model)
    except ValueError:
        count = None
    figures: dict[str, Any] = {
        "parameters": model.backbone.count_params() + model.head.count_params(),
        "multiply_adds": count,
        "peak_memory_mib": _peak_of_process(),
    }
    device = engine.peak_memory()
    if device is not None:
        figures["peak_device_memory_mib"] = round(device / 2**20)
    if len(seconds):
        later = seconds[1:] or seconds
        figures["epoch_seconds"] = round(float(np.median(later)), 2)
    return figures


def line_of(figures: dict[str, Any]) -> str:
    """Returns the costs as a line."""
    parts = [f"{figures['parameters']:,} parameters"]
    if figures["multiply_adds"] is not None:
        parts.append(f"{figures['multiply_adds'] / 1e6:,.1f} M multiply-adds")
    if figures["peak_memory_mib"] is not None:
        parts.append(f"peak memory {figures['peak_memory_mib']:,} MiB")
    if "peak_device_memory_mib" in figures:
        parts.append(f"{figures['peak_device_memory_mib']:,} MiB on the GPU")
    if "epoch_seconds" in figures:
        parts.append(f"{figures['epoch_seconds']:.1f} s an epoch")
    return f"Costs: {', '.join(parts)}"


def _peak_of_process():
    if resource is None:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10))
