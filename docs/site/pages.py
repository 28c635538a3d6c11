"""The pages that Sphinx reads: those of docs/ and some of the root.

An `index.md` is a list of links for readers of the Markdown. Here each of its
sections becomes a part of the tree of pages too, so that the order of the site
is written down once.
"""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# Pages of the root, and what they are called on the site.
OF_ROOT = {
    "CHANGELOG.md": "changelog.md",
    "CODE_OF_CONDUCT.md": "code_of_conduct.md",
    "CONTRIBUTING.md": "contributing.md",
    "NOTICE.md": "notice.md",
    "SECURITY.md": "security.md",
}
FILES = ["LICENSE"]
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(([\w./-]+\.(?:md|ipynb))(?:#[\w-]*)?\)")


def write_pages(folder: Path) -> None:
    """Lays what is read into an empty folder.

    Args:
        folder: Where the pages are to lie.
    """
    shutil.copytree(
        DOCS, folder, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    for name, page in OF_ROOT.items():
        text = (ROOT / name).read_text("utf-8")
        (folder / page).write_text(links_of_root(text), "utf-8")
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    for page in sorted(folder.rglob("*.md")):
        depth = len(page.relative_to(folder).parts) - 1
        text = links_to_root(page.read_text("utf-8"), depth)
        if page.name == "index.md":
            text += trees_of(text)
        page.write_text(text, "utf-8")


def links_of_root(text: str) -> str:
    """Makes the links of a page of the root those of a page of docs/."""
    text = text.replace("](docs/", "](")
    for name, page in OF_ROOT.items():
        text = text.replace(f"]({name}", f"]({page}")
    return text


def links_to_root(text: str, depth: int) -> str:
    """Leads links to pages of the root to where those are here.

    Args:
        text: A page.
        depth: int. How many folders below docs/ it lies.
    """
    up = "../" * (depth + 1)
    for name, page in OF_ROOT.items():
        text = text.replace(f"]({up}{name}", f"]({'../' * depth}{page}")
    return text.replace(f"]({up}LICENSE", f"]({'../' * depth}LICENSE")


def trees_of(text: str) -> str:
    """Returns the tables of contents that the links of a page stand for."""
    # What stands before the first heading is said again below it.
    _, *parts = SECTION.split(text)
    seen: set[str] = set()
    trees = []
    for caption, part in zip(parts[::2], parts[1::2], strict=True):
        pages = dict.fromkeys(LINK.findall(part))
        new = [page for page in pages if page not in seen]
        seen.update(new)
        if new:
            trees.append(tree(new, caption))
    return "\n".join(["", *trees])


def tree(pages: list[str], caption: str = "") -> str:
    """Returns a hidden table of contents as MyST writes it."""
    head = ["```{toctree}", ":hidden:"]
    head += [f":caption: {caption}"] if caption else []
    return "\n".join([*head, "", *pages, "```", ""])
