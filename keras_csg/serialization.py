"""Lets Keras load saved models before anything of this package is imported.

`import keras_csg` loads no Keras, so nothing is registered with it yet. This
puts stand-ins into Keras's list of custom objects, each of which imports the
class it stands for when a file names it.
"""

import importlib
import sys
from typing import Any

PACKAGE = "keras_csg"
MODULES = {
    "CSGClassifier": "keras_csg.models",
    "ClassAccuracy": "keras_csg.models",
    "LogitBinaryCrossentropy": "keras_csg.models",
    "LogitCrossentropy": "keras_csg.models",
    "MultiLabelComplementLoss": "keras_csg.models.multi_label_losses",
    "ComplementLoss": "keras_csg.models.losses",
    "OffClassActivation": "keras_csg.models.losses",
    "JointSchedule": "keras_csg.models",
    "AlternatingSchedule": "keras_csg.models",
    "CSGGate": "keras_csg.layers",
    "GateBudget": "keras_csg.layers.gate_budget",
    "GateSparsity": "keras_csg.layers",
    "UnitMaxGate": "keras_csg.layers",
    "FrozenStatisticsBatchNormalization": "keras_csg.layers",
    "ImageNormalization": "keras_csg.layers",
    "SelectChannels": "keras_csg.layers",
    "AnomalyScore": "keras_csg.robustness.detection.layer",
    "WarmUp": "keras_csg.training.optimizers",
    "PaddedShortcut": "keras_csg.backbones.cifar_resnet",
    "ClassHead": "keras_csg.deployment.graph.answer_layers",
    "Evidence": "keras_csg.deployment.graph.answer_layers",
    "FilterContributions": "keras_csg.deployment.graph.answer_layers",
    "ClassActivationMap": "keras_csg.deployment.graph.answer_layers",
    "Known": "keras_csg.deployment.graph.answer_layers",
    "PredictedProbability": "keras_csg.deployment.graph.answer_layers",
    "GroupedConv2D": "keras_csg.deployment.graph.plain_layers",
}
"""Where each class that a saved model may name is defined."""


def register_with_keras() -> None:
    """Registers the classes: now, or as soon as somebody imports Keras."""
    if sys.modules.get("keras"):  # `None` bars its import.
        # Another thread may still be at it: importing waits for that.
        register_classes(importlib.import_module("keras"))
    else:
        sys.meta_path.insert(0, _KerasFinder())


class _KerasFinder:
    """Finds Keras as Python does, and registers after its import.

    Who only asks whether Keras is there gets the same answer, and it stays.
    """

    def find_spec(self, name, path=None, target=None):
        if name != "keras":
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        found = (f.find_spec(name, path, target) for f in others)
        spec = next(filter(None, found), None)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_register(module):
            execute(module)
            register_classes(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)

        spec.loader.exec_module = execute_and_register
        return spec


def register_classes(keras: Any) -> None:
    """Makes Keras find this package's classes by their registered names.

    Args:
        keras: the module. A class that is registered already stays.
    """
    custom_objects = keras.saving.get_custom_objects()
    for name, module in MODULES.items():
        stand_in = _stand_in(name, module)
        custom_objects.setdefault(f"{PACKAGE}>{name}", stand_in)


def _stand_in(name, module):
    """Returns a class whose `from_config` is that of another, once needed."""

    def from_config(cls, config):
        real = getattr(importlib.import_module(module), name)
        return real.from_config(config)

    return type(name, (), {"from_config": classmethod(from_config)})
