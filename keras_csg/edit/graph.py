"""The graph of a backbone as Keras writes it into files, to be changed there.

The form in which a `.keras` file holds a functional model: what can be saved
can be edited, whichever layers it has, and layers that are called several
times are no case of their own.
"""

import dataclasses
import graphlib
import inspect
from collections.abc import Collection, Iterator
from typing import Any

import keras

TENSOR = "__keras_tensor__"
END = ("", 0, 0)
"""Stands for the place at which the model's output is read."""

Tensor = tuple[str, int, int]
"""Name of the layer that gives it, number of its call, number of the output."""
Place = tuple[str, int, int]
"""Name of the layer that reads, number of its call, number of the input."""


@dataclasses.dataclass(frozen=True)
class Read:
    """A tensor where a layer reads it.

    Attributes:
        place: where, see `Place`.
        tensor: which, see `Tensor`.
        shape: tuple of ints and `None`.
    """

    place: Place
    tensor: Tensor
    shape: tuple[int | None, ...]


class BackboneGraph:
    """The layers of a functional model, and what each of them reads.

    Args:
        model: functional `keras.Model` with one input and one output.
    """

    def __init__(self, model: keras.Model):
        # Plain, whatever class of its own the model is.
        (images,), (maps,) = model.inputs, model.outputs
        plain = keras.Model(images, maps, name=model.name)
        self.layers = {layer.name: layer for layer in plain.layers}
        self.serialized: dict[str, Any] = keras.saving.serialize_keras_object(
            plain
        )
        self.serialized.pop("compile_config", None)
        self.serialized.pop("build_config", None)
        self.entries = {entry["name"]: entry for entry in self._entries}
        for name, layer in self.layers.items():
            if _takes_name(layer):
                self.entries[name]["config"].setdefault("name", name)
        self.calls = {
            name: len(entry["inbound_nodes"])
            for name, entry in self.entries.items()
        }
        self._places: dict[Place, dict] = {}
        self.reads: dict[tuple[str, int], list[Read]] = {}
        for name, entry in self.entries.items():
            for call, node in enumerate(entry["inbound_nodes"]):
                self.reads[name, call] = self._reads_of(name, call, node)
        name, call, number = _as_tensor(self._output)
        # Keras counts calls of a model from 1 there, and from 0 elsewhere.
        call -= _is_functional(self.layers.get(name))
        self.end = Read(END, (name, call, number), tuple(model.output_shape))

    @property
    def _entries(self) -> list[dict]:
        return self.serialized["config"]["layers"]

    @property
    def _output(self):
        output = self.serialized["config"]["output_layers"]
        return output[0] if isinstance(output[0], list | tuple) else output

    def _reads_of(self, name, call, node):
        found = []
        for number, tensor in enumerate(_tensors_in(node)):
            place = (name, call, number)
            self._places[place] = tensor
            config = tensor["config"]
            history = _as_tensor(config["keras_history"])
            shape = tuple(_plain(config["shape"]))
            found.append(Read(place, history, shape))
        return found

    def readers(self) -> dict[Tensor, list[Place]]:
        """Returns where each tensor is read, the model's output as well."""
        found: dict[Tensor, list[Place]] = {self.end.tensor: [END]}
        for reads in self.reads.values():
            for read in reads:
                found.setdefault(read.tensor, []).append(read.place)
        return found

    def from_the_end(self) -> list[tuple[str, int]]:
        """Returns all calls, names and numbers; who reads is before whom."""
        before = {
            call: {read.tensor[:2] for read in reads}
            for call, reads in self.reads.items()
        }
        return [*graphlib.TopologicalSorter(before).static_order()][::-1]

    def constants(self, name: str) -> Iterator[Any]:
        """Yields what a layer's call takes beside tensors."""
        for node in self.entries[name]["inbound_nodes"]:
            yield from _constants_in(_plain(node["args"]))

    def shape_of(self, tensor: Tensor) -> tuple[int | None, ...]:
        """Returns the shape of a tensor that is read anywhere."""
        every = (read for reads in self.reads.values() for read in reads)
        found = (read for read in (self.end, *every) if read.tensor == tensor)
        return next(found).shape

    def insert(self, layer: keras.layers.Layer, tensor: Tensor) -> Tensor:
        """Puts a layer of one input behind a tensor; returns its output."""
        entry = keras.saving.serialize_keras_object(layer)
        entry.pop("build_config", None)
        read = {
            "shape": [*self.shape_of(tensor)],
            "dtype": layer.compute_dtype,  # Keras asks for one and looks it up.
            "keras_history": [*tensor],
        }
        node = {"class_name": TENSOR, "config": read}
        entry |= {
            "name": layer.name,
            "inbound_nodes": [{"args": [node], "kwargs": {}}],
        }
        self._entries.append(entry)
        self.entries[layer.name] = entry
        return (layer.name, 0, 0)

    def read_instead(self, place: Place, tensor: Tensor) -> None:
        """Lets another tensor be read at a place."""
        if place == END:
            self.serialized["config"]["output_layers"] = [*tensor]
        else:
            config = self._places[place]["config"]
            config["keras_history"] = [*tensor]

    def drop(self, name: str, numbers: set[int]) -> None:
        """Takes inputs from a layer that reads a list of them."""
        (node,) = self.entries[name]["inbound_nodes"]
        gone = [id(self._places[name, 0, number]) for number in numbers]
        _remove_from_lists(node["args"], gone)

    def remove(self, names: Collection[str]) -> None:
        """Takes out layers that nothing reads."""
        self._entries[:] = [e for e in self._entries if e["name"] not in names]

    def configure(self, name: str, changes: dict[str, Any]) -> None:
        """Changes a layer's arguments; what it was built for is forgotten."""
        entry = self.entries[name]
        entry.pop("build_config", None)
        entry["config"].update(changes)

    def build(self) -> keras.Model:
        """Returns the model, of new layers with weights of their own."""
        return keras.saving.deserialize_keras_object(self.serialized)

    def free_name(self, name: str) -> str:
        """Returns a name that no layer has."""
        return name if name not in self.entries else self.free_name(f"{name}_")


def _is_functional(layer):
    """Whether a layer is a functional model within the model."""
    model = isinstance(layer, keras.Model)
    sequential = isinstance(layer, keras.Sequential)
    return model and not sequential and bool(getattr(layer, "outputs", None))


def _takes_name(layer):
    """Whether a name can be given to the layer's class.

    The configuration of one without a `get_config` of its own does not tell
    it, and layers are found by their names.
    """
    parameters = inspect.signature(type(layer)).parameters.values()
    return any(p.name == "name" or p.kind == p.VAR_KEYWORD for p in parameters)


def _as_tensor(history) -> Tensor:
    name, call, number = _plain(history)
    return str(name), int(call), int(number)


def _plain(value):
    """Returns a list for a tuple as Keras writes it."""
    tuple_of_keras = isinstance(value, dict) and (
        value.get("class_name") == "__tuple__"
    )
    return value["items"] if tuple_of_keras else value


def _tensors_in(value) -> Iterator[dict]:
    if isinstance(value, dict):
        if value.get("class_name") == TENSOR:
            yield value
            return
        value = [*value.values()]
    if isinstance(value, list | tuple):
        for item in value:
            yield from _tensors_in(item)


def _constants_in(value):
    value = _plain(value)
    if isinstance(value, list | tuple):
        for item in value:
            yield from _constants_in(item)
    elif not (isinstance(value, dict) and value.get("class_name") == TENSOR):
        yield value


def _remove_from_lists(value, gone):
    value = _plain(value)
    if isinstance(value, list):
        value[:] = [item for item in value if id(item) not in gone]
    if isinstance(value, list | tuple):
        for item in value:
            _remove_from_lists(item, gone)
