import pathlib

# What a folder of one version holds, in Triton's and TensorFlow Serving's way.
_IN_VERSION = ("model.onnx", "model.savedmodel", "")


def find_model(folder):
    """Finds the exported model in a folder.

    Args:
        folder: path of a SavedModel, or of a model's folder in the repository
            of a server, of which the newest version counts.

    Returns:
        `pathlib.Path` that `open_exported` takes, or `None` if there is none.
    """
    folder = pathlib.Path(folder)
    if _is_model(folder):
        return folder
    versions = [path for path in folder.glob("[0-9]*") if path.name.isdecimal()]
    for version in sorted(versions, key=lambda path: -int(path.name)):
        for name in _IN_VERSION:
            if _is_model(version / name):
                return version / name
    return None


def _is_model(path):
    return path.is_file() or (path / "saved_model.pb").is_file()
