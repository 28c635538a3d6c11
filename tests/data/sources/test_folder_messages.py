"""What a folder's owner is told of what is left out, and why."""

import os

import pytest

import keras_csg
from keras_csg.data import load_annotated
from keras_csg.files import check_writable, whole_file
from tests.data.sources.test_folder_faults import load, two_classes, write

HEAD = "file,box_x0,box_y0,box_x1,box_y1\n"


def test_a_test_folder_without_class_folders_is_called_that(tmp_path):
    two_classes(tmp_path / "train")
    write(tmp_path / "test", range(300, 305))
    (tmp_path / "notes").mkdir()
    data, said = load(tmp_path)
    assert "as there are no class folders in it: test (5 files)." in said
    assert "is called so: notes (0 files). `splits`" in said
    assert data.test.num_examples


def test_a_class_of_the_test_folder_alone_is_named(tmp_path):
    two_classes(tmp_path / "train")
    two_classes(tmp_path / "test", 3)
    write(tmp_path / "test" / "wasp", range(300, 304))
    with pytest.raises(ValueError, match="wasp is not in that of train"):
        load(tmp_path)
    data, said = load(tmp_path, classes="ant,bee")
    assert "test: wasp is no class of train." in said
    assert data.test.num_examples == 6


def test_rows_without_a_file_are_counted_by_their_line(tmp_path):
    two_classes(tmp_path, 6)
    names = [f"{f}/{p.name},{f}" for f in ("ant", "bee") for p in
             sorted((tmp_path / f).iterdir())]  # fmt: skip
    table = tmp_path / "t.csv"
    table.write_text("\n".join(["file,label", *names, ",ant", ",bee"]))
    _, said = load(tmp_path, labels=table)
    assert "2 rows without a file: line 14, line 15" in said


def test_groups_that_leave_no_test_split_are_told_of(tmp_path):
    two_classes(tmp_path, 6)
    rows = [
        f"{f}/{p.name},{f},{'one' if f == 'bee' or n < 3 else 'two'}"
        for f in ("ant", "bee")
        for n, p in enumerate(sorted((tmp_path / f).iterdir()))
    ]
    table = tmp_path / "t.csv"
    table.write_text("\n".join(["file,label,group", *rows]))
    with pytest.raises(ValueError, match="group go together, and those of al"):
        load(tmp_path, labels=table)


@pytest.mark.parametrize(
    "row, counted",
    [
        ("ant/000.png,9,0,12,8", True),
        ("ant/000.png,-5,0,0,8", True),
        ("ant/000.png,0,8,8,9", True),
        ("ant/000.png,7,7,12,12", False),
    ],
)
def test_boxes_outside_of_their_image_are_counted(tmp_path, row, counted):
    two_classes(tmp_path / "train")
    two_classes(tmp_path / "test", 3)
    other = "test/bee/100.png,1,1,3,3\n"
    (tmp_path / "boxes.csv").write_text(HEAD + other + f"test/{row}\n")
    lines = []
    data = keras_csg.load_data(tmp_path, log=lines.append)
    found = load_annotated(data)
    assert len(found.labels) == (1 if counted else 2)
    line = f"1 boxes lie outside of their image and count for nothing, such as that of 'test/ant/000.png' ({tmp_path / 'boxes.csv'}, line 3)."  # noqa: E501
    assert (line in lines) == counted


def test_a_link_stays_one(tmp_path):
    target = tmp_path / "elsewhere" / "a.csv"
    target.parent.mkdir()
    target.write_text("old")
    link = tmp_path / "a.csv"
    link.symlink_to(target)
    check_writable(link)
    with whole_file(link) as part:
        part.write_text("new")
    assert link.is_symlink() and target.read_text() == "new"


def test_a_pipe_is_not_replaced(tmp_path):
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    with pytest.raises(ValueError, match=r"pipe.csv: it is a pipe or a dev"):
        check_writable(path)
    with pytest.raises(OSError), whole_file(path):
        pass
    assert path.is_fifo()
