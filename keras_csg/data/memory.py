"""What fits in memory, asked before it is taken."""

import os
from pathlib import Path

from keras_csg.choices import MOST_PIXELS

GIB = 2**30


def check_image_size(size: tuple[int, int]) -> None:
    """Refuses a size of which not even one image can be had.

    Args:
        size: tuple `(height, width)`.

    Raises:
        ValueError: naming the size.
    """
    height, width = size
    if height * width > MOST_PIXELS:
        raise ValueError(
            f"`image_size` may be {MOST_PIXELS:,} pixels at most. "
            f"Received: {height}x{width}, which are {height * width:,}"
        )
    check_images(1, size)


def check_images(count: int, size: tuple[int, int], num_bytes: int = 3) -> None:
    """Refuses images that do not fit in what is free.

    Args:
        count: int. Images that are held at a time.
        size: tuple `(height, width)`.
        num_bytes: int, that a pixel takes.

    Raises:
        ValueError: naming the size.
    """
    needed = count * size[0] * size[1] * num_bytes
    if needed > available_memory():
        images = "An image" if count == 1 else f"{count:,} images"
        raise ValueError(
            f"{images} of {size[0]}x{size[1]} take{'s' * (count == 1)} "
            f"{needed / GIB:,.1f} GiB, more than is free: ask for a smaller "
            "`image_size`."
        )


def available_memory() -> float:
    """Returns how many bytes this process may still use, about.

    The least of what the machine has free and what its container allows.
    """
    return min(_machine_memory(), _container_memory())


def _machine_memory():
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return 4 * 2**30


def _container_memory(folder="/sys/fs/cgroup"):
    """Bytes left of a Linux control group's limit, or infinity."""
    try:
        limit = Path(folder, "memory.max").read_text().strip()
        used = int(Path(folder, "memory.current").read_text())
    except OSError:
        return float("inf")
    return float("inf") if limit == "max" else int(limit) - used
