"""Whether images are in 0..255, as a network takes that scales them itself."""

import numpy as np

LEAST_PEAK = 64
"""Of a set of pictures with broken numbers; below they were divided."""
SLACK = 1.0
"""Grey levels by which resizing and rounding may leave 0..255."""


class PixelLevels:
    """What values images have, seen in parts: a few alone may be dark.

    Args:
        name: str. What the argument is called.
    """

    def __init__(self, name: str):
        self._name = name
        self._least, self._most = np.inf, -np.inf
        self._parts = False

    def see(self, images: np.ndarray) -> None:
        """Takes note of images.

        Args:
            images: array of finite numbers, none of them empty.
        """
        self._least = min(self._least, float(images.min()))
        self._most = max(self._most, float(images.max()))
        self._parts = self._parts or _has_parts(images)

    @property
    def seen(self) -> bool:
        """Whether there were any."""
        return self._most > -np.inf

    def check_range(self) -> None:
        """Refuses images that are not in 0..255.

        Raises:
            ValueError: naming the argument and the range that was found.
        """
        if self._least < -SLACK or self._most > 255 + SLACK:
            raise ValueError(
                f"`{self._name}` must be RGB in 0..255. {self._found}"
            )

    @property
    def _found(self):
        return f"Received: {self._name} in {self._least:.3g}..{self._most:.3g}"

    def check(self) -> None:
        """Refuses images that are not in 0..255, or were divided.

        Raises:
            ValueError: naming the argument and the range that was found.
        """
        self.check_range()
        most = self._most
        if 0 < most <= 1 or (1 < most <= LEAST_PEAK and self._parts):
            raise ValueError(
                f"`{self._name}` must be RGB in 0..255, as before they were "
                "scaled: the network scales them itself. Pictures as dark are "
                f"taken as whole numbers. {self._found}"
            )


def _has_parts(images):
    """Whether some values are no whole numbers, as after a division."""
    return images.dtype.kind == "f" and bool((images != np.rint(images)).any())
