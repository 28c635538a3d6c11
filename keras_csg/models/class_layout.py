"""Which variables of a classifier grow with the classes, for many devices."""

import keras

BY_CLASS = {
    r"(.*/)?head/kernel": (None, True),
    r"(.*/)?head/bias": (True,),
    r"(.*/)?gate/gate_matrix": (True, None),
    r"(.*/)?gate_budget/scores": (True, None),
}
"""Paths of variables, and of each axis whether it is that of the classes."""


def class_layout(
    device_mesh: keras.distribution.DeviceMesh, axis: str = "model"
) -> keras.distribution.LayoutMap:
    """Returns a layout that shares out the classes among devices, on JAX.

    For so many classes and filters that gate and head do not fit one device.
    The backbone is on all of them.

    Args:
        device_mesh: `keras.distribution.DeviceMesh` with two axes.
        axis: str. The axis of it that the classes are shared along; their
            number must divide by its length.

    Raises:
        ValueError: if the mesh has no such axis.

    Example:
    ```python
    devices = keras.distribution.list_devices()
    mesh = keras.distribution.DeviceMesh((2, 4), ["batch", "model"], devices)
    layout = keras_csg.class_layout(mesh)
    with keras.distribution.ModelParallel(layout_map=layout).scope():
        model = keras_csg.build("resnet50", num_classes=10_000)
        model.compile("adam")
        model.fit(images, labels)
    ```
    """
    if axis not in device_mesh.axis_names:
        raise ValueError(
            f"`axis` must be one of {', '.join(device_mesh.axis_names)}. "
            f"Received: axis={axis!r}"
        )
    layout = keras.distribution.LayoutMap(device_mesh)
    for path, axes in BY_CLASS.items():
        layout[path] = tuple(axis if own else None for own in axes)
    return layout
