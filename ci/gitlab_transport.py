"""The way of every request to GitLab and of its answer back, within limits.

Owns that requests, and the token with them, go to the given server and nowhere else, whatever a redirect or a page's link
says; that an answer ends, by its size and by the clock; that a run asks a bounded number of times; and that nobody waits
longer before another try than is sensible, whatever a header asks for.

Does not own which requests are tried again (`gitlab_client`), nor what an answer must hold (`gitlab_answers`).
"""

import time
from collections.abc import Iterator, MutableMapping
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

MAX_ANSWER_BYTES: Final = 128_000_000  # the largest plan, or a page of 100 notes of GitLab's greatest length, with room
MAX_ANSWER_SECONDS: Final = 300  # for the body, once it has begun: at least 4 Mbit/s for the largest one
MAX_REQUESTS: Final = 500  # of one run: the tools need some tens; a list of which each page names a next one never ends
MAX_WAIT_SECONDS: Final = 60  # before another try; what GitLab.com asks for


class LimitError(requests.RequestException):
    """An answer, or their number, went over a limit; the text says which."""


class ElsewhereError(requests.RequestException):
    """An answer led to another server. Nothing was sent there."""


def session(server: str, most_requests: int | None = None) -> requests.Session:
    """A session for this server. The caller closes it."""
    made = requests.Session()
    adapter = _BoundedAdapter(server, most_requests)
    for scheme in ("https://", "http://"):
        made.mount(scheme, adapter)
    return made


class _BoundedAdapter(HTTPAdapter):
    def __init__(self, server: str, most_requests: int | None) -> None:
        super().__init__()
        self._origin = origin(server)
        self._most = MAX_REQUESTS if most_requests is None else most_requests
        self._sent = 0

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self._refuse_others(request.url or "")
        if self._sent == self._most:
            raise LimitError(f"more than {self._most:,} requests would be needed")
        self._sent += 1
        answer = super().send(request, *args, **kwargs)
        if answer.is_redirect:
            self._refuse_others(answer.url, answer.headers["Location"])
        _limit_wait(answer.headers)
        answer.raw = Body(answer.raw, most_bytes=MAX_ANSWER_BYTES, seconds=MAX_ANSWER_SECONDS)
        return answer

    def _refuse_others(self, url: str, relative: str = "") -> None:
        if origin(url, relative) != self._origin:
            raise ElsewhereError("another server")


class Body:
    """An answer's body as it comes, until it goes over a limit: LimitError. Everything else is that of the body itself.

    In the place of `raw` in requests' answer, which then tells a connection's errors in its own words.
    """

    def __init__(self, raw: Any, *, most_bytes: int, seconds: float) -> None:
        self._raw = raw
        self._most, self._seconds = most_bytes, seconds
        self._end = time.monotonic() + seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def stream(self, amount: int, decode_content: bool | None = None) -> Iterator[bytes]:
        """Whatever has come, without waiting for the whole amount: a slow server is noticed between two bytes."""
        size = 0
        while part := self._raw.read1(amount, decode_content=decode_content):
            size += len(part)
            if size > self._most:
                self._raw.close()
                raise LimitError(f"an answer is larger than {self._most:,} bytes")
            if time.monotonic() > self._end:
                self._raw.close()
                raise LimitError(f"an answer takes longer than {self._seconds} s")
            yield part


def origin(url: str, relative: str = "") -> tuple[str, str, int] | None:
    """Scheme, host and port; None: it has none."""
    try:
        parts = urlsplit(urljoin(url, relative))
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname and port else None


def _limit_wait(headers: MutableMapping[str, str]) -> None:
    """Leaves a Retry-After that is a sensible number of seconds, or none: python-gitlab does whatever it says."""
    after, reset = headers.pop("Retry-After", None), headers.pop("RateLimit-Reset", None)
    wait = _number(after)
    if wait is None and (until := _number(reset)) is not None:
        wait = max(0, until - int(time.time()))
    if wait is not None:
        headers["Retry-After"] = str(min(wait, MAX_WAIT_SECONDS))


def _number(text: str | None) -> int | None:
    """None: it is no number, such as a date, or one that no clock reaches."""
    usable = text is not None and text.isascii() and text.isdecimal()
    return int(text[:12]) if text is not None and usable else None
