"""What the pages tell people to type works as they type it."""

import ast
import pydoc
import re
import subprocess
import sys

import pytest

from keras_csg_cli.main import cli
from tests.document_blocks import (
    PAGES,
    SHELLS,
    blocks_of,
    is_run,
    run_apart,
    words_of,
)
from tests.document_world import make_world
from tests.source_tree import ROOT

README = PAGES[0]
MOST_LINES_OF_README = 130
NAME = re.compile(r"\bkeras_csg(?:\.[a-z]\w*)+", re.IGNORECASE)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def name_of(page):
    return page.relative_to(ROOT).as_posix()


each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


def lines_of_shell(page):
    """Returns the words of each line that one types in a shell."""
    return [
        words_of(line)
        for block in blocks_of(page, *SHELLS)
        for line in block.lines()
    ]


def test_the_ten_lines_of_the_readme_run_as_they_stand(tmp_path):
    """In a process of its own, for what it registers."""
    (block,) = blocks_of(README, "python")
    done = subprocess.run(
        [sys.executable, "-c", block.code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("documents") / "world")


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES[1:] if any(map(is_run, blocks_of(page)))],
    ids=name_of,
)
def test_the_blocks_of_a_page_run_as_they_stand(page, world, tmp_path):
    """`python -m tests.document_blocks` does the same and counts them."""
    done = run_apart(page, world, tmp_path / "copy")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-5000:]


@each_page
def test_what_comments_leave_out_of_a_block_is_there(page):
    """A block that was written anew keeps no comment of the old one."""
    for block in blocks_of(page, "python", *SHELLS):
        lines = block.lines() if block.language in SHELLS else []
        for word, reason in block.left_out:
            assert any(word in line for line in lines), (word, reason)
        if block.options:
            assert any(" train " in f"{line} " for line in lines), block
        for word, _ in block.other_words:
            assert word in block.code


@each_page
def test_every_comment_about_a_block_is_understood(page):
    text = page.read_text("utf-8")
    said = re.findall(r"<!-- (?:not run|shortened).*?-->", text, re.DOTALL)
    understood = sum(
        bool(block.reason)
        + len(block.left_out)
        + bool(block.options)
        + len(block.other_words)
        for block in blocks_of(page)
    )
    assert understood == len(said)


@each_page
def test_python_can_be_read(page):
    for block in blocks_of(page, "python"):
        ast.parse(block.code)


@each_page
def test_the_library_has_what_is_named(page):
    for dotted in NAME.findall(page.read_text("utf-8")):
        assert pydoc.locate(dotted) is not None, dotted


@each_page
def test_commands_take_the_options_they_are_given(page):
    for name, *words in lines_of_shell(page):
        if name == "keras-csg" and "--help" not in words:
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
    lines = README.read_text("utf-8").splitlines()
    assert len(lines) <= MOST_LINES_OF_README
