"""The modules of the tree, and what each says that it imports."""

import ast
import functools
import pathlib

ROOT = pathlib.Path(__file__).parent.parent
PACKAGES = {"keras_csg": ROOT / "keras_csg", "keras_csg_cli": ROOT / "cli"}


def modules(package=None):
    """Returns the path of every module by its name."""
    found = {}
    for name, folder in PACKAGES.items():
        if package in (None, name):
            for path in sorted(folder.rglob("*.py")):
                parts = path.relative_to(folder).with_suffix("").parts
                dotted = ".".join([name, *parts]).removesuffix(".__init__")
                found[dotted] = path
    return found


def parse(path):
    """Returns the syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path):
    """Returns the names that a module imports, in functions too.

    A package's stub counts with it, since a package that loads late says
    there what it gives out; so does a module's name in quotes.
    """
    stub = path.with_suffix(".pyi")
    trees = [parse(path)] + ([parse(stub)] if stub.exists() else [])
    return {
        name
        for tree in trees
        for node in ast.walk(tree)
        for name in _names(node, _package_of(path))
    }


def _package_of(path):
    for name, folder in PACKAGES.items():
        if path.is_relative_to(folder):
            parents = path.relative_to(folder).parts[:-1]
            return [name, *parents]
    raise ValueError(f"{path} is of no package.")


def _names(node, package):
    if isinstance(node, ast.ImportFrom):
        start = package[: len(package) - node.level + 1] if node.level else []
        base = ".".join([*start, *([node.module] if node.module else [])])
        return [f"{base}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.Constant) and node.value in _quotable():
        return [node.value]
    return []


@functools.cache
def _quotable():
    # The bare package's name is the name of other things too.
    return {name for name in modules() if "." in name}


def import_graph():
    """Returns the modules that each module imports, of this tree alone."""
    known = modules()
    return {
        name: {
            module
            for imported in imports_of(path)
            if (module := _nearest(imported, known)) is not None
        }
        for name, path in known.items()
    }


def _nearest(imported, known):
    """Returns the module that a dotted name is, or is in."""
    while imported and imported not in known:
        imported = imported.rpartition(".")[0]
    return imported or None
