"""What is counted, and how much is said of mistakes."""

import numpy as np
import pytest

from keras_csg.serving.log_lines import LogLines
from tests.serving import stand_in
from tests.serving.stand_in import as_json, post, send, some_images


def figures(port):
    status, headers, text = send(port, "GET", "/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain")
    lines = [line for line in text.decode().splitlines() if line[0] != "#"]
    return {
        name: float(value)
        for name, value in (line.rsplit(" ", 1) for line in lines)
    }


def test_requests_failures_batches_and_times_are_counted():
    with stand_in.served() as server:
        found = figures(server.port)
        assert found['keras_csg_requests_total{protocol="http"}'] == 0
        for count in (2, 3):
            post(server.port, as_json(some_images(count)))
        post(server.port, b"{")
        post(server.port, as_json(np.full((1, *stand_in.SHAPE), 13)))
        found = figures(server.port)
    http = '{protocol="http"}'
    assert found[f"keras_csg_requests_total{http}"] == 4
    assert found['keras_csg_requests_total{protocol="grpc"}'] == 0
    failures = 'keras_csg_failures_total{protocol="http",whose="%s"}'
    assert found[failures % "client"] == 1
    assert found[failures % "server"] == 1
    assert found[f"keras_csg_request_seconds_count{http}"] == 4
    assert found["keras_csg_batch_images_count"] == 2
    assert found["keras_csg_batch_images_sum"] == 5
    assert found['keras_csg_batch_images_bucket{le="2.0"}'] == 1
    assert found["keras_csg_requests_in_flight"] == 0
    assert found["keras_csg_images_waiting"] == 0


def test_what_waits_is_counted():
    exported = stand_in.Colours()
    with stand_in.served(exported) as server:
        exported.go_on.clear()
        exported.begun.clear()
        first = server.service._batcher.submit(some_images(1))
        assert exported.begun.wait(30)
        second = server.service._batcher.submit(some_images(3))
        assert server.service._batcher.waiting == 3
        exported.go_on.set()
        first.result(30), second.result(30)


def test_many_mistakes_are_few_lines():
    clock, lines = [0.0], []
    log = LogLines(lines.append, lines=3, seconds=60, clock=lambda: clock[0])
    for number in range(10):
        log(f"mistake {number}")
    assert lines == ["mistake 0", "mistake 1", "mistake 2"]
    clock[0] = 60.0
    log("another")
    assert lines[3:] == ["7 more lines were left out.", "another"]


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\nb", r"a\nb"), ("\x1b[2J", r"\x1b[2J"), ("é", r"\xe9")],
)
def test_a_name_cannot_look_like_a_line_of_its_own(text, line):
    lines = []
    LogLines(lines.append)(text)
    assert lines == [line]
