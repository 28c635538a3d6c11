"""Exported files whose own metadata say what is not so."""

import dataclasses

from keras_csg.deployment.formats.registry import get_format
from keras_csg.deployment.metadata import Metadata
from tests.deployment.trained import trained_classifier, write_as


def write_lie(monkeypatch, format, path, change):
    """Writes a file with a lie in it; returns its path.

    Args:
        format: str. Name of a format.
        change: callable from the true `Metadata` to a dict of other fields.
    """
    whole = Metadata.sealed
    monkeypatch.setattr(
        Metadata,
        "sealed",
        lambda self, digest: whole(
            dataclasses.replace(self, **change(self)), digest
        ),
    )
    return write_as(get_format(format), trained_classifier(), path)
