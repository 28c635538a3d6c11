"""Runs the page's own scripts outside of a browser."""

import json
import shutil
import subprocess

import pytest

from keras_csg.deployment.web.folder import PAGE


def run_in_node(folder, script, value):
    """Runs a script that may import those of the page; returns what it says.

    Args:
        folder: path of an existing folder.
        script: str, JavaScript that makes `answer` of `value`.
        value: what it is given, which must be JSON.
    """
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node.js on this machine")
    for path in PAGE.glob("*.js"):
        shutil.copy(path, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "value.json").write_text(json.dumps(value))
    lines = (
        'import * as fs from "node:fs";',
        'const value = JSON.parse(fs.readFileSync("value.json"));',
        script,
        "console.log(JSON.stringify(answer));",
    )
    (folder / "test.js").write_text("\n".join(lines))
    done = subprocess.run(
        [node, "test.js"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
