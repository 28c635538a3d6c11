import os
from pathlib import Path


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
