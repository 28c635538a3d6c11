"""The report command: what it prints and what it refuses."""

import json

import pytest


def test_a_page_and_what_was_written(tiny_run, run_cli, tmp_path):
    out = tmp_path / "deep" / "report.html"
    code, text, err = run_cli("report", tiny_run, "--out", out, "--json")
    assert code == 0, err
    told = json.loads(text)
    assert told["path"] == str(out)
    assert told["bytes"] == out.stat().st_size < 10e6
    assert told["seconds"] > 0
    assert (tmp_path / "deep" / "report.card.md").exists()


def test_people_are_told_the_size(tiny_run, run_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, text, err = run_cli("report", tiny_run)
    assert code == 0, err
    assert text.startswith("Wrote report.html: ") and " MB, in " in text


@pytest.mark.parametrize(
    "options, word",
    [
        (["--out", "page.pdf"], ".html file"),
        (["--card", "card.html"], ".md file"),
        (["--against", "nowhere"], "nowhere"),
    ],
)
def test_mistakes_are_one_line(tiny_run, run_cli, options, word):
    code, text, err = run_cli("report", tiny_run, *options)
    assert code == 2 and text == ""
    assert len(err.splitlines()) == 1 and word in err


def test_a_run_must_be_there(run_cli, tmp_path):
    code, _, err = run_cli(
        "report", tmp_path / "nothing", "--out", tmp_path / "page.html"
    )
    assert code == 2
    assert len(err.splitlines()) == 1 and "nothing" in err
    assert not (tmp_path / "page.html").exists()
