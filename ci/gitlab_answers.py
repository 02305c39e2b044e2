"""What must be in GitLab's answers before a tool acts on them.

Owns the shape of each kind of record as far as it is read, and that one of another shape is an error which says what is
wrong with it; a proxy's page, a newer GitLab or a broken one is never taken for an answer. What is wrong is not shown: it
may be anything.

Source: GitLab, REST API: "Projects", "Branches", "Commits", "Merge requests", "Notes", "Pipelines", "Jobs", "Users".
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import gitlab
import requests
from gitlab.base import RESTObject

Record = Mapping[str, Any]
# How python-gitlab fails, which takes any JSON for a list, anything for an id and for the address of the next page.
_TAKEN_FOR_RIGHT: Final = (LookupError, TypeError, ValueError)
T = TypeVar("T", bound=RESTObject)
_HEX = re.compile(r"[0-9a-f]{40,64}")
_LINK = re.compile(r"https?://[!-~]{1,2000}")


class AnswerError(gitlab.GitlabError):
    """An answer that is none of GitLab's; the text says why, as it follows "an answer of …"."""


@dataclass(frozen=True)
class _Check:
    """What a value must be: in words, and as a test."""

    rule: str
    holds: Callable[[Any], bool]

    def or_none(self) -> "_Check":
        return _Check(f"{self.rule} or null", lambda value: value is None or self.holds(value))


def _is_time(value: Any) -> bool:
    try:
        # One that has a zone, and a day before it: they are compared and reckoned with.
        return datetime.fromisoformat(value).tzinfo is not None and not value.startswith("0001")
    except (TypeError, ValueError):
        return False


_NUMBER = _Check("a number", lambda value: type(value) is int and 0 < value < 2**63)
_TEXT = _Check("text", lambda value: isinstance(value, str))
_SHA = _Check("a commit's SHA", lambda value: isinstance(value, str) and _HEX.fullmatch(value) is not None)
_FLAG = _Check("true or false", lambda value: isinstance(value, bool))
_TIME = _Check("a time", _is_time)
_URL = _Check("an address", lambda value: isinstance(value, str) and _LINK.fullmatch(value) is not None)


def _object(**fields: _Check) -> _Check:
    rules = " and ".join(f"{name}, {check.rule}" for name, check in fields.items())
    return _Check(
        f"an object with {rules}",
        lambda value: isinstance(value, dict) and all(check.holds(value.get(name)) for name, check in fields.items()),
    )


def _list(each: _Check) -> _Check:
    return _Check(f"a list, each {each.rule}", lambda value: isinstance(value, list) and all(map(each.holds, value)))


@dataclass(frozen=True)
class Shape:
    """A kind of record, and what is read of it."""

    what: str
    fields: Mapping[str, _Check]


_PEOPLE = _list(_object(id=_NUMBER)).or_none()

PROJECT: Final = Shape("a project", {"id": _NUMBER, "path_with_namespace": _TEXT, "web_url": _URL})
BRANCH: Final = Shape("a branch", {"commit": _object(id=_SHA)})
COMMIT: Final = Shape("a commit", {"id": _SHA, "committed_date": _TIME})
USER: Final = Shape("a user", {"id": _NUMBER, "username": _TEXT})
MERGE_REQUEST: Final = Shape(
    "a merge request",
    {
        "iid": _NUMBER,
        "title": _TEXT,
        "description": _TEXT.or_none(),
        "web_url": _URL,
        "author": _object(username=_TEXT).or_none(),
        "assignees": _PEOPLE,
        "reviewers": _PEOPLE,
        "source_project_id": _NUMBER.or_none(),  # of a fork that is gone
        "target_project_id": _NUMBER,
        "sha": _SHA.or_none(),
        "merge_commit_sha": _SHA.or_none(),
        "squash_commit_sha": _SHA.or_none(),
        "merged_at": _TIME.or_none(),
        "squash": _FLAG.or_none(),
        "force_remove_source_branch": _FLAG.or_none(),
    },
)
PIPELINE: Final = Shape("a pipeline", {"id": _NUMBER, "project_id": _NUMBER, "ref": _TEXT, "sha": _SHA})
JOB: Final = Shape("a job", {"id": _NUMBER, "name": _TEXT, "status": _TEXT, "web_url": _URL})
NOTE: Final = Shape("a note", {"id": _NUMBER, "body": _TEXT, "system": _FLAG, "author": _object(id=_NUMBER).or_none()})


def checked(found: object, shape: Shape) -> Record:
    """The record, when it has the shape. Raises AnswerError."""
    record = found.attributes if isinstance(found, RESTObject) else found
    if not isinstance(record, dict):
        raise AnswerError(f"{shape.what} is no object")
    for name, check in shape.fields.items():
        if not check.holds(record.get(name)):
            raise AnswerError(f"{name} of {shape.what} must be {check.rule}")
    return record


def asked(ask: Callable[[], T], shape: Shape) -> T:
    """The object that a call of python-gitlab gives, when its record has the shape. Raises AnswerError."""
    try:
        found = ask()
    except requests.RequestException:
        raise
    except _TAKEN_FOR_RIGHT:
        raise AnswerError(f"{shape.what} has no id") from None
    checked(found, shape)
    return found


def each(listed: Iterable[RESTObject], shape: Shape) -> Iterator[Record]:
    """The records of a list, page by page as far as somebody asks for them. Raises AnswerError."""
    pages = iter(listed)
    while True:
        try:
            found = next(pages)
        except StopIteration:
            return
        except requests.RequestException:
            raise
        except _TAKEN_FOR_RIGHT:
            raise AnswerError(f"a list must be one, with {shape.what} in each place and an address for more") from None
        yield checked(found, shape)
