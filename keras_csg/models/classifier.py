from collections.abc import Sequence
from typing import Any

import keras

from keras_csg.layers.batch_normalization import fuse_batch_normalization
from keras_csg.layers.csg_gate import CSGGate
from keras_csg.models.head import dropout_layer, head_layer, pooling_layer
from keras_csg.models.objective import (
    class_specific_kernel,
    sum_own_filters,
)
from keras_csg.models.schedules import get as get_schedule
from keras_csg.models.trainer import DualPathTrainer

MOST_DROPPED = 0.7
"""Share of the filters that are left out at most where nobody says."""


@keras.saving.register_keras_serializable(package="keras_csg")
class CSGClassifier(DualPathTrainer):
    """Image classifier trained through a Class-Specific Gate.

    Calling it on images gives the logits of the standard path. Training also
    sends the features through `gate`, a learnable class-by-filter matrix, so
    that each filter comes to answer for one class or few. Both paths share one
    pass through the backbone, and the gate is applied to the maps' averages.

    It is a functional model over one flat graph, images to logits: `inputs`,
    `outputs`, `summary`, `get_layer` and tools that look into a model find the
    backbone's own layers. The gate stands beside that graph.

    The training loss is

        w_s * CE(standard) + w_g * lambda_1 * CE(gated)
        + w_g * lambda_3 * CE(class-specific) + the gate's sparsity penalty

    with the path weights `w_s`, `w_g` the schedule gives for the epoch. In an
    epoch with `w_g == 0` the gate stays as it is, bit for bit.

    Args:
        backbone: functional `keras.Model` from images `(batch, height, width,
            3)` to feature maps `(batch, h, w, filters)`.
        num_classes: int, at least 2.
        gated: bool. `False` gives the standard network: the same trainable
            layers, no gate.
        lambda_1: float, at least 0. Weight of the gated path's loss.
        lambda_2: float, at least 0. Weight of the sparsity penalty; see
            `CSGGate`.
        lambda_3: float, at least 0. Weight of the class-specific head's loss,
            which needs no label to choose a gate row. `0` is the paper's
            objective: there a row names its class, so the gated path's loss
            soon vanishes and leaves the filters much as they are.
        filter_dropout: float in `[0, 1)`. Share of the filters that this loss
            leaves out at random for each sample, so that the few which are
            left have to tell the class: it raises what a single filter knows.
            `None` leaves two filters a class on average, and drops 0.7 at
            most.
        density: float in `(0, 1]`. Share of the gate that may stay open;
            `None` for `1 / num_classes`.
        schedule: `"joint"`, `"alternating"` or a callable from an epoch to
            `keras_csg.models.schedules.PathWeights`.
        batch_statistics: what training does to batch normalization.
            `"fitted"`: the moving statistics are averages over the last ninth
            of the steps so far, or fewer where the layer says so, and `fit`
            measures them again at its end. `"running"`: Keras's averages, at
            the momentum of the layers. `"frozen"`, for fine-tuning: layers
            normalize by the statistics they have, and only their scales and
            offsets train.
        class_names: list of str, one for each class, in the order of the
            logits; kept with the model. `None` for no names.
        **kwargs: `name` and `trainable`, as for any `keras.Model`.

    Call arguments:
        images: Tensor of shape `(batch, height, width, 3)`.
        labels: Optional. With labels (see `CSGGate`) the gated path's logits
            come out.

    Returns:
        Logits of shape `(batch, classes)`, float32.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194)
    """

    def __init__(
        self,
        backbone: keras.Model,
        num_classes: int,
        *,
        gated: bool = True,
        lambda_1: float = 1.0,
        lambda_2: float | None = None,
        lambda_3: float = 1.0,
        filter_dropout: float | None = None,
        density: float | None = None,
        schedule: Any = "joint",
        batch_statistics: str = "fitted",
        class_names: Sequence[str] | None = None,
        **kwargs: Any,
    ):
        filters = backbone.output_shape[-1]
        if filter_dropout is None:
            spare = 1 - 2 * num_classes / filters
            filter_dropout = min(max(spare, 0.0), MOST_DROPPED)
        _check_arguments(
            num_classes, lambda_1, lambda_3, filter_dropout, class_names
        )
        dtype = kwargs.pop("dtype", None)
        backbone = fuse_batch_normalization(backbone)
        pooling, head = (
            pooling_layer(backbone),
            head_layer(backbone, num_classes),
        )
        super().__init__(
            inputs=backbone.input,
            outputs=head(pooling(backbone.output)),
            **kwargs,
        )
        if dtype is not None:  # In a config; a functional model has no other.
            self.dtype_policy = dtype
        self.backbone = backbone
        self.pooling = pooling
        self.head = head
        self.num_classes = num_classes
        self.gated = gated
        self.lambda_1 = lambda_1
        self.lambda_2 = lambda_2
        self.lambda_3 = lambda_3
        self.filter_dropout = filter_dropout
        self.density = density
        self.schedule = get_schedule(schedule)
        self.class_names = None if class_names is None else list(class_names)
        self.dropout = dropout_layer(filter_dropout)
        self.batch_statistics = batch_statistics
        self.gate: Any = None
        if gated:
            self._add_gated_path(filters)

    def _add_gated_path(self, filters):
        self.gate = CSGGate(
            self.num_classes,
            self.density,
            self.lambda_2,
            dtype="float32",
            name="gate",
        )
        self.gate.build((None, filters))
        self.lambda_2 = self.gate.lambda_2
        self.track_paths()

    @property
    def filters(self) -> int:
        """Number of filters the gate and the head see."""
        return self.backbone.output_shape[-1]

    def call(self, images, labels=None, training=None):
        """Returns the logits of the standard or, with labels, gated path."""
        if isinstance(images, list) and len(images) == 1:
            (images,) = images  # As tools do that know of many inputs.
        if labels is None:
            return super().call(images, training=training)
        features = self.features(images, training=training)
        return self.head(self.require_gate()(features, labels))

    def compute_output_spec(self, images, labels=None, training=None):
        """Returns shape and dtype of the logits, the same on either path."""
        return keras.KerasTensor(
            (images.shape[0], self.num_classes), self.head.compute_dtype
        )

    def features(self, images, training=None):
        """Returns the average of each filter's map, `(batch, filters)`."""
        return self.pooling(self.backbone(images, training=training))

    def class_specific_logits(self, features):
        """Returns each class's logit over its own filters alone.

        `(W * G) a + b`: no label enters, so what it gets right is not a leak.

        Args:
            features: Tensor of shape `(batch, filters)`.

        Returns:
            Logits of shape `(batch, classes)`.

        Raises:
            ValueError: if the model has no gate.
        """
        kernel = class_specific_kernel(self)
        return sum_own_filters(features, kernel, self.head.bias)

    def export(
        self,
        filepath,
        format=None,
        verbose=None,
        input_signature=None,
        **kwargs,
    ):
        """Exports the classifier, as `keras_csg.export` does.

        So the file answers and explains, and is proven beside this model.

        Args:
            filepath: str or path.
            format: `"saved_model"` (or `"tf_saved_model"`), `"onnx"` or
                `"litert"`; `None` goes by the suffix.
            verbose: not used.
            input_signature: must be `None`: a file takes images as the model.
            **kwargs: other arguments of `keras_csg.export`.

        Returns:
            dict, the proof.

        Raises:
            ValueError: if `input_signature` is given, and what
                `keras_csg.export` raises.
        """
        import keras_csg  # Its public face: exporting stands on this module.

        if input_signature is not None:
            raise ValueError(
                "`input_signature` must be None; `input_dtype` chooses what "
                "images a file takes. "
                f"Received: input_signature={input_signature}"
            )
        if format == "tf_saved_model":
            format = "saved_model"
        return keras_csg.export(self, filepath, format, **kwargs)

    def get_config(self):
        """Returns the constructor's arguments, the backbone serialised."""
        names = (
            "num_classes",
            "gated",
            "lambda_1",
            "lambda_2",
            "lambda_3",
            "filter_dropout",
            "density",
            "batch_statistics",
            "class_names",
        )
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in names},
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "schedule": keras.saving.serialize_keras_object(self.schedule),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Builds the model that `get_config` described."""
        config = dict(config)
        config["backbone"] = keras.saving.deserialize_keras_object(
            config["backbone"], custom_objects=custom_objects
        )
        return cls(**config)

    def require_gate(self) -> CSGGate:
        """Returns the gate.

        Raises:
            ValueError: if the model has none.
        """
        if self.gate is None:
            raise ValueError(
                "The model has no gate: it was built with `gated=False`."
            )
        return self.gate


def _check_arguments(
    num_classes, lambda_1, lambda_3, filter_dropout, class_names
):
    for name, value in {"lambda_1": lambda_1, "lambda_3": lambda_3}.items():
        if not value >= 0:
            raise ValueError(
                f"`{name}` must be at least 0. Received: {name}={value}"
            )
    if num_classes < 2:
        raise ValueError(
            "`num_classes` must be at least 2. "
            f"Received: num_classes={num_classes}"
        )
    if not 0 <= filter_dropout < 1:
        raise ValueError(
            "`filter_dropout` must be at least 0 and below 1. "
            f"Received: filter_dropout={filter_dropout}"
        )
    if class_names is not None and len(class_names) != num_classes:
        raise ValueError(
            f"`class_names` must have {num_classes} names. "
            f"Received: {len(class_names)} names"
        )
