"""Clients that do not send all they announced harm no other."""

import contextlib
import functools
import json
import logging
import socket
import threading
import time

from keras_csg.serving import http_app, log_lines
from keras_csg.serving import server as serving
from tests.serving import stand_in
from tests.serving.stand_in import INFER, as_json, post, some_images

GOOD = as_json(some_images(1))


def test_a_client_that_sends_nothing_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(http_app, "BODY_SECONDS", 0.2)
    with (
        stand_in.served() as server,
        socket.create_connection(("127.0.0.1", server.port), 30) as slow,
    ):
        head = f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
        slow.sendall(head.encode())
        assert b" 408 " in slow.recv(1000)


HEAD = f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Length: "


def begin(port, length, part):
    """Returns a socket of a client that sends a part of a body."""
    client = socket.create_connection(("127.0.0.1", port), 30)
    client.sendall(f"{HEAD}{length}\r\n\r\n".encode() + part)
    return client


def test_clients_that_stall_shut_out_nobody(monkeypatch):
    monkeypatch.setattr("keras_csg.serving.service.MOST_REQUESTS", 1)
    monkeypatch.setattr(http_app, "BODY_SECONDS", 1)
    with stand_in.served() as server, contextlib.ExitStack() as clients:
        stalled = [
            clients.enter_context(begin(server.port, 500, b"{ {"))
            for _ in range(5)
        ]
        assert post(server.port, GOOD)[0] == 200
        for client in stalled:
            answer = b"".join(iter(functools.partial(client.recv, 1000), b""))
            assert b" 408 " in answer and b"within 1 s" in answer
        assert post(server.port, GOOD)[0] == 200
        assert server.service._in_flight == 0


def test_what_is_announced_as_far_too_large_is_refused_at_once():
    with stand_in.served() as server:
        with begin(server.port, 99_999_999_999, b"") as client:
            begun = time.monotonic()
            answer = b"".join(iter(functools.partial(client.recv, 1000), b""))
        assert b" 413 " in answer and b"bytes at most" in answer
        assert time.monotonic() - begun < 20
        assert post(server.port, GOOD)[0] == 200


def test_what_is_no_request_is_a_line_but_not_each_of_many(caplog):
    with stand_in.served() as server:
        for _ in range(100):
            with socket.create_connection(
                ("127.0.0.1", server.port), 30
            ) as client:
                client.sendall(b"\x16\x03\x01\r\n\r\n")
                assert b" 400 " in client.recv(1000)
        assert 1 <= len(caplog.records) <= log_lines.LINES
        for name in log_lines.LOGGERS:
            logging.getLogger(name).error("once more")
        assert len(caplog.records) == log_lines.LINES
    logging.getLogger("asyncio").error("afterwards")
    assert len(caplog.records) == log_lines.LINES + 1


def test_what_comes_slowly_gives_way_where_all_is_too_much(monkeypatch):
    monkeypatch.setattr(http_app, "HELD", 1)
    with stand_in.served() as server:
        with begin(server.port, 20_000, bytes(19_999)) as oldest:
            body = json.dumps(GOOD).encode()
            assert post(server.port, body)[0] == 200
            assert b" 408 " in oldest.recv(1000)


def test_what_does_not_come_before_the_end_is_told_so(monkeypatch, caplog):
    monkeypatch.setattr(serving, "DRAIN_SECONDS", 2)
    with contextlib.ExitStack() as clients:
        with stand_in.served() as server:
            stalled = [
                clients.enter_context(begin(server.port, 500, part))
                for part in (b"", b"{ {")
            ]
            time.sleep(0.3)  # Until it reads them.
            server.close()
        for client in stalled:
            answer = b"".join(iter(functools.partial(client.recv, 1000), b""))
            assert b" 503 " in answer and b"The server ends." in answer
    assert not caplog.records


def test_what_is_not_answered_before_the_end_is_a_line(monkeypatch, caplog):
    monkeypatch.setattr(serving, "DRAIN_SECONDS", 0.5)
    exported = stand_in.Colours()
    with stand_in.served(exported) as server:
        exported.go_on.clear()
        exported.begun.clear()
        body = json.dumps(GOOD).encode()
        with begin(server.port, len(body), body):
            assert exported.begun.wait(30)
            ending = threading.Thread(target=server.close)
            ending.start()
            time.sleep(1.5)
            exported.go_on.set()
            ending.join(30)
    (record,) = caplog.records
    assert "1 running task" in record.getMessage() and not record.exc_info
