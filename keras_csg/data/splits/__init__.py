from keras_csg.data.splits.image_split import ImageSplit as ImageSplit
from keras_csg.data.splits.indexed import IndexedSplit as IndexedSplit
from keras_csg.data.splits.streamed import StreamedSplit as StreamedSplit
