"""HTTP without an API: routes, raw paths, errors, transactions, connections and ports."""

import http.client
import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.admin import admin_routes
from sandbox.requests import RequestLog
from sandbox.store import Store
from sandbox.web import ApiError, Call, Listener, Reply, Routes, Service


def routes() -> Routes:
    found = Routes()

    @found.get("/echo", "echo")
    @found.post("/echo", "echo")
    def echo(call: Call) -> Any:
        return {
            "body": call.body,
            "query": call.query.to_dict(flat=False),
            "caller": call.caller,
            "host": call.base_url,
        }

    @found.get("/projects/<id>", "project")
    @found.get("/projects/<id>/files/<path:file>", "file")
    def project(call: Call) -> Any:
        return {"operation": call.operation, "args": dict(call.args), "path": call.path}

    @found.put("/things/<id>", "put")
    def put(call: Call) -> Any:
        return call.store.put("web.things", call.args["id"], call.body)

    @found.patch("/things/<id>", "fail")
    def fail(call: Call) -> Any:
        call.store.put("web.things", call.args["id"], call.body)
        if call.body.get("how") == "refused":
            raise ApiError(409, {"message": "refused"}, {"X-Reason": "taken"})
        raise KeyError(call.args["id"])

    @found.delete("/things/<id>", "delete")
    def delete(call: Call) -> None:
        call.store.delete("web.things", call.args["id"])

    @found.add("GET", "/public", "public", public=True)
    def public(call: Call) -> Reply:
        return Reply(status=202, body="text\n", content_type="text/plain", headers={"X-More": "1"})

    @found.add("GET", "/bytes", "bytes", public=True)
    def octets(call: Call) -> Reply:
        return Reply(body=b"\x00\xff", content_type="application/octet-stream")

    @found.add("GET", "/decodes", "decodes", public=True)
    def decodes(call: Call) -> Any:
        return json.loads("not JSON of the caller")

    return found


def authenticate(call: Call) -> str:
    if call.headers.get("X-Token") != "t0ken":
        raise ApiError(401, {"message": "denied"})
    return "alice"


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class Web:
    service: Service
    listener: Listener
    store: Store
    log: RequestLog
    connection: http.client.HTTPConnection

    def ask(self, method: str, path: str, body: Any = None, /, *, token: str = "t0ken") -> Answer:
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body)
        self.connection.request(method, path, body=raw, headers={"X-Token": token})
        reply = self.connection.getresponse()
        text = reply.read()
        is_json = text and reply.headers["Content-Type"] == "application/json"
        return Answer(reply.status, json.loads(text) if is_json else text, dict(reply.headers))


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    store, log = Store(tmp_path / "records.db"), RequestLog(tmp_path / "requests.jsonl")

    def reset() -> None:
        store.put("web.things", "reset", {"token": "secret"})

    extra = admin_routes("web", log, reset)
    service = Service("stand-in", store, [*routes(), *extra], authenticate=authenticate, requests=log)
    listener = Listener(service)
    connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=10)
    yield Web(service, listener, store, log, connection)
    connection.close()
    listener.close()
    log.close()
    store.close()


def test_a_handler_gets_body_query_and_caller(web: Web) -> None:
    answer = web.ask("POST", "/echo?a=1&a=2&b=%2F", {"x": [1]})
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.body == {
        "body": {"x": [1]},
        "query": {"a": ["1", "2"], "b": ["/"]},
        "caller": "alice",
        "host": web.listener.url,
    }


def test_a_method_that_is_no_route_is_unknown(web: Web) -> None:
    assert web.ask("GET", "/echo").status == 200
    assert web.ask("PUT", "/echo").status == 501


@pytest.mark.parametrize(
    ("path", "operation", "args"),
    [
        ("/projects/7", "project", {"id": "7"}),
        ("/projects/acme%2Fapp", "project", {"id": "acme/app"}),
        ("/projects/a%20b%25", "project", {"id": "a b%"}),
        ("/projects/acme%2Fapp/files/a/b%2Fc", "file", {"id": "acme/app", "file": "a/b/c"}),
    ],
)
def test_an_escaped_slash_is_part_of_a_name(web: Web, path: str, operation: str, args: dict[str, str]) -> None:
    assert web.ask("GET", path).body == {"operation": operation, "args": args, "path": path}


def test_a_slash_at_the_end_is_of_no_account(web: Web) -> None:
    assert web.ask("GET", "/echo/").status == 200


@pytest.mark.parametrize("path", ["/nowhere", "/projects", "/echo//x", "/projects/a/b"])
def test_an_unknown_route_names_itself_and_is_remembered(web: Web, path: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = web.ask("GET", path + "?q=1")
    message = f"the sandbox's stand-in has no route GET {path}"
    assert (answer.status, answer.body) == (501, {"message": message, "type": "not_implemented"})
    assert caplog.messages == [message]
    (entry,) = web.log.entries()
    assert entry | {"time": 0, "milliseconds": 0} == {
        "n": 1,
        "time": 0,
        "service": "stand-in",
        "operation": "unknown",
        "method": "GET",
        "path": path,
        "query": "q=1",
        "status": 501,
        "milliseconds": 0,
        "unknown": True,
        "request": None,
        "reply": answer.body,
    }


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b"{'a': 1}", b"[" * 100_000])
def test_a_body_that_is_not_json_is_the_callers_fault(web: Web, raw: bytes) -> None:
    answer = web.ask("POST", "/echo", raw)
    assert answer.status == 400
    assert answer.body["message"].startswith("the body is not JSON: ")


def test_json_that_a_handler_cannot_read_is_not_the_callers_fault(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    assert web.ask("GET", "/decodes").status == 500
    assert "decodes failed" in caplog.text


def test_a_stranger_is_turned_away_before_the_handler(web: Web) -> None:
    answer = web.ask("PUT", "/things/1", {"a": 1}, token="wrong")
    assert (answer.status, answer.body) == (401, {"message": "denied"})
    assert web.store.all("web.things") == []


def test_a_public_route_asks_nobody(web: Web) -> None:
    answer = web.ask("GET", "/public", token="wrong")
    assert (answer.status, answer.body, answer.headers["X-More"]) == (202, b"text\n", "1")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert web.ask("GET", "/bytes").body == b"\x00\xff"


def test_no_answer_is_no_content(web: Web) -> None:
    web.ask("PUT", "/things/1", {"a": 1})
    answer = web.ask("DELETE", "/things/1")
    assert (answer.status, answer.body) == (204, b"")
    assert web.store.all("web.things") == []


def test_a_refusal_undoes_what_the_handler_wrote(web: Web) -> None:
    answer = web.ask("PATCH", "/things/1", {"how": "refused"})
    assert (answer.status, answer.body, answer.headers["X-Reason"]) == (409, {"message": "refused"}, "taken")
    assert web.store.all("web.things") == []


def test_a_failure_is_told_logged_and_undone(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    answer = web.ask("PATCH", "/things/1", {"how": "broken"})
    message = "the sandbox failed in fail: KeyError: '1'"
    assert (answer.status, answer.body) == (500, {"message": message, "type": "sandbox_failure"})
    assert web.store.all("web.things") == []
    (record,) = caplog.records
    assert (record.message, record.levelno) == ("fail failed", logging.ERROR)
    assert record.exc_info is not None
    assert web.ask("GET", "/echo").status == 200, "it goes on"


def test_a_connection_is_for_one_request_and_the_answer_says_so(web: Web) -> None:
    """A client that kept it would write the next request into the void."""
    with socket.create_connection(("127.0.0.1", web.listener.port), timeout=10) as connection:
        connection.sendall(b"GET /public HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 202 ")
    assert b"\r\nConnection: close" in head
    assert body == b"text\n"


def test_requests_are_answered_side_by_side(web: Web) -> None:
    """A client that says nothing keeps nobody waiting."""
    with socket.create_connection(("127.0.0.1", web.listener.port)):
        assert web.ask("GET", "/echo").status == 200


def test_the_log_counts_requests_and_leaves_out_the_sandboxs_own(web: Web) -> None:
    web.ask("GET", "/echo?private_token=abc")
    web.ask("GET", "/_sandbox/health")
    web.ask("POST", "/echo", {"token": "abc", "name": "n"})
    first, second = web.ask("GET", "/_sandbox/requests").body
    assert (first["n"], first["query"], first["status"]) == (1, "private_token=[secret]", 200)
    assert (second["n"], second["request"]) == (2, {"token": "[secret]", "name": "n"})
    assert second["milliseconds"] >= 0
    assert web.ask("GET", "/_sandbox/requests?after=1").body == [second]
    assert web.ask("GET", "/_sandbox/requests?after=2").body == []


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "%D9%A3"])
def test_after_is_a_number(web: Web, after: str) -> None:
    assert web.ask("GET", f"/_sandbox/requests?after={after}").status == 400


def test_health_state_and_reset(web: Web) -> None:
    web.store.put("web.things", 1, {"name": "n", "secret_key": "s"})
    web.store.put("other.things", 1, {})
    assert web.ask("GET", "/_sandbox/health", token="").body == {"status": "ok"}
    assert web.ask("GET", "/_sandbox/state", token="").body == {"things": [{"name": "n", "secret_key": "[secret]"}]}
    assert web.ask("POST", "/_sandbox/reset", token="").body == {"status": "reset"}
    assert web.store.get("web.things", "reset") == {"token": "secret"}


def test_a_listener_takes_the_same_port_again(web: Web) -> None:
    first = Listener(web.service)
    port = first.port
    first.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    second = Listener(web.service, port)
    assert second.port == port
    second.close()


def test_a_listener_takes_another_port_where_its_own_is_taken(web: Web, capfd: pytest.CaptureFixture[str]) -> None:
    other = Listener(web.service, web.listener.port)
    assert other.port != web.listener.port
    assert other.url == f"http://127.0.0.1:{other.port}"
    other.close()


def test_a_form_in_parts_is_left_to_its_handler(web: Web) -> None:
    raw = b'--edge\r\nContent-Disposition: form-data; name="file"\r\n\r\nno JSON \xff\r\n--edge--\r\n'
    for kind, status in (("multipart/form-data; boundary=edge", 200), ("application/json", 400)):
        headers = {"X-Token": "t0ken", "Content-Type": kind}
        web.connection.request("POST", "/echo", body=raw, headers=headers)
        reply = web.connection.getresponse()
        body = json.loads(reply.read())
        assert (reply.status, body.get("body")) == (status, {} if status == 200 else None)
    assert [entry["request"] for entry in web.log.entries()] == ["[secret]", "[secret]"]


def test_two_services_of_the_same_routes_are_apart(web: Web, tmp_path: Path) -> None:
    """The map of routes is kept; what a service knows is its own."""
    store, log = Store(tmp_path / "other.db"), RequestLog(tmp_path / "other.jsonl")
    other = Service("other", store, web.service.routes, authenticate=authenticate, requests=log)
    listener = Listener(other)
    try:
        assert web.ask("PUT", "/things/1", {"a": 1}).status == 200
        connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=10)
        connection.request("GET", "/nowhere")
        answer = json.loads(connection.getresponse().read())
        connection.close()
        assert answer["message"] == "the sandbox's other has no route GET /nowhere"
        assert store.all("web.things") == []
    finally:
        listener.close()
        log.close()
        store.close()
