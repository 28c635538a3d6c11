"""What `filters` writes where, and what it leaves as it is."""


def test_files_of_others_stay_as_they_are(run, run_cli, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "index.html").write_text("mine")
    code, _, err = run_cli("filters", run, "--out", mine)
    assert code == 2 and "is of no survey of filters" in err
    assert [path.name for path in mine.iterdir()] == ["index.html"]
    code, _, err = run_cli("filters", run, "--out", run)
    assert code == 2 and "--out must not be a run" in err
    assert not (run / "index.html").exists()


def test_few_images_are_said_to_be_few(run, run_cli):
    code, _, err = run_cli("filters", run, "--limit", "50", "--filter", "3")
    assert code == 0, err
    assert "Only 50 images are looked at, for 10 classes" in err
    assert "The pages show 1 of 20 filters" in err
