"""The page of the command line has every exit code and every variable."""

import ast

from keras_csg_cli import ending, main, options, streams
from tests.source_tree import ROOT, modules, parse

TEXT = (ROOT / "docs" / "command_line.md").read_text("utf-8")


def variables():
    """Gives the environment variables that the source reads, with the place."""
    for name, path in modules().items():
        tree = parse(path)
        constants = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            key = _key_of(node)
            if isinstance(key, ast.Name):
                key = ast.Constant(constants.get(key.id))
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, name


def _key_of(node):
    """Returns what is looked up in `os.environ`, if that is what a node is."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.args and "os.environ" == ast.unparse(node.func.value):
            return node.args[0]
    if isinstance(node, ast.Subscript):
        if "os.environ" == ast.unparse(node.value):
            return node.slice
    if isinstance(node, ast.keyword) and node.arg == "envvar":  # Of click.
        return node.value
    return None


def test_every_variable_that_is_read_is_on_the_page():
    found = dict(variables())
    read = {"KERAS_CSG_MAX_BYTES", "TFDS_DATA_DIR", "JAX_PROCESS_ID"}
    assert read <= set(found)
    assert not {n: w for n, w in found.items() if f"`{n}`" not in TEXT}


def test_every_exit_code_is_on_the_page():
    table = TEXT.split("## Exit codes")[1].split("## Environment")[0]
    codes = {streams.FAILED, streams.NOT_READ, main.INTERRUPTED}
    codes |= {options.UserMistake.exit_code, *ending.CODES.values()}
    for code in codes:
        assert str(code) in table
