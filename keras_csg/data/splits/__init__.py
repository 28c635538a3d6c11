from keras_csg.data.splits.holdout import hold_out as hold_out
from keras_csg.data.splits.holdout import three_ways as three_ways
from keras_csg.data.splits.image_split import ImageSplit as ImageSplit
from keras_csg.data.splits.indexed import IndexedSplit as IndexedSplit
from keras_csg.data.splits.indexed import cached_reader as cached_reader
from keras_csg.data.splits.streamed import StreamedSplit as StreamedSplit
