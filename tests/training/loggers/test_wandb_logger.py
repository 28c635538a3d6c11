"""What training sends to W&B is read back out of the file of a run offline."""

import json
import struct
import time

import pytest

wandb = pytest.importorskip("wandb")
HEADER, BLOCK, BEFORE = 7, 32768, 7


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    for name in ("WANDB_API_KEY", "WANDB_DIR", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    wandb.teardown()  # It reads the environment once.
    yield
    wandb.teardown()


def records(run):
    """Reads the log of each part of a run, when each has its end."""
    folder, end = run.path / "wandb", time.monotonic() + 60
    while True:  # Its service writes when it gets to it.
        logs = sorted(folder.glob("offline-*/run-*.wandb"))
        parts = [read_records(log.read_bytes()) for log in logs]
        if all(any(r.HasField("exit") for r in part) for part in parts):
            return [record for part in parts for record in part]
        assert time.monotonic() < end
        time.sleep(0.1)


def read_records(data):
    """Reads what is whole of a log: pieces behind seven bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    found, place, whole = [], BEFORE, b""
    while place + HEADER <= len(data):
        left = BLOCK - place % BLOCK
        if left < HEADER:
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        if place + HEADER + length > len(data):
            break
        whole += data[place + HEADER : place + HEADER + length]
        place += HEADER + length
        if kind in (1, 4):  # All of it, or its end.
            found.append(Record.FromString(whole))
            whole = b""
    return found


def history(run):
    """The losses by their steps."""
    found = []
    for record in records(run):
        if record.WhichOneof("record_type") == "history":
            items = record.history.item
            values = {i.key or i.nested_key[0]: i.value_json for i in items}
            found.append((record.history.step.num, json.loads(values["loss"])))
    return found


def test_names_are_mere_text_there(start):
    begun = start("wandb", data="photos\n\x9b").begin().finish()
    (run,) = [r.run for r in records(begun.run) if r.HasField("run")]
    config = {i.key: json.loads(i.value_json) for i in run.config.update}
    assert config["data"] == r"photos\n\x9b"


def test_a_run_gone_on_with_is_one_run(start):
    begun = start("wandb", learning_rate=0.05).begin().epoch(1)
    begun.logger.stop("killed")
    time.sleep(1.1)  # W&B calls the parts of a run by the second.
    again = start("wandb").begin().epoch(2).epoch(3).finish()
    assert begun.lines == again.lines == []
    runs = [r.run for r in records(again.run) if r.HasField("run")]
    assert {run.run_id for run in runs} == {again.logger.run_id}
    assert {run.display_name for run in runs} == {"tiny"}
    assert {run.project for run in runs} == {"keras-csg"}
    config = {
        item.key: json.loads(item.value_json) for item in runs[0].config.update
    }
    assert config["learning_rate"] == 0.05 and "keras" in config["versions"]
    assert history(again.run) == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
    summary = {
        (item.key or item.nested_key[0]): json.loads(item.value_json)
        for record in records(again.run)
        for item in record.summary.update
    }
    assert summary["final/accuracy"] == 0.75
    files = {
        item.path
        for record in records(again.run)
        for item in record.files.files
    }
    assert {"config.json", "metrics.json", "gate.png"} <= files
    assert "model.keras" not in files


def test_without_an_account_nothing_is_begun(start, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("NETRC", "/dev/null")
    wandb.teardown()
    with pytest.raises(ValueError, match="Biases cannot be used.*WANDB_MODE"):
        start("wandb")


def test_a_run_of_the_users_own_is_left_alone(start, tmp_path):
    with wandb.init(dir=tmp_path) as own:
        start("wandb").begin().epoch(1).finish()
        assert wandb.run.id == own.id
        assert "loss" not in dict(own.summary)
