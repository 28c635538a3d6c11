from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_csg.models.classifier import CSGClassifier


def class_names_of(model: "CSGClassifier") -> list[str]:
    """Returns the names of a model's classes: their numbers if it has none."""
    return model.class_names or [str(c) for c in range(model.num_classes)]
