"""What the two stand-ins share over HTTP: routes, replies, errors, authentication and the request log.

Owns the way from a socket to a handler and back. A route that nobody declared answers 501 and names itself, so that a
missing one is seen at once; the request log remembers it (`unknown`), and tests fail on it.

Does not own what an API means (`sandbox.scaleway`, `sandbox.gitlab`) nor how its errors are worded: each service says
that by the `ApiError`s that it raises.
"""

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from werkzeug.datastructures import Headers, MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from sandbox.faults import Faults
from sandbox.requests import RequestLog
from sandbox.store import Record, Store

JSON = Any  # what json.loads may return

log = logging.getLogger("sandbox")


class ApiError(Exception):
    """An answer that is an error: the status and the body, just as the real API words it."""

    def __init__(self, status: int, body: JSON, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.body, self.headers = status, body, dict(headers or {})


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer: the status, a body that is sent as JSON (bytes and text as they are; None sends none)."""

    status: int = 200
    body: JSON = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request on its way to a handler. `args` are the route's parts, unquoted; `caller` is what authenticate said."""

    store: Store
    operation: str
    method: str
    path: str
    args: Mapping[str, str]
    query: MultiDict[str, str]
    headers: Headers
    body: Record
    raw_body: bytes
    base_url: str
    remote_address: str
    faults: Faults
    operations: frozenset[str]
    caller: Any = None


Handler = Callable[[Call], Reply | JSON]


@dataclass(frozen=True)
class Route:
    """One operation of an API: `rule` is a werkzeug rule on the raw (still escaped) path."""

    method: str
    rule: str
    operation: str
    handler: Handler
    public: bool = False


class Routes:
    """The operations of one product; a decorator per method puts each route beside its handler."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def add(self, method: str, rule: str, operation: str, *, public: bool = False) -> Callable[[Handler], Handler]:
        """Declares a route. `operation` is the name in the API's own reference; `public` needs no credentials."""

        def register(handler: Handler) -> Handler:
            self._routes.append(Route(method, rule, operation, handler, public))
            return handler

        return register

    def get(self, rule: str, operation: str) -> Callable[[Handler], Handler]:
        return self.add("GET", rule, operation)

    def post(self, rule: str, operation: str) -> Callable[[Handler], Handler]:
        return self.add("POST", rule, operation)

    def put(self, rule: str, operation: str) -> Callable[[Handler], Handler]:
        return self.add("PUT", rule, operation)

    def patch(self, rule: str, operation: str) -> Callable[[Handler], Handler]:
        return self.add("PATCH", rule, operation)

    def delete(self, rule: str, operation: str) -> Callable[[Handler], Handler]:
        return self.add("DELETE", rule, operation)


@lru_cache(maxsize=8)
def _map_of(routes: tuple[Route, ...]) -> Map:
    """Kept, because werkzeug compiles each rule, and tests start a service often."""
    rules = [Rule(r.rule, methods=[r.method], endpoint=r) for r in routes]
    return Map(rules, strict_slashes=False, merge_slashes=False)


class Service:
    """One stand-in as a WSGI application.

    `authenticate` gets the call of a route that is not public and returns who is calling, or raises ApiError. Handlers run
    one at a time inside a transaction of the store, so a handler that fails leaves no half-made record; they must not wait.
    """

    def __init__(
        self,
        name: str,
        store: Store,
        routes: Iterable[Route],
        *,
        authenticate: Callable[[Call], Any],
        requests: RequestLog,
    ) -> None:
        self.name, self.store, self.requests = name, store, requests
        self.routes = list(routes)
        self._authenticate = authenticate
        self.faults = Faults()
        self._operations = frozenset(r.operation for r in self.routes if not _is_own(r.operation))
        self._map = _map_of(tuple(self.routes))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        started = time.monotonic()
        path = str(environ.get("REQUEST_URI", request.path)).partition("?")[0]
        operation, act = self._matched(request, path)
        fault = None if _is_own(operation) else self.faults.meet(operation)
        if fault:
            self.faults.be_late(fault)
            if fault.drop == "before":
                raise _dropped(environ)
        reply = self._failed(fault.status, fault.retry_after) if fault and fault.status else act()
        if fault and fault.fields and isinstance(reply.body, dict):
            reply = replace(reply, body=reply.body | dict(fault.fields))
        if not _is_own(operation):
            self.requests.add(
                service=self.name,
                operation=operation,
                method=request.method,
                path=path,
                query=request.query_string.decode(),
                status=reply.status,
                milliseconds=round((time.monotonic() - started) * 1000, 1),
                request=request.get_data(),
                reply=reply.body,
                **({"fault": fault.operation} if fault else {}),
            )
        if fault and fault.drop == "after":
            raise _dropped(environ)
        response = Response(status=reply.status, headers=dict(reply.headers))
        if reply.body is not None:
            response.content_type = reply.content_type
            body = reply.body
            response.data = body if isinstance(body, bytes | str) else json.dumps(body)
            if fault and fault.malformed:
                response.data = response.data[: len(response.data) // 2] + b"\x00"
        return response(environ, start_response)

    def _matched(self, request: Request, path: str) -> tuple[str, Callable[[], Reply]]:
        """The operation that a request asks for, and what answers it."""
        try:
            route, args = self._map.bind("").match(path_info=path, method=request.method)
        except HTTPException:
            message = f"the sandbox's {self.name} has no route {request.method} {path}"
            log.warning(message)
            return "unknown", lambda: Reply(status=501, body={"message": message, "type": "not_implemented"})
        assert isinstance(route, Route)
        return route.operation, lambda: self._answer(request, path, route, args)

    def _failed(self, status: int, retry_after: int | None) -> Reply:
        """An error that has nothing to do with the request."""
        reason = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return Reply(status=status, body=self.failure(status, reason), headers=headers)

    def failure(self, status: int, reason: str) -> JSON:
        """How the API words such an error; a service with words of its own says them."""
        return {"message": f"{status} {reason}"}

    def _answer(self, request: Request, path: str, route: Route, args: Mapping[str, str]) -> Reply:
        raw = request.get_data()
        try:
            form = request.mimetype == "multipart/form-data"  # its parts are for the handler
            body = json.loads(raw) if raw and not form else {}
        except (ValueError, RecursionError) as error:  # also text that is not UTF-8
            return Reply(status=400, body={"message": f"the body is not JSON: {error}"})
        try:
            call = Call(
                store=self.store,
                operation=route.operation,
                method=request.method,
                path=path,
                args={k: unquote(v) for k, v in args.items()},
                query=request.args,
                headers=Headers(request.headers),
                body=body,
                raw_body=raw,
                base_url=request.host_url.rstrip("/"),
                remote_address=str(request.environ.get("REMOTE_ADDR", "")),
                faults=self.faults,
                operations=self._operations,
            )
            with self.store.transaction():
                if not route.public:
                    call = Call(**{**call.__dict__, "caller": self._authenticate(call)})
                result = route.handler(call)
        except ApiError as error:
            return Reply(status=error.status, body=error.body, headers=error.headers)
        except Exception as error:
            log.exception("%s failed", route.operation)
            message = f"the sandbox failed in {route.operation}: {type(error).__name__}: {error}"
            return Reply(status=500, body={"message": message, "type": "sandbox_failure"})
        return result if isinstance(result, Reply) else Reply(status=204 if result is None else 200, body=result)


def _is_own(operation: str) -> bool:
    return operation.startswith("_sandbox")


def _dropped(environ: Mapping[str, Any]) -> ConnectionError:
    """Ends the connection as a network does; the server takes the error for that."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return ConnectionAbortedError("dropped on purpose")


class _QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # as the real APIs; but werkzeug ends the connection after each answer, and says so

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: ARG002 - the base class names it
        log.debug(message, *args)


class Listener:
    """A service on a loopback port, served by threads of this process. The port is the given one if it is free."""

    def __init__(self, service: Service, port: int = 0) -> None:
        try:
            self._server = self._bind(service, port)
        except (OSError, SystemExit):  # werkzeug exits when a port is taken
            self._server = self._bind(service, 0)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=service.name, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        """Until it is closed; it waits for the next connection and does not look around meanwhile."""
        while not self._closing.is_set():
            self._server.handle_request()

    @staticmethod
    def _bind(service: Service, port: int) -> BaseWSGIServer:
        return make_server("127.0.0.1", port, service, threaded=True, request_handler=_QuietHandler)

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._closing.set()
        with socket.create_connection(("127.0.0.1", self.port)):  # the one that it waits for
            self._thread.join()
        self._server.server_close()
