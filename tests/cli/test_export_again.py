"""What a second export does to the first, and to files of others."""

import json

import keras_csg


def test_what_an_export_wrote_is_overwritten_by_force_alone(
    tiny_run, run_cli, tmp_path
):
    arguments = ["export", tiny_run, "--out", tmp_path]
    assert run_cli(*arguments)[0] == 0
    code, out, err = run_cli(*arguments)
    assert code == 2
    assert len(err.splitlines()) == 1 and "--force" in err
    code, out, err = run_cli(*arguments, "--force", "--outputs", "class_id")
    assert code == 0, err
    written = keras_csg.read_metadata(tmp_path / "model.onnx")
    assert [*written.outputs] == ["class_id"]
    (tmp_path / "model.onnx").write_text("precious")
    code, out, err = run_cli(*arguments, "--force")
    assert code == 2
    assert len(err.splitlines()) == 1 and "no export wrote" in err
    assert (tmp_path / "model.onnx").read_text() == "precious"


def test_a_layout_gets_one_version_after_the_other(tiny_run, run_cli, tmp_path):
    arguments = ["export", tiny_run, "--out", tmp_path, "--layout", "triton"]
    assert run_cli(*arguments)[0] == 0
    config = tmp_path / tiny_run.name / "config.pbtxt"
    config.write_text(config.read_text() + "instance_group [{ count: 2 }]\n")
    code, out, err = run_cli(*arguments, "--json")
    assert code == 0, err
    assert json.loads(out)["files"][0]["version"] == 2
    assert "config.pbtxt was changed and is kept" in err
    assert "instance_group" in config.read_text()
    code, out, err = run_cli(*arguments, "--version", "1")
    assert code == 2
    assert len(err.splitlines()) == 1 and "--version" in err
    assert run_cli(*arguments, "--version", "1", "--force")[0] == 0


def test_force_spares_a_folder_that_no_export_wrote(
    tiny_run, run_cli, tmp_path
):
    (tmp_path / "photos").mkdir()
    code, out, err = run_cli(
        *["export", tiny_run, "--out", tmp_path, "--force"],
        *["--layout", "tfserving", "--name", "photos"],
    )
    assert code == 2
    assert len(err.splitlines()) == 1 and "photos" in err
