"""A server begins, ends, and loses no request that has come."""

import http.client
import json
import socket
import threading
import time

import pytest

from keras_csg.serving.sockets import bound_socket
from tests.serving import stand_in
from tests.serving.stand_in import (
    NAME,
    Colours,
    arrays,
    as_json,
    check,
    get,
    post,
    some_images,
)


def test_it_is_not_ready_while_the_model_loads(monkeypatch):
    """Nor after: health is answered before there is a model."""
    seen, exported = {}, Colours()
    real = exported.answer

    def first_answer(images):
        port = ports.pop()
        seen["live"] = get(port, "/v2/health/live")
        seen["ready"] = get(port, "/v2/health/ready")
        seen["model"] = get(port, f"/v2/models/{NAME}/ready")
        seen["description"] = get(port, f"/v2/models/{NAME}")
        seen["infer"] = post(port, as_json(some_images(1)))
        monkeypatch.setattr(exported, "answer", real)
        return real(images)

    monkeypatch.setattr(exported, "answer", first_answer)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        ports = [probe.getsockname()[1]]
    with stand_in.served(exported, port=ports[0]) as server:
        assert get(server.port, "/v2/health/ready") == (200, {"ready": True})
    assert seen["live"] == (200, {"live": True})
    assert seen["ready"] == (503, {"ready": False})
    assert seen["model"][0] == 503
    for status, answer in (seen["description"], seen["infer"]):
        assert status == 503
        assert answer == {"error": "The server is loading."}


def test_it_is_not_ready_while_it_ends_and_answers_nevertheless():
    with stand_in.served() as server:
        server.service.begin_to_end()
        status, found = get(server.port, "/v2/health/ready")
        assert status == 503 and not found["ready"]
        assert get(server.port, "/v2/health/live")[0] == 200
        images = some_images(1)
        status, answer = post(server.port, as_json(images))
        assert status == 200
        check(arrays(answer), images)


def test_requests_that_have_come_are_answered_before_the_end():
    exported, found = Colours(), {}
    with stand_in.served(exported) as server:
        exported.go_on.clear()
        exported.begun.clear()

        def ask(number):
            images = some_images(2, seed=number)
            found[number] = images, post(server.port, as_json(images))

        asking = [threading.Thread(target=ask, args=(n,)) for n in range(5)]
        for thread in asking:
            thread.start()
        assert exported.begun.wait(30)
        wait_until(lambda: server.service._in_flight == 5)
        closing = threading.Thread(target=server.close)
        closing.start()
        wait_until(lambda: not server.service.ready)
        exported.go_on.set()
        for thread in [*asking, closing]:
            thread.join(30)
    assert len(found) == 5
    for images, (status, answer) in found.values():
        assert status == 200
        check(arrays(answer), images)
    with pytest.raises(OSError):
        get(server.port, "/v2/health/live")


def test_clients_that_keep_their_connection_are_told_before_it_ends():
    """What comes at the very end would be lost with the connection."""
    told, lost = [], []

    def ask(port):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            while True:
                client.request("GET", "/v2/health/live")
                response = client.getresponse()
                assert response.read() == b'{"live":true}'
                if response.will_close:
                    return told.append(response.getheader("connection"))
        except OSError as error:
            lost.append(error)

    with stand_in.served() as server:
        asking = [
            threading.Thread(target=ask, args=(server.port,)) for _ in range(8)
        ]
        for thread in asking:
            thread.start()
        time.sleep(0.2)
        server.close()
        for thread in asking:
            thread.join(30)
    assert not lost
    assert told == ["close"] * 8


def wait_until(true, seconds=30):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_answers_are_not_held_back_for_more_of_them():
    """As TCP does with a small part whose forerunner was not confirmed."""
    with bound_socket("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP


def test_it_may_be_closed_twice():
    with stand_in.served() as server:
        server.close()
        server.check()


@pytest.mark.parametrize("which", ["port", "grpc_port"])
def test_a_port_that_is_taken_is_one_line(which):
    with stand_in.served(grpc_port=0) as first:
        taken = getattr(first, which)
        for other in ("port", "grpc_port"):
            with (
                pytest.raises(ValueError, match=f"Cannot listen.*{taken}"),
                stand_in.served(**{"grpc_port": 0} | {other: taken}),
            ):
                pass
        assert get(first.port, "/v2/health/ready")[1]["ready"]


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1", "a b"])
def test_a_host_that_is_not_of_this_machine_is_one_line(host):
    with (
        pytest.raises(ValueError, match="`host` of this machine"),
        stand_in.served(host=host),
    ):
        pass


def test_a_model_that_cannot_be_opened_leaves_no_server():
    class Broken(Colours):
        def _run(self, images):
            raise ValueError("broken")

    before = threading.active_count()
    with (
        pytest.raises(ValueError, match="broken"),
        stand_in.served(Broken(), grpc_port=0),
    ):
        pass
    wait_until(lambda: threading.active_count() <= before + 1)


def test_nobody_is_told_what_serves_it():
    with stand_in.served() as server:
        _, headers, body = stand_in.send(server.port, "GET", "/v2")
    assert "server" not in headers
    assert "starlette" not in json.dumps(json.loads(body)).lower()
