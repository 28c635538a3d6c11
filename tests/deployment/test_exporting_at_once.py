"""Of several exports to one place one writes, and the others say so."""

import os
import subprocess
import sys
import threading

import pytest

import keras_csg
from keras_csg.deployment.publishing import alone_at
from tests.tiny import tiny_classifier

ASKS = """
import sys
import keras_csg
from tests.tiny import tiny_classifier
model = tiny_classifier()
print("ready", flush=True)
sys.stdin.readline()
try:
    keras_csg.export(model, sys.argv[1], outputs=["class_id"])
except ValueError as error:
    print(error)
else:
    print("written")
"""


def export(path, **options):
    return keras_csg.export(
        tiny_classifier(), path, outputs=["class_id"], **options
    )


@pytest.mark.parametrize("layout", [None, "triton"])
def test_one_that_comes_while_another_writes_is_one_line(tmp_path, layout):
    path = tmp_path / "new" / ("model" if layout else "model.onnx")
    with (
        alone_at(path),
        pytest.raises(ValueError, match="Another export is writing to .*mod"),
    ):
        export(path, layout=layout)
    export(path, layout=layout)
    assert not [name for name in os.listdir(path.parent) if name[0] == "."]


def test_other_places_in_the_folder_are_free(tmp_path):
    with alone_at(tmp_path / "other.onnx"):
        export(tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").exists()


def test_a_lock_that_a_killed_export_left_stops_nobody(tmp_path):
    (tmp_path / ".model.onnx.keras_csg.lock").touch()
    export(tmp_path / "model.onnx")
    assert not [name for name in os.listdir(tmp_path) if name[0] == "."]


def test_what_came_meanwhile_is_not_replaced(tmp_path):
    """One checked the place before the other began, and comes after it."""
    path = tmp_path / "model.onnx"
    export(path)
    written = path.read_bytes()
    with pytest.raises(ValueError, match="exists already"):
        export(path)
    assert path.read_bytes() == written


def test_none_is_with_another_though_all_begin_at_once(tmp_path):
    path = tmp_path / "deep" / "model.onnx"
    inside, most, failed = [], [], []

    def enter():
        try:
            with alone_at(path):
                inside.append(1)
                most.append(len(inside))
                inside.pop()
        except ValueError as error:
            failed.append(str(error))

    threads = [threading.Thread(target=enter) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1} and len(most) + len(failed) == 20
    assert all("Another export is writing" in text for text in failed)
    assert os.listdir(path.parent) == []


@pytest.mark.slow
def test_of_processes_that_begin_at_once_one_writes(tmp_path):
    path = tmp_path / "new" / "deep" / "model.onnx"
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", ASKS, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in asking:
        assert process.stdout.readline() == "ready\n"
    for process in asking:
        process.stdin.write("\n")
        process.stdin.flush()
    said = sorted(process.communicate()[0] for process in asking)
    assert said.pop() == "written\n"
    for line in said:
        assert "Another export is writing" in line or "exists already" in line
    assert sorted(os.listdir(path.parent)) == [
        "model.onnx",
        *(f"model.onnx{ending}.json" for ending in ("", ".labels", ".proof")),
    ]
