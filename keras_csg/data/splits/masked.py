from keras_csg.data.splits.indexed import IndexedSplit


class MaskedSplit(IndexedSplit):
    """A split in memory that knows which pixels show the object.

    Args:
        *args: those of `IndexedSplit`, as far as `image_shape`.
        masks: bool array of shape `(images, height, width)`, in the order of
            `batches`.
    """

    def __init__(self, *args, masks):
        super().__init__(*args, cached=True)
        self.masks = masks
