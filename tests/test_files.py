import os

import pytest

from keras_csg.files import hidden_part, set_aside, whole_file


def test_a_file_gets_its_name_when_it_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with whole_file(path) as part:
        assert part.parent == tmp_path and part.suffix == ".txt"
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_file_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_what_is_left_at_a_hidden_part_is_removed(tmp_path):
    path = tmp_path / "folder"
    with hidden_part(path) as part:
        (part / "inside").mkdir(parents=True)
    with hidden_part(path) as again:
        assert again == part and not again.exists()
    with pytest.raises(RuntimeError), hidden_part(path) as part:
        part.mkdir()
        raise RuntimeError
    assert os.listdir(tmp_path) == []


def test_what_is_set_aside_comes_back_only_if_the_body_fails(tmp_path):
    folder, file, new = (tmp_path / name for name in ("a", "b.txt", "c"))
    folder.mkdir()
    (folder / "inside").touch()
    file.write_text("old")
    with pytest.raises(RuntimeError), set_aside(folder, file, new):
        assert not folder.exists() and not file.exists()
        folder.write_text("another")
        new.touch()
        raise RuntimeError
    assert (folder / "inside").exists() and file.read_text() == "old"
    with set_aside(folder, file, new):
        folder.write_text("another")
    assert os.listdir(tmp_path) == ["a"]
    assert folder.read_text() == "another"
