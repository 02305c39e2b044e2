"""Fetches what a server has, within limits of size and time, however slowly it comes."""

import time
from collections.abc import Mapping

import requests

from ci.gitlab_transport import Body, LimitError


class StatusError(Exception):
    """The server answered otherwise than with 200: `status` says how."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class EndlessError(Exception):
    """The answer is larger, or takes longer, than it may."""


def downloaded(url: str, *, most_bytes: int, seconds: float, query: Mapping[str, str] | None = None) -> bytes:
    """The answer's body. `seconds` are for all of it; without a byte, a third of that.

    Raises StatusError, EndlessError, and requests.RequestException where the server cannot be reached.
    """
    end = time.monotonic() + seconds
    with requests.get(url, query, stream=True, timeout=seconds / 3) as answer:
        if answer.status_code != requests.codes.ok:
            raise StatusError(answer.status_code)
        answer.raw = Body(answer.raw, most_bytes=most_bytes, seconds=end - time.monotonic())
        try:
            return answer.content
        except LimitError:
            raise EndlessError from None
