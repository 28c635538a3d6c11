from collections.abc import Mapping, Sequence
from typing import Any, Self

import keras

from keras_csg.arguments import whole_number
from keras_csg.backbones.weights import WeightsReport
from keras_csg.layers.batch_normalization import fuse_batch_normalization
from keras_csg.layers.csg_gate import CSGGate
from keras_csg.layers.gate_budget import GateBudget
from keras_csg.models.arguments import (
    LAMBDAS,
    SAVED,
    ClassifierArguments,
    check_settings,
    checked_density,
    checked_dropout,
    checked_names,
    checked_reading,
    checked_steps,
    checked_weights,
)
from keras_csg.models.explained import Explained
from keras_csg.models.frozen_parts import freeze_parts, frozen_parts
from keras_csg.models.head import (
    ClassSpecificHead,
    dropout_layer,
    head_layer,
    pooling_layer,
)
from keras_csg.models.image_range import sole_input
from keras_csg.models.own_loops import warn_of_own_loop
from keras_csg.models.proven_export import ProvenExport
from keras_csg.models.trainer import DualPathTrainer


@keras.saving.register_keras_serializable(package="keras_csg")
class CSGClassifier(
    ClassifierArguments, Explained, ProvenExport, DualPathTrainer
):
    """Image classifier trained through a Class-Specific Gate.

    Calling it on images gives the logits of the standard path. Training also
    sends the features through `gate`, a learnable class-by-filter matrix, so
    that each filter comes to answer for one class or few. Both paths share one
    pass through the backbone, and the gate is applied to the maps' averages.

    It is a functional model over one flat graph, images to logits: `inputs`,
    `outputs`, `summary`, `get_layer` and tools that look into a model find the
    backbone's own layers. The gate stands beside that graph.

    The training loss is

        w_s CE(standard) + w_g (lambda_1 CE(gated)
        + lambda_3 CE(class-specific) + lambda_4 complement
        + lambda_5 off-class + lambda_6 off-class variance)

    with the path weights `w_s`, `w_g` the schedule gives for the epoch. In an
    epoch with `w_g == 0` the gate stays as it is, bit for bit. The gate starts
    open and closes to `density` by a budget that tightens (`GateBudget`).

    Args:
        backbone: functional `keras.Model` from images `(batch, height, width,
            3)` to feature maps `(batch, h, w, filters)`.
        num_classes: int, at least 2.
        gated: bool. `False` gives the standard network: the same trainable
            layers, no gate.
        multi_label: bool. Whether an image may have several classes, or none:
            labels of shape `(batch, classes)` in `[0, 1]`, a sigmoid for each
            class, and binary cross-entropies in the place of `CE`.
        lambda_1: float, at least 0. Weight of the gated path's loss.
        lambda_2: `None`, or float, at least 0: the paper's way to close the
            gate, a penalty of this weight on what it exceeds its `density` by
            (`GateSparsity`), and the optimizer, instead of the budget.
        lambda_3: float, at least 0. Weight of the class-specific head's loss,
            which needs no label to choose a gate row. `0` is the paper's
            objective: there a row names its class, so the gated path's loss
            soon vanishes and leaves the filters much as they are.
        filter_dropout: float in `[0, 1)`. Share of the filters that this loss
            leaves out at random for each sample, so that the few which are
            left have to tell the class: it raises what a single filter knows.
            `None` leaves two filters a class on average, and drops 0.5 at
            most.
        lambda_4: float, at least 0. Weight of the complement loss: the filters
            that are not a class's must not tell it (`ComplementLoss`).
        lambda_5: float, at least 0. Weight of the off-class activation: a
            filter is to be silent where its class is not
            (`OffClassActivation`).
        lambda_6: float, at least 0. Weight of what filters tell of classes that
            are not their own (`off_class_variance`).
        density: float in `(0, 1]`. Share of the gate that may stay open;
            `None` for `1 / num_classes`, the least, which leaves one class to
            each filter, or more where there are fewer filters than classes
            (`default_density`).
        closing_steps: int, at least 1. Gated training steps in which the gate
            closes; `None` for half of those that `fit` takes.
        backbone_rate: float, at least 0. Learning rate of the backbone, as a
            share of that of the head; for pretrained weights.
        schedule: `"joint"`, `"alternating"` or a callable from an epoch to
            `keras_csg.models.schedules.PathWeights`, which has to be saved.
        batch_statistics: what training does to batch normalization.
            `"fitted"`: the moving statistics are averages over the last ninth
            of the steps so far, or fewer where the layer says so, and `fit`
            measures them again at its end. `"running"`: Keras's averages, at
            the momentum of the layers.
        class_names: list of str, one for each class, in the order of the
            logits; kept with the model. `None` for no names.
        filter_names: dict from the number of a filter to a person's name for
            it, such as `{12: "striped flank"}`; may be set later.
        image_reading: how files become the images it was trained on, kept
            with the model for `predict` and for what is exported: arguments
            of `keras_csg.data.ImageReading` by name. `None` for its defaults.
        frozen: names of the layers that rest; see the property `frozen`.
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

    backbone_weights: WeightsReport | None = None  # What `build` loaded.

    def __init__(
        self,
        backbone: keras.Model,
        num_classes: int,
        *,
        gated: bool = True,
        multi_label: bool = False,
        lambda_1: float = 1.0,
        lambda_2: float | None = None,
        lambda_3: float = 1.0,
        lambda_4: float = 0.3,
        lambda_5: float = 1.0,
        lambda_6: float = 0.0,
        filter_dropout: float | None = None,
        density: float | None = None,
        closing_steps: int | None = None,
        backbone_rate: float = 1.0,
        schedule: Any = "joint",
        batch_statistics: str = "fitted",
        class_names: Sequence[str] | None = None,
        filter_names: Mapping[int, str] | None = None,
        image_reading: Mapping[str, Any] | None = None,
        frozen: Sequence[str] = (),
        **kwargs: Any,
    ):
        dtype = kwargs.pop("dtype", None)
        named = {key: kwargs.pop(key, None) for key in ("name", "trainable")}
        check_settings(gated, multi_label, dtype, kwargs)
        num_classes = whole_number("num_classes", num_classes, 2)
        weights = checked_weights(
            multi_label,
            lambda_1=lambda_1,
            lambda_2=lambda_2,
            lambda_3=lambda_3,
            lambda_4=lambda_4,
            lambda_5=lambda_5,
            lambda_6=lambda_6,
            backbone_rate=backbone_rate,
        )
        filters = backbone.output_shape[-1]
        density = checked_density(density, num_classes, weights["lambda_2"])
        rate = checked_dropout(filter_dropout, num_classes, filters)
        backbone = fuse_batch_normalization(backbone)
        pooling = pooling_layer(backbone)
        head = head_layer(backbone, num_classes)
        super().__init__(
            inputs=backbone.input,
            outputs=head(pooling(backbone.output)),
            **named,
        )
        if dtype is not None:  # In a config; a functional model has no other.
            self.dtype_policy = dtype
        self.backbone = backbone
        self.pooling = pooling
        self.head = head
        self.num_classes = num_classes
        self.gated = gated
        self.multi_label = multi_label
        for name, weight in weights.items():
            setattr(self, name, weight)
        self.filter_dropout = rate
        self.density = density
        self.closing_steps = checked_steps(closing_steps)
        self.schedule = schedule
        self.class_names = checked_names(class_names, num_classes)
        self.filter_names = filter_names
        self.image_reading = checked_reading(image_reading)
        self.dropout = dropout_layer(rate)
        self.batch_statistics = batch_statistics
        self.gate: Any = None
        self.gate_budget: Any = None
        if gated:
            self._add_gated_path(filters)
        self.track_paths()
        freeze_parts(self, frozen)

    def _add_gated_path(self, filters):
        self.gate = CSGGate(
            self.num_classes,
            self.density,
            self.lambda_2 or 0.0,
            dtype="float32",
            name="gate",
        )
        self.gate.build((None, filters))
        self.class_specific_head = ClassSpecificHead(self.head, self.gate)
        if self.lambda_2 is None:
            self.gate_budget = GateBudget(self.density, name="gate_budget")
            self.gate_budget.build((self.num_classes, filters))

    @property
    def frozen(self) -> list[str]:
        """What rests: `"head"`, `"gate"`, `"backbone/NAME"`."""
        return frozen_parts(self)

    def call(
        self, images: Any, labels: Any = None, training: bool | None = None
    ) -> Any:
        """Returns the logits of the standard or, with labels, gated path."""
        images = sole_input(images)  # As tools do that know of many inputs.
        warn_of_own_loop(self, training)
        if labels is None:
            return super().call(images, training=training)
        features = self.features(images, training=training)
        return self.head(self.require_gate()(features, labels))

    def compute_output_spec(
        self, images: Any, labels: Any = None, training: bool | None = None
    ) -> Any:
        """Returns shape and dtype of the logits, the same on either path."""
        return keras.KerasTensor(
            (images.shape[0], self.num_classes), self.head.compute_dtype
        )

    def features(self, images: Any, training: bool | None = None) -> Any:
        """Returns the average of each filter's map, `(batch, filters)`."""
        return self.pooling(self.backbone(images, training=training))

    def class_specific_logits(self, features: Any) -> Any:
        """Returns each class's logit over its own filters alone.

        `(W * G) a + b`: no label enters, so what it gets right is not a leak.

        Args:
            features: Tensor of shape `(batch, filters)`.

        Returns:
            Logits of shape `(batch, classes)`.

        Raises:
            ValueError: if the model has no gate.
        """
        self.require_gate()
        return self.class_specific_head(features)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, the backbone serialised."""
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in SAVED},
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "schedule": keras.saving.serialize_keras_object(self.schedule),
        }

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        custom_objects: dict[str, Any] | None = None,
    ) -> Self:
        """Builds the model that `get_config` described."""
        config = {**dict.fromkeys(LAMBDAS[3:], 0.0), **config}  # For 0.1.0.
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
