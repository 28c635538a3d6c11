"""The kinds of data that there are: importing this registers the package's."""

from keras_csg.data.sources.digits import DigitsSource as DigitsSource
from keras_csg.data.sources.folder import FolderSource as FolderSource
from keras_csg.data.sources.hugging_face import (
    HuggingFaceSource as HuggingFaceSource,
)
from keras_csg.data.sources.registry import find_source as find_source
from keras_csg.data.sources.registry import list_datasets as list_datasets
from keras_csg.data.sources.registry import moved_name as moved_name
from keras_csg.data.sources.registry import register_source as register_source
from keras_csg.data.sources.remote import RemoteSource as RemoteSource
from keras_csg.data.sources.shapes import ShapesSource as ShapesSource
from keras_csg.data.sources.tfds import TfdsSource as TfdsSource
