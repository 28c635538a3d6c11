"""Cuts channels out of a backbone, back to what computes them."""

import dataclasses

import keras
import numpy as np
from keras import ops

from keras_csg.edit.graph import END, BackboneGraph, Place, Tensor
from keras_csg.edit.rules import OPERATIONS, RULES, Asked, Cut, compute
from keras_csg.explain.cloning import seeded_initializers
from keras_csg.layers import SelectChannels, fuse_batch_normalization
from keras_csg.layers.states import derive_state, take_state


@dataclasses.dataclass(frozen=True)
class CutBackbone:
    """A backbone with fewer filters.

    Attributes:
        model: functional `keras.Model`, of new layers.
        cut: list of str. Layers with weights that have fewer of them.
        selected: list of str. Layers that what they read was selected for:
            the channels before them are still computed.
    """

    model: keras.Model
    cut: list[str]
    selected: list[str]

    @property
    def is_smaller(self) -> bool:
        """Whether anything that computes channels lost some."""
        return bool(self.cut)


def cut_backbone(backbone: keras.Model, kept: np.ndarray) -> CutBackbone:
    """Returns a copy of a backbone that gives some of its filters alone.

    Each layer from the last back to the convolutions that compute a filter
    loses what belongs to it. Where something else reads a channel as well, or
    a layer cannot be cut, such as layer normalization, which reads all
    channels for each, a `SelectChannels` stands there instead.

    Args:
        backbone: functional `keras.Model` with one output of shape
            `(batch, height, width, filters)`.
        kept: int array, the filters that stay, ascending.

    Returns:
        `CutBackbone`. Its maps are the backbone's, of the filters that stay.
    """
    plan = _Plan(BackboneGraph(backbone))
    if len(kept) < backbone.output_shape[-1]:
        plan.ask(END, plan.graph.end.tensor, kept)
    plan.follow()
    selected = plan.write()
    with seeded_initializers(0):  # Their weights are replaced anyway.
        model = plan.graph.build()
    _copy_weights(plan, model)
    weighted = [
        name
        for name in plan.cuts
        if getattr(plan.graph.layers.get(name), "weights", None)
        and name in {layer.name for layer in model.layers}
    ]
    return CutBackbone(fuse_batch_normalization(model), weighted, selected)


class _Plan:
    """What is asked of each tensor, from the end of a graph to its start.

    Args:
        graph: `BackboneGraph`; `write` changes it.
    """

    def __init__(self, graph: BackboneGraph):
        self.graph = graph
        self.readers = graph.readers()
        self.asked: dict[Tensor, dict[Place, np.ndarray]] = {}
        self.cuts: dict[str, Cut] = {}
        self.selections: dict[Place, tuple[Tensor, np.ndarray]] = {}
        self.unread: list[str] = []

    def ask(self, place: Place, tensor: Tensor, kept: np.ndarray) -> None:
        """Says that a place needs some channels of a tensor alone."""
        if len(kept):
            self.asked.setdefault(tensor, {})[place] = kept
        else:  # It needs none: there it is not read any more.
            self.readers[tensor].remove(place)

    def follow(self) -> None:
        """Goes from the end to the start, and cuts what can be cut."""
        for name, call in self.graph.from_the_end():
            tensor = (name, call, 0)
            places = self.asked.get(tensor)
            if places is None:
                self._forget_unread(name, call)
                continue
            cut = self._cut_of(name, tensor, places)
            if cut is None:
                self._select(tensor, places)
                continue
            self.cuts[name] = cut
            reads = self.graph.reads[name, 0]
            for read, kept in zip(reads, cut.inputs, strict=True):
                if kept is not None and len(kept) != read.shape[-1]:
                    self.ask(read.place, read.tensor, kept)

    def _forget_unread(self, name, call):
        """Takes out a layer that nobody reads any more."""
        outputs = [t for t in self.readers if t[:2] == (name, call)]
        once = self.graph.calls[name] == 1
        if not once or any(self.readers[tensor] for tensor in outputs):
            return
        for read in self.graph.reads[name, 0]:
            self.readers[read.tensor].remove(read.place)
        self.unread.append(name)

    def _select(self, tensor, places):
        for place, kept in places.items():
            self.selections[place] = (tensor, kept)

    def _cut_of(self, name, tensor, places):
        """Returns how a layer is cut, `None` where it cannot be."""
        first, *others = places.values()
        alike = all(np.array_equal(first, other) for other in others)
        all_ask = set(places) == set(self.readers[tensor])
        if not (alike and all_ask) or self.graph.calls[name] != 1:
            return None
        layer = self.graph.layers.get(name)
        shapes = [read.shape for read in self.graph.reads[name, 0]]
        question = Asked(layer, first, shapes, self.graph.shape_of(tensor))
        if layer is not None:
            rule = RULES.get(type(layer))
            return None if rule is None else rule(question)
        entry = self.graph.entries[name]
        if entry["class_name"] not in OPERATIONS:
            return None
        return compute(question, [*self.graph.constants(name)])

    def write(self) -> list[str]:
        """Writes it into the graph; returns where channels are selected."""
        self.graph.remove(self.unread)
        for name, cut in self.cuts.items():
            self.graph.configure(name, cut.changes)
            empty = {
                number
                for number, kept in enumerate(cut.inputs)
                if kept is not None and not len(kept)
            }
            if empty:
                self.graph.drop(name, empty)
        behind: dict[tuple, Tensor] = {}
        for place, (tensor, kept) in self.selections.items():
            key = (tensor, kept.tobytes())
            if key not in behind:
                name = self.graph.free_name(f"{tensor[0]}_select")
                layer = SelectChannels(kept.tolist(), name=name)
                behind[key] = self.graph.insert(layer, tensor)
            self.graph.read_instead(place, behind[key])
        return [name for name, _, _ in behind.values()]


def _copy_weights(plan, model):
    layers = {layer.name: layer for layer in model.layers}
    for name, old in plan.graph.layers.items():
        if name not in layers:
            _require_unread(plan, old)
            continue
        cut = plan.cuts.get(name)
        if cut is None or not old.weights:
            take_state(layers[name], old)
            continue
        arrays = [ops.convert_to_numpy(weight) for weight in old.weights]
        layers[name].set_weights(cut.weights(arrays))
        derive_state(layers[name])


def _require_unread(plan, layer):
    """Raises if a layer is needed, and the copy of it has another name."""
    if layer.weights and layer.name not in plan.unread:
        raise ValueError(
            f"The layer {layer.name!r} cannot be copied: its class must hand "
            "`name` on to `keras.layers.Layer`. Received: a layer of class "
            f"{type(layer).__name__}"
        )
