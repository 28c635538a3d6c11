"""The layers in a file of weights, as Keras writes it."""

import dataclasses
import re

import h5py


@dataclasses.dataclass(frozen=True)
class StoredLayer:
    """The arrays of one layer in a file.

    Args:
        place: str. The layer's group, such as `"layers/conv2d_3"`: its class,
            numbered in the order of the model's layers.
        name: str or None. The layer's own name, which older versions of Keras
            did not write.
        arrays: dict of `h5py.Dataset` by their place in the group.
    """

    place: str
    name: str | None
    arrays: dict[str, h5py.Dataset]

    @property
    def label(self) -> str:
        """What to call the layer in a message."""
        return self.name or self.place.rpartition("/")[2]


def read_layers(file: h5py.File) -> list[StoredLayer]:
    """Returns the layers with arrays in an open file, gate and head too.

    Models inside a model are looked into. Links to other places and files are
    not followed, nor are arrays taken that lie in other files.
    """
    layers = [*_layers_within(file)]
    besides = (name for name in file if name not in ("layers", "vars"))
    layers += [_read_layer(file, name) for name in besides if _is(file, name)]
    return [layer for layer in layers if layer.arrays]


def by_identity(
    layers: list[StoredLayer], named: bool
) -> dict[tuple, StoredLayer]:
    """Returns layers by what two files of one network have in common.

    The name, where somebody gave one. Names that Keras makes (`conv2d_57`)
    count the layers of a process: there, class and number, counted from the
    first.

    Args:
        layers: list of `StoredLayer`.
        named: bool. Without names it is the place in the file, by which Keras
            itself goes.
    """
    if not named:
        return {(layer.place,): layer for layer in layers}
    first: dict[str, int] = {}
    for kind, number in filter(None, map(_numbered, layers)):
        first[kind] = min(number, first.get(kind, number))
    found: dict[tuple, StoredLayer] = {}
    for layer in layers:
        made = _numbered(layer)
        key = (made[0], made[1] - first[made[0]]) if made else (layer.name,)
        found.setdefault(key, layer)
    return found


def _numbered(layer):
    """Returns class and number of a layer named by Keras, `None` for others."""
    kind = re.sub(r"_\d+$", "", layer.place.rpartition("/")[2])
    name, _, number = layer.name.rpartition("_")
    if not number.isdecimal():
        name, number = layer.name, "0"
    # A subclass that stands for another may have kept a name of that one.
    if kind == name or kind.endswith(f"_{name}"):
        return name, int(number)
    return None


def _layers_within(group):
    if not _is(group, "layers"):
        return
    for name in group["layers"]:
        if _is(group["layers"], name):
            layer = group["layers"][name]
            if _is(layer, "layers"):
                yield from _layers_within(layer)
            else:
                yield _read_layer(group["layers"], name)


def _read_layer(parent, name):
    group = parent[name]
    own = group["vars"].attrs.get("name") if _is(group, "vars") else None
    return StoredLayer(
        group.name.strip("/"),
        str(own) if own is not None else None,
        dict(_arrays_within(group)),
    )


def _arrays_within(group, prefix=""):
    for name in group:
        if _is(group, name):
            yield from _arrays_within(group[name], f"{prefix}{name}/")
        elif _is(group, name, h5py.Dataset) and _is_plain(group[name]):
            yield prefix + name, group[name]


def _is(group, name, kind=h5py.Group):
    """Whether a name leads to a group, or other kind, of this very file."""
    return (
        group.get(name, getclass=True) is kind
        and group.get(name, getclass=True, getlink=True) is h5py.HardLink
    )


def _is_plain(array):
    numbers = array.dtype.kind in "fiu"
    return numbers and not (array.external or array.is_virtual)
