"""How much a file may unpack to, and how its numbers are told."""

import os

VARIABLE = "KERAS_CSG_MAX_BYTES"
"""Environment variable: bytes that all of one file may unpack to."""
MOST_BYTES = 4 * 2**30
"""If nobody says."""
MOST_TEXT = 64 * 2**20
"""Bytes of a description in JSON."""
MOST_VALUES = 1_000_000
"""Values of a description in JSON: each takes up to a hundred bytes."""
SHARE_OF_IMAGE = 8
"""An image may take this part of what a file may unpack to."""
UNITS = ("KiB", "MiB", "GiB", "TiB")
ALWAYS = 64 * 2**20
"""Bytes that a file may unpack to, however small it is."""
EXPANSION = 10
"""How many times its size a file may unpack to: weights hardly shrink."""


def most_bytes() -> int:
    """Returns how many bytes all of one file may unpack to.

    Raises:
        ValueError: if the environment says what is no whole number above 0.
    """
    value = os.environ.get(VARIABLE, "")
    if not value:
        return MOST_BYTES
    if not (value.isascii() and value.isdigit() and int(value[:20])):
        raise ValueError(
            f"{VARIABLE} must be a whole number of bytes above 0. "
            f"Received: {VARIABLE}={value[:100]!r}"
        )
    return int(value[:20])


def most_image_bytes() -> int:
    """Returns how many bytes the pixels of an image may take, in float32."""
    return most_bytes() // SHARE_OF_IMAGE


def check_bytes(what: str, declared: int, size: int | None = None) -> None:
    """Refuses what unpacks to more than it may, before it is unpacked.

    Args:
        what: str. What declares it, for the message.
        declared: int. Bytes that it unpacks to.
        size: int. Bytes of the file, which holds it unpacked or nearly so;
            `None` where there is nothing to compare with.

    Raises:
        ValueError: naming both.
    """
    most = most_bytes()
    if declared > most:
        raise ValueError(
            f"{what} unpacks to {shown_bytes(declared)}, and at most "
            f"{shown_bytes(most)} are unpacked ({VARIABLE})"
        )
    if size is not None and declared > max(ALWAYS, EXPANSION * size):
        raise ValueError(
            f"{what} unpacks to {shown_bytes(declared)}, and the file has "
            f"{shown_bytes(size)}: no weights shrink so"
        )


def shown_bytes(count: int) -> str:
    """Returns a number of bytes in words."""
    if count > 10**18:
        return "more than a million TiB"
    if count < 1024:
        return f"{count} bytes"
    power = min((count.bit_length() - 1) // 10, len(UNITS))
    return f"{count / 1024**power:.1f} {UNITS[power - 1]}"
