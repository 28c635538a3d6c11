from keras_csg.data.annotated_images import AnnotatedImages as AnnotatedImages
from keras_csg.data.annotated_images import load_annotated as load_annotated
from keras_csg.data.classification_data import (
    ClassificationData as ClassificationData,
)
from keras_csg.data.load import list_datasets as list_datasets
from keras_csg.data.load import load_data as load_data
from keras_csg.data.splits.image_split import ImageSplit as ImageSplit
