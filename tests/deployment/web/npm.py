"""A package of npm that stands for onnxruntime-web, in a few bytes."""

import base64
import hashlib
import io
import tarfile

from keras_csg.deployment.web import runtime

FILES = {runtime.SCRIPT: b"script", runtime.MODULE: b"module"}


def package(files=FILES):
    """Returns the bytes of a package as npm packs it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in {"../../evil": b"evil", **files}.items():
            info = tarfile.TarInfo(f"package/dist/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def pin_small_package(monkeypatch, tmp_path):
    """Pins a small package, kept in `caches`; returns its bytes."""
    packed = package()
    digest = base64.b64encode(hashlib.sha512(packed).digest()).decode()
    monkeypatch.setattr(runtime, "INTEGRITY", f"sha512-{digest}")
    digests = {n: hashlib.sha256(d).hexdigest() for n, d in FILES.items()}
    monkeypatch.setattr(runtime, "FILES", digests)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return packed
