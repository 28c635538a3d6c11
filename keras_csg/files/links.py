"""Folders of others, whose links may lead anywhere."""

import os
import pathlib


def check_links(folder: str | os.PathLike) -> None:
    """Refuses a folder in which a link leads out of it.

    What is read or written in a folder by the names that files have in it
    would else be somewhere else. The folder itself may be a link: whoever
    names it chose where it leads. Where there is no folder all is well.

    Args:
        folder: path.

    Raises:
        ValueError: naming the link.
    """
    root = os.fspath(folder)
    inside = os.path.realpath(root)
    for place, folders, files in os.walk(root):
        for name in sorted(folders + files):
            path = os.path.join(place, name)
            if _is_link(path) and not leads_into(path, inside):
                raise ValueError(
                    f"{path} is a link that leads out of {root}: "
                    "put what it leads to in its place, or remove it."
                )


def leads_into(path: str | os.PathLike, folder: str | os.PathLike) -> bool:
    """Tells whether a path, its links followed, lies within a folder.

    Args:
        path: path.
        folder: path, whose links are followed as well.
    """
    target = pathlib.Path(os.path.realpath(path))
    return target.is_relative_to(os.path.realpath(folder))


def _is_link(path):
    junction = getattr(os.path, "isjunction", None)  # Windows, Python 3.12.
    return os.path.islink(path) or (junction is not None and junction(path))
