"""Lists what users of the package may rely on: names, signatures, commands.

    python -m tests.public_api    # renews tests/public_api.txt

Names are read from the source, so that the listing is the same on every
version of Python and of the libraries, and nothing heavy is imported.
"""

import ast
import difflib
import functools
import pathlib

import click

ROOT = pathlib.Path(__file__).parent.parent
LISTING = pathlib.Path(__file__).with_suffix(".txt")
RENEW = "python -m tests.public_api"
# The top-level packages that are public: those that `keras_csg` gives out.
FACE = "keras_csg"


class Source:
    """The modules of a tree, as syntax."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        # Each file is read once.
        self.tree = functools.cache(self._tree)
        self.given_out = functools.cache(self._given_out)

    def _tree(self, module):
        """Returns a module's syntax, a stub's before that of its code."""
        path = self.root.joinpath(*module.split("."))
        for file in (
            path / "__init__.pyi",
            path / "__init__.py",
            path.with_suffix(".py"),
        ):
            if file.is_file():
                return ast.parse(file.read_text("utf-8"))
        return None

    def is_package(self, module):
        path = self.root.joinpath(*module.split("."))
        return (path / "__init__.py").is_file()

    def packages_in(self, package):
        """Gives the packages below one, at any depth."""
        path = self.root.joinpath(*package.split("."))
        for child in sorted(path.iterdir()) if path.is_dir() else ():
            name = f"{package}.{child.name}"
            if not child.name.startswith("_") and self.is_package(name):
                yield name
                yield from self.packages_in(name)

    def _given_out(self, package):
        """Returns where each name that a package gives out comes from."""
        found = {}
        for node in self.tree(package).body:
            if isinstance(node, ast.ImportFrom):
                base = _base(node, package, self.is_package(package))
                for alias in node.names:
                    if alias.asname == alias.name:
                        found[alias.name] = (base, alias.name)
        return found

    def find(self, module, name):
        """Follows a name to the module and the syntax that define it."""
        tree = self.tree(module)
        if tree is None:
            return None
        for node in tree.body:
            if _defines(node, name):
                return module, node
        for node in tree.body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        base = _base(node, module, self.is_package(module))
                        if base == module:
                            return None  # A module, not a name in one.
                        return self.find(base, alias.name)
        return None


def _base(node, module, is_package):
    if not node.level:
        return node.module
    parts = module.split(".")
    parts = parts[: len(parts) - node.level + (1 if is_package else 0)]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _defines(node, name):
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name == name
    if isinstance(node, ast.Assign):
        targets = [t for target in node.targets for t in ast.walk(target)]
        return any(isinstance(t, ast.Name) and t.id == name for t in targets)
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Name) and node.target.id == name
    return False


def names(root=ROOT):
    """Gives a line for each public name, method and attribute of a class."""
    source = Source(root)
    top = source.given_out(FACE)
    rooms = [f"{FACE}.{n}" for n, (base, _) in top.items() if base == FACE]
    if not rooms:  # As 0.1.0, whose packages were imported by their names.
        rooms = list(source.packages_in(FACE))
    packages = {FACE: None}
    for room in rooms:
        if source.is_package(room):
            packages[room] = None
            packages.update(dict.fromkeys(source.packages_in(room)))
    first = {}
    # The deepest package has the name's line, the others point to it.
    for package in sorted(packages, key=lambda p: -p.count(".")):
        for name in source.given_out(package):
            found = source.find(*source.given_out(package)[name])
            if found is not None:
                key = (found[0], name)
                first.setdefault(key, f"{package}.{name}")
    for package in sorted(packages):
        for name, place in sorted(source.given_out(package).items()):
            dotted, found = f"{package}.{name}", source.find(*place)
            if found is None and package == FACE:
                yield from _of_module(source, ".".join(place))
            elif found is None:
                continue  # A module that is there for what it registers.
            elif first[found[0], name] != dotted:
                yield f"{dotted}: {first[found[0], name]}"
            else:
                yield from _lines(source, dotted, *found)


def _of_module(source, module):
    """Gives the names that a module has; a package has lines of its own."""
    if not source.is_package(module):
        for node in source.tree(module).body:
            for child in ast.walk(node):
                name = getattr(child, "name", getattr(child, "id", "_"))
                if isinstance(name, str) and _defines(node, name):
                    if not name.startswith("_"):
                        dotted = f"{module}.{name}"
                        yield from _lines(source, dotted, module, node)
                    break


def _lines(source, dotted, module, node):
    if isinstance(node, ast.FunctionDef):
        yield f"{dotted}{_signature(node)}"
    elif isinstance(node, ast.ClassDef):
        bases = ", ".join(map(ast.unparse, node.bases))
        yield f"{dotted}: class({bases})"
        members = dict(_members(source, module, node))
        for name in sorted(members):
            yield f"{dotted}.{members[name]}"
    else:
        yield f"{dotted}: constant"


def _members(source, module, node):
    """Gives the line of each public member, those of bases of ours first."""
    for base in node.bases:
        if isinstance(base, ast.Name):
            found = source.find(module, base.id)
            if found and isinstance(found[1], ast.ClassDef):
                yield from _members(source, *found)
    for item in node.body:
        if isinstance(item, ast.FunctionDef):
            if item.name == "__init__" or not item.name.startswith("_"):
                yield item.name, _method(item)
        elif isinstance(item, ast.AnnAssign | ast.Assign):
            target = getattr(item, "target", None) or item.targets[0]
            if isinstance(target, ast.Name) and target.id[0] != "_":
                yield target.id, _attribute(item, target)


def _method(node):
    kinds = [ast.unparse(d) for d in node.decorator_list]
    if any(k.endswith(".setter") for k in kinds):
        return f"{node.name}: property that can be set"
    if any(k.endswith("property") for k in kinds):
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        return f"{node.name}: property{returns}"
    marks = [k for k in kinds if k in ("classmethod", "staticmethod")]
    return node.name + _signature(node) + "".join(f" @{m}" for m in marks)


def _attribute(item, target):
    annotation = getattr(item, "annotation", None)
    text = f": {ast.unparse(annotation)}" if annotation else ""
    value = item.value and ast.unparse(item.value)
    return f"{target.id}{text}" + (f" = {value}" if value else "")


def _signature(node):
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"({ast.unparse(node.args)}){returns}"


def commands():
    """Gives a line for each command, and for each of its options."""
    from keras_csg_cli.main import cli

    yield from _of_command("keras-csg", cli)


def _of_command(path, command):
    yield path

    yield from (f"{path} {_parameter(p)}" for p in command.params)
    for name in sorted(getattr(command, "commands", {})):
        yield from _of_command(f"{path} {name}", command.commands[name])


def _parameter(parameter):
    if isinstance(parameter, click.Argument):
        name = parameter.human_readable_name
        text = name if parameter.required else f"[{name.strip('[]')}]"
        return text + ("..." if parameter.nargs == -1 else "")
    text = "/".join([*parameter.opts, *parameter.secondary_opts])
    kind = parameter.type
    if parameter.is_flag:
        return text
    choices = getattr(kind, "choices", None)
    text += f" {'|'.join(choices) if choices else kind.name}"
    text += ", several" if parameter.multiple else ""
    text += ", required" if parameter.required else ""
    if isinstance(parameter.default, str | int | float):
        text += f", default {parameter.default}"
    return text


def listing():
    """Returns the lines of `tests/public_api.txt`."""
    head = [
        "# What users rely on. A change here is one for them: on purpose, and",
        f"# in the CHANGELOG. `{RENEW}` writes it anew.",
        "",
    ]
    return [*head, *names(), "", *commands()]


def difference():
    """Returns what changed against the file, as a diff."""
    kept = LISTING.read_text("utf-8").splitlines()
    return list(difflib.unified_diff(kept, listing(), lineterm="", n=0))[2:]


if __name__ == "__main__":
    LISTING.write_text("\n".join(listing()) + "\n", "utf-8")
