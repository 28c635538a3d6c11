"""The networks of `bench_forgetting.py`, as arrays of features."""

import numpy as np


class Network:
    """A run as arrays: its features on three splits, kept in `folder`."""

    def __init__(self, path, folder, data, count_of=None):
        from keras_csg.evaluation import FeatureExtractor, head_of
        from keras_csg.training import open_run

        self.model = open_run(path).load_model()
        self.head = head_of(self.model)
        self.names = self.model.class_names
        self.count_of = count_of
        cache = folder / f"features-{str(path).replace('/', '-')}.npz"
        extract = FeatureExtractor(self.model)
        if not cache.exists():
            arrays = {}
            for name in ("train", "validation", "test"):
                found = extract(getattr(data, name).batches(256))
                arrays |= {name: found.features, f"{name}_labels": found.labels}
            np.savez(cache, **arrays)
        with np.load(cache) as arrays:
            self.arrays = dict(arrays)
        self._filters = {}

    def split(self, name):
        """Returns features and labels of a split."""
        return self.arrays[name], self.arrays[f"{name}_labels"]

    def of_class(self, name, label):
        """Returns the features of a class's images in a split."""
        features, labels = self.split(name)
        return features[labels == label]

    def filters_of(self, label):
        """Returns what is removed for a class: its own, or the telling."""
        if label not in self._filters:
            self._filters[label] = self._find_filters(label)
        return self._filters[label]

    def _find_filters(self, label):
        from keras_csg.edit.choosing import filters_of, gate_of
        from keras_csg.evaluation.telling_filters import telling_filters

        if self.model.gated:
            return filters_of(gate_of(self.model), [label])[0]
        return telling_filters(
            *self.split("validation"),
            [label],
            self.count_of(label),
            num_classes=len(self.names),
        )

    def without(self, label):
        """Returns a smaller network without a class."""
        from keras_csg import edit

        if self.model.gated:
            return edit.remove_class(self.model, label)
        smaller = edit.remove_filters(self.model, self.filters_of(label))
        return edit.remove_class(smaller, label)
