"""What the pages tell people to type works as they type it."""

import ast
import pydoc
import re
import shlex
import subprocess
import sys

import pytest

from keras_csg_cli.main import cli
from tests.source_tree import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
RUN = PAGES[:2]
MOST_LINES_OF_README = 130
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAME = re.compile(r"\bkeras_csg(?:\.[a-z]\w*)+", re.IGNORECASE)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)


def blocks(page, language):
    text = page.read_text("utf-8")
    return [code for kind, code in BLOCK.findall(text) if kind == language]


def lines_of_shell(page):
    """Returns the words of each line that one types in a shell."""
    text = "".join(blocks(page, "sh")).replace("\\\n", " ")
    split = (shlex.split(line, comments=True) for line in text.splitlines())
    return [words for words in split if words]


@pytest.mark.parametrize(
    "page",
    [RUN[0], pytest.param(RUN[1], marks=pytest.mark.slow)],
    ids=lambda p: p.name,
)
def test_python_runs_as_it_stands(page, tmp_path):
    """In a process of its own, for what it registers."""
    assert blocks(page, "python")
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks(page, "python"))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@each_page
def test_python_can_be_read(page):
    for code in blocks(page, "python"):
        ast.parse(code)


@each_page
def test_the_library_has_what_is_named(page):
    for dotted in NAME.findall(page.read_text("utf-8")):
        assert pydoc.locate(dotted) is not None, dotted


@each_page
def test_commands_take_the_options_they_are_given(page):
    for name, *words in lines_of_shell(page):
        if name == "keras-csg":
            command = cli.commands.get(words[0], cli)
            command.make_context(words[0], words[1:])


@each_page
def test_make_has_the_targets(page):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    for name, *words in lines_of_shell(page):
        if name == "make":
            assert {w for w in words if "=" not in w} <= targets


@each_page
def test_links_lead_to_files(page):
    links = LINK.findall(page.read_text("utf-8"))
    own = [link for link in links if "://" not in link]
    missing = [link for link in own if not (page.parent / link).exists()]
    assert not missing


@each_page
def test_files_that_commands_name_exist(page):
    for words in lines_of_shell(page):
        for word in words:
            if word.startswith(("examples/", "benchmarks/", "tests/")):
                assert (ROOT / word).exists(), word


def test_readme_is_short():
    lines = PAGES[0].read_text("utf-8").splitlines()
    assert len(lines) <= MOST_LINES_OF_README
