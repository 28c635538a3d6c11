"""What has to be so before a release is so, and the check notices if not."""

import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from tests import public_api
from tests.source_tree import ROOT, modules


def tool(name):
    """Imports a module of `tools/`, which is no package."""
    path = ROOT / "tools" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"tools_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = tool("release_check")
CHANGES = (ROOT / "CHANGELOG.md").read_text("utf-8")


def sections(text):
    """Returns the text of each version, by its heading."""
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.fixture
def tree(tmp_path):
    for name in ("pyproject.toml", "CHANGELOG.md", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "citing.md", tmp_path / "docs")
    kept = "tests/compatibility/0.2.0"
    (tmp_path / kept).mkdir(parents=True)
    shutil.copy(ROOT / kept / "answers.npz", tmp_path / kept)
    path = tmp_path / "CHANGELOG.md"
    released = re.sub(
        r"(## Unreleased\n).*?(?=^## )", r"\1\n", CHANGES, flags=re.S | re.M
    )
    path.write_text(released, "utf-8")
    return tmp_path


def change(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_all_places_name_one_version(tree):
    check.versions(tree)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("pyproject.toml", 'version = "0.2.0"', 'version = "0.2.1"', "0.2.1"),
        ("CITATION.cff", "version: 0.2.0", "version: 0.1.9", "says 0.1.9"),
        ("CITATION.cff", "released: 2026-11", "released: 2026-10", "date"),
        ("docs/citing.md", "version = {0.2.0}", "version = {0.1.9}", "0.1.9"),
        ("docs/citing.md", "year    = {2026}", "year    = {2025}", "year"),
        ("CHANGELOG.md", "## Unreleased\n", "## Unreleased\n- x\n", "under Un"),
    ],
)
def test_a_version_that_is_another_is_noticed(tree, file, old, new, said):
    change(tree / file, old, new)
    with pytest.raises(check.Wrong, match=said):
        check.versions(tree)


def test_a_version_without_kept_files_is_noticed(tree):
    shutil.rmtree(tree / "tests")
    with pytest.raises(check.Wrong, match="no files of 0.2 are kept"):
        check.versions(tree)


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_addresses_that_nobody_filled_in_are_noticed(tmp_path):
    project, cited = tmp_path / "pyproject.toml", tmp_path / "CITATION.cff"
    project.write_text("[project.urls]\nPaper = 'https://example.org'\n")
    cited.write_text("version: 0.2.0\n")
    with pytest.raises(check.Wrong, match="lacks .*Documentation.*Source"):
        check.addresses(tmp_path)
    with project.open("a") as file:
        for name in ("Documentation", "Issues", "Source"):
            file.write(f"{name} = 'https://example.org'\n")
    with pytest.raises(check.Wrong, match="lacks repository-code"):
        check.addresses(tmp_path)
    with cited.open("a") as file:
        file.write('repository-code: "https://example.org"\n')
    check.addresses(tmp_path)


def test_what_is_not_committed_is_noticed(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    check.tree(tmp_path)
    (tmp_path / "new.py").write_text("")
    with pytest.raises(check.Wrong, match=r"not committed:\n.* new.py"):
        check.tree(tmp_path)


def test_a_program_that_fails_is_named_with_its_last_words():
    with pytest.raises(check.Wrong, match="(?s)failed:.*no such thing"):
        check._output(ROOT, sys.executable, "-c", "exit('no such thing')")


def test_one_check_that_fails_stops_no_other(monkeypatch, capsys):
    def bad(root=None):
        """Fails."""
        raise check.Wrong("broken")

    def good(root=None):
        """Holds."""

    monkeypatch.setattr(check, "CHECKS", (bad, good))
    assert check.main([]) == 1
    out = capsys.readouterr().out
    assert "FAILED: broken" in out and "good: Holds." in out
    assert out.endswith("failed: bad\n")


def test_versions_are_in_order_and_their_changes_in_groups():
    found = sections(CHANGES)
    names = list(found)
    assert names[0] == "Unreleased"
    released = check.RELEASED.findall(CHANGES)
    numbers = [tuple(map(int, version.split("."))) for version, _ in released]
    assert numbers == sorted(numbers, reverse=True)
    for name in [f"{version} - {date}" for version, date in released]:
        groups = re.findall("^### (.*)$", found[name], re.MULTILINE)
        known = [g for g in groups if not g.startswith("How to move")]
        assert known == [g for g in check.GROUPS if g in known]


def test_moved_modules_are_where_the_changelog_says():
    table = CHANGES.split("| 0.1.0, in `keras_csg` | now |")[1]
    rows = table.split("\n\n")[0].strip().splitlines()[1:]
    known = set(modules("keras_csg"))
    for row in rows:
        now = row.split("|")[2]
        for name in re.findall(r"`([\w.]+)`", now):
            assert f"keras_csg.{name}" in known, row


def test_what_came_in_place_of_a_name_is_public():
    text = public_api.LISTING.read_text("utf-8")
    for name in ("training.open_run", "metrics.accuracy", "metrics.Head"):
        assert f"\nkeras_csg.{name}" in text


def test_every_dependency_has_its_licence_on_the_page():
    licences = tool("dependency_licences")
    table = licences.PAGE.read_text("utf-8").split(licences.START)[1]
    rows = [row.split(" | ") for row in table.splitlines() if "|" in row][2:]
    found = {row[0].strip("| "): row[1].split(", ") for row in rows}
    assert found == licences.direct_dependencies()
    assert all(row[2].strip("| ") for row in rows)


def test_every_file_that_is_shipped_and_no_code_is_in_the_notice():
    notice = (ROOT / "NOTICE.md").read_text("utf-8")
    for path in (ROOT / "keras_csg").rglob("*"):
        if path.suffix in (".keras", ".txt", ".onnx", ".wasm", ".woff2"):
            named = path.stem if path.suffix == ".keras" else path.name
            assert named in notice, path
    assert pathlib.Path(ROOT / "LICENSE").exists()


@pytest.mark.parametrize(
    "form", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[0-9]*.yml"))
)
def test_a_form_of_an_issue_asks_for_what_is_needed(form):
    yaml = pytest.importorskip("yaml")
    asked = yaml.safe_load(form.read_text("utf-8"))
    assert asked["name"] and asked["description"]
    named = [part for part in asked["body"] if part["type"] != "markdown"]
    assert len({part["id"] for part in named}) == len(named)
    assert all(part["attributes"]["label"] for part in named)
    kinds = {"input", "textarea", "checkboxes", "dropdown"}
    assert {part["type"] for part in named} <= kinds


def test_the_paper_is_what_is_to_be_cited():
    yaml = pytest.importorskip("yaml")
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    (paper,) = cited["references"]
    assert paper["doi"] == "10.1007/978-3-030-58536-5_37"
    assert len(paper["authors"]) == 8
