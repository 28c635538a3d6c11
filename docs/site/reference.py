"""The pages of the reference, one a command and one a public package."""

import importlib
import inspect
from pathlib import Path

from pages import tree

from keras_csg_cli.main import cli

# In the order in which a reader meets them.
PACKAGES = {
    "keras_csg": "What most programs need. The packages beside it have more.",
    "keras_csg.models": "The classifier, its losses and schedules.",
    "keras_csg.layers": "The gate, and layers beside it.",
    "keras_csg.backbones": "Networks by name.",
    "keras_csg.data": "Images and labels.",
    "keras_csg.data.splits": "Parts of a set of images.",
    "keras_csg.data.sources": "Where images come from.",
    "keras_csg.data.augmentation": "Images changed at random in training.",
    "keras_csg.training": "Runs, and what trains them.",
    "keras_csg.training.callbacks": "What is done after batches and epochs.",
    "keras_csg.optimizers": "Updates in one kernel, decay, averages.",
    "keras_csg.metrics": "Arrays in, numbers out, without TensorFlow.",
    "keras_csg.evaluation": "A model over a split.",
    "keras_csg.explain": "Why a model answers as it does.",
    "keras_csg.plots": "Pictures of runs and maps.",
    "keras_csg.edit": "Taking classes and filters out.",
    "keras_csg.robustness": "Changed images.",
    "keras_csg.robustness.attacks": "Images made to mislead.",
    "keras_csg.robustness.detection": "Telling images unlike those known.",
    "keras_csg.deployment": "Exported files.",
    "keras_csg.deployment.formats": "Kinds of exported files.",
    "keras_csg.commands": "What the command line does, as functions.",
    "keras_csg.choices": "The values that options take.",
}


def write_reference(folder: Path) -> None:
    """Writes the pages and their place in the tree.

    Args:
        folder: That of the pages, with `reference.md` in it.
    """
    commands = [write_command(folder, name) for name in sorted(cli.commands)]
    homes: dict[int, str] = {}
    packages = [write_package(folder, name, homes) for name in PACKAGES]
    with (folder / "reference.md").open("a", encoding="utf-8") as page:
        page.write("\n" + tree(commands, "Commands"))
        page.write("\n" + tree(packages, "Python"))


def write_command(folder: Path, name: str) -> str:
    """Writes the page of a command, and returns its name."""
    module = cli.commands[name].callback.__module__
    text = (
        f".. click:: {module}:{name}\n"
        f"   :prog: keras-csg {name}\n"
        "   :nested: full\n"
    )
    return _write(folder, f"commands/{name}.rst", text)


def write_package(folder: Path, package: str, homes: dict[int, str]) -> str:
    """Writes the page of a package, and returns its name.

    Args:
        folder: That of the pages.
        package: Name of the package.
        homes: By what is described already, its name there; added to.
    """
    module = importlib.import_module(package)
    lines = [package, "=" * len(package), ""]
    lines += [PACKAGES[package], ""]
    elsewhere = []
    for name in public_names(package):
        value = getattr(module, name)
        full = f"{package}.{name}"
        if id(value) in homes:
            elsewhere.append(f"`{homes[id(value)]}`")
            continue
        kind = _kind(value)
        # Small values, as 1, are one object wherever they stand.
        if kind != "data":
            homes[id(value)] = full
        lines += [f".. auto{kind}:: {full}"]
        lines += ["   :members:", "   :show-inheritance:"] * (kind == "class")
        lines += [""]
    if elsewhere:
        lines += ["Also here: " + ", ".join(elsewhere) + ".", ""]
    return _write(folder, f"api/{package}.rst", "\n".join(lines))


def public_names(package: str) -> list[str]:
    """Returns what a package gives out, without packages within it."""
    module = importlib.import_module(package)
    names = getattr(module, "__all__", None) or vars(module)
    return sorted(
        name
        for name in names
        if not name.startswith("_")
        and not inspect.ismodule(getattr(module, name))
        and getattr(getattr(module, name), "__module__", package).startswith(
            "keras_csg"
        )
    )


def _kind(value):
    if inspect.isclass(value):
        return "class"
    return "function" if inspect.isroutine(value) else "data"


def _write(folder, name, text):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return name
