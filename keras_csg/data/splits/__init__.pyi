from .holdout import hold_out as hold_out
from .holdout import three_ways as three_ways
from .image_split import ImageSplit as ImageSplit
from .indexed import IndexedSplit as IndexedSplit
from .indexed import cached_reader as cached_reader
from .renumbered import RenumberedSplit as RenumberedSplit
from .streamed import StreamedSplit as StreamedSplit
