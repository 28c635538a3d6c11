import pathlib
import re

import keras

from keras_csg.backbones.catalog import has_depthwise_convolutions
from keras_csg.engines import engine
from keras_csg.training.environment import TrainingEnvironment

CPU_DESCRIPTION = pathlib.Path("/proc/cpuinfo")
# Instructions that multiply bfloat16 numbers, not only load and store them.
BFLOAT16_INSTRUCTIONS = {"avx512_bf16", "amx_bf16"}


def choose_precision(backbone: str) -> str:
    """Returns the dtype policy that trains a backbone fastest here.

    On a GPU `mixed_bfloat16` from compute capability 8.0 on, `mixed_float16`
    from 7.0 on (Keras then scales the loss); on a TPU `mixed_bfloat16`. On a
    CPU, under TensorFlow, `mixed_bfloat16` where it multiplies such numbers
    and the backbone has no depthwise convolutions, which TensorFlow runs
    several times slower in bfloat16 than in float32. Else `float32`.
    `benchmarks/bench_training.py --families` backs the rule.

    Args:
        backbone: str. Name of a backbone.

    Returns:
        `"mixed_bfloat16"`, `"mixed_float16"` or `"float32"`.

    Raises:
        ValueError: if there is no such backbone.
    """
    # One that is in no catalogue is built to see, which draws random numbers.
    with TrainingEnvironment("float32", seed=0, deterministic=False):
        depthwise = has_depthwise_convolutions(backbone)
    if (policy := engine.accelerator_policy()) is not None:
        return policy
    if keras.backend.backend() != "tensorflow":
        return "float32"
    if cpu_multiplies_bfloat16() and not depthwise:
        return "mixed_bfloat16"
    return "float32"


def cpu_multiplies_bfloat16() -> bool:
    """Whether the processor says that it computes in bfloat16; on Linux."""
    try:
        text = CPU_DESCRIPTION.read_text()
    except OSError:
        return False
    flags = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    if flags is None:
        return False
    return not BFLOAT16_INSTRUCTIONS.isdisjoint(flags[1].split())
