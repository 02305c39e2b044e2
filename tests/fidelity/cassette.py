"""Reads a recording of an API: a go-vcr cassette, of any of its versions.

Owns the file's form. Does not own what the recorded requests and answers mean.
"""

import json
import re
from dataclasses import dataclass
from datetime import date
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import yaml

from tests.quick_yaml import quick_yaml

JSON = Any
_FORM = "application/x-www-form-urlencoded"
_DURATION = re.compile(r"([0-9.]+)(h|ms|m|s|µs|ns)")  # as Go writes it: 1m2.5s
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}


class CassetteError(Exception):
    """The file is no cassette; the message says which file and why, in one line."""


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """One recorded request with its answer. `number` is its place in the file, from 0, as go-vcr counts.

    `seconds` is how long the answer took; None where the recording does not say.
    """

    number: int
    method: str
    host: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    content_type: str = ""
    body: str = ""
    code: int
    answer_text: str = ""
    recorded_on: date | None = None
    seconds: float | None = None

    @property
    def asked(self) -> JSON:
        """The request's body as JSON; None where it is none."""
        return parsed(self.body)

    @property
    def answer(self) -> JSON:
        return parsed(self.answer_text)

    @property
    def reads(self) -> bool:
        return self.method in ("GET", "HEAD")

    @property
    def request(self) -> tuple[object, ...]:
        """What tells one request from another: equal for a repeated one."""
        return (self.method, self.host, self.path, self.query, self.body)


def parsed(text: str) -> JSON:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def read(path: Path) -> list[Interaction]:
    try:
        content = quick_yaml(path.read_bytes())
    except OSError as error:
        raise CassetteError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise CassetteError(f"{path}: is no cassette: not YAML") from None
    interactions = content.get("interactions") if isinstance(content, dict) else None
    if not isinstance(interactions, list):
        raise CassetteError(f"{path}: is no cassette: it has no list of interactions")
    if not interactions:
        raise CassetteError(f"{path}: has no interactions: there is nothing to replay")
    found = []
    for number, interaction in enumerate(interactions):
        try:
            found.append(_interaction(number, interaction))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise CassetteError(f"{path}: is no cassette: interaction {number} cannot be read ({reason})") from None
    return found


def _interaction(number: int, interaction: dict[str, Any]) -> Interaction:
    request, response = interaction["request"], interaction["response"]
    url = urlsplit(_text(request["url"]))
    if not url.netloc or not url.path.startswith("/"):
        raise ValueError(f"{request['url']} is no URL")
    sent, answered = _headers(request), _headers(response)
    body, content_type = _text(request.get("body")), sent.get("content-type", "")
    if not body and _FORM in content_type and request.get("form"):
        # Some versions keep a form's fields only. Go counts those of the query among them.
        fields = [(name, _text(value)) for name, values in request["form"].items() for value in values]
        body = urlencode([one for one in fields if one not in parse_qsl(url.query, keep_blank_values=True)])
    return Interaction(
        number=number,
        method=str(request["method"] or "GET").upper(),  # Go leaves a GET's method empty
        host=url.netloc,
        path=url.path,
        query=tuple(parse_qsl(url.query, keep_blank_values=True)),
        content_type=content_type,
        body=body,
        code=_code(response),
        answer_text=_text(response.get("body")),
        recorded_on=_date(answered.get("date", "")),
        seconds=_seconds(_text(response.get("duration"))),
    )


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return "" if value is None else str(value)


def _headers(message: dict[str, Any]) -> dict[str, str]:
    headers = message.get("headers") or {}
    return {name.lower(): _text((values or [""])[0]) for name, values in headers.items()}


def _code(response: dict[str, Any]) -> int:
    """The number, or the one that the status line begins with: some versions write one of them only."""
    code = response.get("code")
    if code:
        return int(code)
    found = re.match(r"\d{3}", _text(response.get("status")))
    if found is None:
        raise ValueError("the answer has no status")
    return int(found[0])


def _seconds(text: str) -> float | None:
    """None where it is no duration, or none was written."""
    parts = _DURATION.findall(text)
    if not text or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in parts) or None


def _date(text: str) -> date | None:
    try:
        return parsedate_to_datetime(text).date()
    except ValueError:
        return None
