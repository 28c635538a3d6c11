"""Which files an export shall write; knows nothing of how."""

import dataclasses
import os
import pathlib

from keras_csg_cli.options import UserMistake

FORMATS = ("saved_model", "onnx", "litert")
QUANTIZED = ("float16", "dynamic", "int8")
LAYOUTS = {"triton": ("onnx", "saved_model"), "tfserving": ("saved_model",)}
ALL = "all"


@dataclasses.dataclass(frozen=True)
class Target:
    """One file, or folder, to write.

    Attributes:
        path: where it goes.
        format: one of `FORMATS`.
        quantize: one of `QUANTIZED`, or `None` for float32.
        layout: one of `LAYOUTS`, or `None` for the file by itself.
    """

    path: pathlib.Path
    format: str
    quantize: str | None = None
    layout: str | None = None


def plan_targets(out, formats, quantize=(), layout=None, name="model"):
    """Returns the `Target`s of an export.

    Args:
        out: path of the folder they go to.
        formats: those asked for, of `FORMATS` and `ALL`; none for the usual.
        quantize: those asked for, of `QUANTIZED` and `ALL`. They come beside
            the float32 file.
        layout: one of `LAYOUTS`, or `None`.
        name: of the model's folder within a layout.

    Raises:
        UserMistake: for what does not go together.
    """
    usual = LAYOUTS[layout][0] if layout else "onnx"
    formats = _expanded(formats or [usual], FORMATS)
    quantize = _expanded(quantize, QUANTIZED)
    if quantize and "litert" not in formats:
        raise UserMistake(
            "--quantize needs --format litert: the other formats stay float32. "
            f"Received: --format {', '.join(formats)}"
        )
    out = pathlib.Path(out)
    if layout:
        return [_in_layout(out, formats, layout, name)]
    files = {"saved_model": "saved_model", "onnx": "model.onnx"}
    targets = [Target(out / files[f], f) for f in formats if f in files]
    if "litert" in formats:
        targets.append(Target(out / "model.tflite", "litert"))
        targets += [
            Target(out / f"model-{kind}.tflite", "litert", kind)
            for kind in quantize
        ]
    return targets


def _in_layout(out, formats, layout, name):
    possible = LAYOUTS[layout]
    if len(formats) > 1 or formats[0] not in possible:
        raise UserMistake(
            f"--layout {layout} takes one --format: {' or '.join(possible)}. "
            f"Received: --format {', '.join(formats)}"
        )
    if not name or name != pathlib.Path(name).name or name.startswith("."):
        raise UserMistake(
            "--name must be the name of a folder, without a path. "
            f"Received: --name {name}"
        )
    return Target(out / name, formats[0], layout=layout)


def check_targets(out, targets, force):
    """Refuses targets that are taken and folders that cannot be written to.

    Before anything slow: a slip of the pen should not cost a minute.

    Args:
        out: path of the folder, which need not exist.
        targets: list of `Target`.
        force: bool. Whether existing targets may be overwritten.

    Raises:
        UserMistake: naming the path.
    """
    out = pathlib.Path(out)
    taken = [t.path for t in targets if os.path.lexists(t.path)]
    if taken and not force:
        raise UserMistake(
            f"{', '.join(map(str, taken))} exists already: name another --out, "
            "or overwrite with --force."
        )
    for path in taken:
        proof = path.with_name(f"{path.name}.proof.json")
        if path.is_dir() and not proof.exists():
            raise UserMistake(
                f"{path} is a folder that no export wrote, so --force does not "
                "overwrite it: remove it, or name another --out."
            )
    existing = next(p for p in (out, *out.absolute().parents) if p.exists())
    if not existing.is_dir():
        raise UserMistake(f"Cannot write to {out}: {existing} is no folder.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UserMistake(f"Cannot write to {out}: {existing} is read-only.")


def _expanded(asked, known):
    """Returns what is asked for, once each, in the order of `known`."""
    return [name for name in known if name in asked or ALL in asked]
