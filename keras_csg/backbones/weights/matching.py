"""Compares the layers of two files: what one needs with what the other has."""

import dataclasses

import h5py

from keras_csg.backbones.weights.stored_layers import StoredLayer, by_identity


@dataclasses.dataclass(frozen=True)
class Match:
    """Which stored layers belong together, all with arrays of like shapes.

    Args:
        pairs: list of tuples `(here, there)`.
        unused: list of the layers there that nothing here takes.
    """

    pairs: list[tuple[StoredLayer, StoredLayer]]
    unused: list[StoredLayer]

    @property
    def arrays(self) -> list[tuple[h5py.Dataset, h5py.Dataset]]:
        """Every array here with its own there."""
        return [
            (array, there.arrays[place])
            for here, there in self.pairs
            for place, array in here.arrays.items()
        ]


def match_layers(
    here: list[StoredLayer], there: list[StoredLayer], wanted: list[str]
) -> Match:
    """Finds the layers that are wanted in another file.

    Args:
        here: layers of the network as it is, in a file of its own.
        there: layers of the other file.
        wanted: names of the layers here that must be there, in order.

    Returns:
        `Match`.

    Raises:
        ValueError: if one is not there, or has arrays of other shapes.
    """
    named = all(layer.name is not None for layer in there)
    found = by_identity(there, named)
    own = {
        layer.name: (layer, found.get(key))
        for key, layer in by_identity(here, named).items()
    }
    compared = [own[name] for name in wanted if name in own]
    _check(compared)
    pairs = [(layer, other) for layer, other in compared if other is not None]
    taken = {id(other) for _, other in pairs}
    return Match(pairs, [layer for layer in there if id(layer) not in taken])


def _check(pairs):
    odd = [pair for pair in pairs if _shapes(pair[0]) != _shapes(pair[1])]
    if not odd:
        return
    total = sum(len(here.arrays) for here, _ in pairs)
    fit = sum(
        shape == _shapes(there).get(place)
        for here, there in pairs
        for place, shape in _shapes(here).items()
    )
    raise ValueError(
        f"{fit} of {total} arrays fit; the first layer that does not is "
        f"{odd[0][0].label}, {_listed(odd[0][1])} there and "
        f"{_listed(odd[0][0])} here"
    )


def _shapes(layer):
    if layer is None:
        return {}
    return {place: array.shape for place, array in layer.arrays.items()}


def _listed(layer):
    return " ".join(map(str, _shapes(layer).values())) or "nothing"
