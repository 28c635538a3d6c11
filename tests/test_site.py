"""The site that `make docs` builds, and the order of its pages."""

import importlib.util
import os
import re
import subprocess
import sys

import pytest

from tests.reports.chromium import browser
from tests.source_tree import ROOT

DOCS = ROOT / "docs"
WIDTHS = (390, 820, 1400)
SHOWN = (
    *("index", "concepts/gate", "how/nan", "commands/train", "results"),
    "tutorials/3_filters",
)


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages():
    return load(DOCS / "site/pages.py")


def test_every_page_has_a_place_in_the_order(pages):
    found, wanted = set(), ["index.md"]
    while wanted:
        name = os.path.normpath(wanted.pop())
        if name not in found:
            found.add(name)
            text = pages.links_to_root((DOCS / name).read_text("utf-8"), 0)
            if name.endswith("index.md"):
                listed = re.findall(
                    r"^[^:`\s]+\.md$", pages.trees_of(text), re.M
                )
                folder = os.path.dirname(name)
                wanted += [os.path.join(folder, page) for page in listed]
                wanted = [w for w in wanted if w not in pages.OF_ROOT.values()]
    there = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    assert found == there


def test_a_page_stands_in_one_place_under_the_heading_that_lists_it(pages):
    text = (
        "# Top\n[b](b.md)\n## One\n- [a](a.md): [c](sub/c.md#there)\n"
        "## Two\n- [a](a.md)\n- [b](b.md) [out](https://x.y/z.md)\n"
    )
    assert pages.trees_of(text) == (
        "\n```{toctree}\n:hidden:\n:caption: One\n\na.md\nsub/c.md\n```\n"
        "\n```{toctree}\n:hidden:\n:caption: Two\n\nb.md\n```\n"
    )


def test_links_to_pages_of_the_root_lead_to_where_they_are(pages):
    deep = "[a](../../CONTRIBUTING.md#add) [b](../data.md)"
    assert pages.links_to_root(deep, 1) == (
        "[a](../contributing.md#add) [b](../data.md)"
    )
    root = "[a](docs/data.md) [b](SECURITY.md) [c](LICENSE)"
    assert pages.links_of_root(root) == (
        "[a](data.md) [b](security.md) [c](LICENSE)"
    )


def test_the_drawings_are_what_the_script_draws():
    drawings = load(DOCS / "drawings/draw.py").DRAWINGS
    for name, drawing in drawings.items():
        there = (DOCS / "images" / name).read_text("utf-8")
        assert drawing() == there, "python docs/drawings/draw.py docs/images"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    for package in ("sphinx", "myst_nb", "furo", "sphinx_click"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"no {package}: pip install 'keras-csg[docs]'")
    out = tmp_path_factory.mktemp("docs") / "site"
    done = subprocess.run(
        [sys.executable, str(DOCS / "site"), str(out)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    # Warnings are errors, links that lead nowhere among them.
    assert done.returncode == 0, done.stderr[-3000:]
    return out


@pytest.mark.slow
def test_every_page_is_built(site):
    found = [*DOCS.rglob("*.md"), *DOCS.rglob("*.ipynb")]
    pages = [page.relative_to(DOCS) for page in found]
    for page in pages:
        assert (site / page).with_suffix(".html").exists(), page


@pytest.mark.slow
def test_every_public_name_and_option_is_in_the_reference(site):
    import keras_csg
    from keras_csg_cli.main import cli

    names = (site / "api/keras_csg.html").read_text("utf-8")
    for name in set(keras_csg.__all__) - {"__version__"}:
        home = site / f"api/keras_csg.{name}.html"
        assert home.exists() or f'id="keras_csg.{name}"' in names, name
    for name, command in cli.commands.items():
        page = (site / f"commands/{name}.html").read_text("utf-8")
        for sub in getattr(command, "commands", {"": command}).values():
            for option in sub.params:
                if option.param_type_name == "option" and not option.hidden:
                    assert option.opts[0] in page, (name, option.opts)


@pytest.mark.slow
def test_names_and_commands_in_a_text_lead_to_the_reference(site):
    page = (site / "reference.html").read_text("utf-8")
    assert 'href="api/keras_csg.html#keras_csg.build"' in page
    assert 'href="commands/train.html"' in page


@pytest.mark.slow
def test_no_page_names_a_path_of_the_machine_that_built_it(site):
    for page in site.rglob("*.html"):
        assert str(ROOT) not in page.read_text("utf-8"), page.name


@pytest.fixture(scope="module", name="browser")
def opened_browser():
    with browser() as opened:
        yield opened


@pytest.fixture
def noises(browser):
    """Opens pages, and gathers what they ask for and complain of."""
    heard = []

    def open_page(**kwargs):
        page = browser.new_page(**kwargs)
        page.on(
            "console",
            lambda said: (
                heard.append(said.text)
                if said.type in ("error", "warning")
                else None
            ),
        )
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on(
            "request",
            lambda asked: (
                heard.append(asked.url)
                if not asked.url.startswith(("file:", "data:"))
                else None
            ),
        )
        return page

    yield open_page, heard
    assert not heard


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_any_width_and_ask_for_nothing(site, noises, scheme):
    open_page, _ = noises
    page = open_page(color_scheme=scheme)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for name in SHOWN:
            page.goto((site / f"{name}.html").as_uri())
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (name, width)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(map(int, re.findall(r"\d+", ground)[:3])) / 3 > 127
    assert light == (scheme == "light")
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("logit adjustment", "how/class-imbalance.html"),
        ("shuffled rows", "concepts/controls.html"),
        ("residual_information", "api/keras_csg.metrics.html"),
        ("--time-budget", "commands/train.html"),
    ],
)
def test_the_search_answers_from_a_disk(site, noises, words, answer):
    open_page, _ = noises
    page = open_page()
    page.goto((site / "index.html").as_uri())
    page.fill("input[name=q]", words)
    page.press("input[name=q]", "Enter")
    page.wait_for_selector("#search-results li a")
    found = page.locator("#search-results li a").evaluate_all(
        "links => links.map(link => link.href)"
    )
    assert any(answer in link for link in found), found[:10]
    page.close()
