"""A page for browsers from the command line."""

import json

import pytest

from tests.deployment.web.npm import package, pin_small_package


@pytest.fixture
def pinned(monkeypatch, tmp_path):
    return pin_small_package(monkeypatch, tmp_path)


@pytest.fixture
def npm_file(pinned, tmp_path):
    path = tmp_path / "ort.tgz"
    path.write_bytes(pinned)
    return path


def test_a_run_becomes_a_page(tiny_run, run_cli, tmp_path, npm_file):
    arguments = ["export", tiny_run, "--layout", "web", "--ort-web", npm_file]
    arguments += ["--out", tmp_path / "site", "--name", "birds"]
    code, out, err = run_cli(*arguments, "--json")
    assert code == 0, err
    (proof,) = json.loads(out)["files"]
    assert proof["path"] == str(tmp_path / "site" / "birds")
    assert (tmp_path / "site" / "birds" / "index.html").is_file()
    code, out, err = run_cli(*arguments)
    assert code == 2 and "--force" in err
    code, out, err = run_cli(*arguments, "--force")
    assert code == 0, err
    assert f"python -m http.server -d {tmp_path / 'site' / 'birds'}" in err


def test_without_a_network_the_way_out_is_said(
    tiny_run,
    run_cli,
    tmp_path,
    pinned,
    monkeypatch,
):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    out_folder = tmp_path / "site"
    code, out, err = run_cli(
        "export", tiny_run, "--layout", "web", "--out", out_folder
    )
    assert code == 2
    last = err.splitlines()[-1]
    assert "Cannot fetch" in last and "--ort-web" in last
    assert not out and not out_folder.exists()


def test_what_is_no_package_is_one_line(
    tiny_run,
    run_cli,
    tmp_path,
    pinned,
):
    other = tmp_path / "other.tgz"
    other.write_bytes(package({"ort.js": b""}))
    empty = tmp_path / "empty"
    empty.mkdir()
    for path, word in (
        (other, "integrity"),
        (empty, "is not the folder"),
        (tmp_path / "nowhere", "Cannot read"),
        ("", "--ort-web"),
    ):
        code, out, err = run_cli(
            *("export", tiny_run, "--layout", "web", "--ort-web", path),
            *("--out", tmp_path / "site"),
        )
        assert code == 2
        assert len(err.splitlines()) == 1 and word in err
        assert not out and not (tmp_path / "site").exists()


@pytest.mark.parametrize(
    "args, word",
    [
        (["--ort-web", "ort.tgz"], "layout web"),
        (["--layout", "web", "--format", "litert"], "onnx"),
        (["--layout", "web", "--quantize", "dynamic"], "float32"),
    ],
)
def test_what_does_not_go_together_is_one_line(
    args, word, tiny_run, run_cli, tmp_path
):
    out_folder = tmp_path / "out"
    code, out, err = run_cli("export", tiny_run, "--out", out_folder, *args)
    assert code == 2
    assert len(err.splitlines()) == 1 and word in err
    assert not out and not out_folder.exists()
