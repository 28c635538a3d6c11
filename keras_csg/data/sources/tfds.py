import os

from keras_csg.data.annotated_images import AnnotatedImages
from keras_csg.data.image_sizes import DEFAULT_SIZE
from keras_csg.data.sources.base import (
    ClassificationData,
    Source,
)
from keras_csg.data.sources.class_choice import new_names
from keras_csg.data.sources.registry import register_source
from keras_csg.files import at_home


@register_source()
class TfdsSource(Source):
    """A set of TensorFlow Datasets.

    That package takes a second to import, so whatever needs it is imported
    when such a set is looked up.
    """

    takes = ("splits", "labels")

    @classmethod
    def means(cls, name: str, data_dir: str | None) -> bool:
        """Whether the package has the set, or it lies prepared in its folder.

        A folder that is called like a set is a folder.
        """
        if at_home(name).is_dir():
            return False
        from keras_csg.data.sources.tfds_builder import is_known, is_prepared

        return is_known(name) or is_prepared(name, data_dir)

    def load(self) -> ClassificationData:
        """Loads the three splits, once the set is downloaded."""
        from keras_csg.data.sources.tfds_splits import load_tfds

        return load_tfds(self)

    def find_annotated(
        self,
        data: ClassificationData,
        part: str,
        masks: str | os.PathLike | None,
        limit: int | None,
    ) -> AnnotatedImages | None:
        """Returns the first annotated images; see `load_annotated_tfds`."""
        return self._find(data.class_names, data.image_shape[:2], part, limit)

    def annotate_classes(
        self,
        class_names: list[str] | None,
        *,
        part: str = "object",
        masks: str | os.PathLike | None = None,
        limit: int | None = None,
    ) -> AnnotatedImages:
        """Returns annotated images, even of a set without a class label."""
        self.check_masks(masks)
        size = self.request.image_size or DEFAULT_SIZE
        found = self._find(class_names, size, part, limit)
        if found is not None:
            return found
        return super().annotate_classes(class_names, part=part, limit=limit)

    def _find(self, class_names, size, part, limit):
        from keras_csg.data.sources.tfds_annotations import load_annotated_tfds

        return load_annotated_tfds(
            self.request.name,
            class_names,
            size,
            data_dir=self.request.data_dir,
            reading=self.request.reading,
            part=part,
            limit=limit,
            new_names=lambda names: new_names(names, self.request),
        )
