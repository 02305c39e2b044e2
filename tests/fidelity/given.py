"""What a recording takes for granted: the account that it was made in.

Owns finding it in the recorded requests and answers. Nothing here is made by the recording itself: its organization, its
projects and users were there before, and the Kubernetes versions that it asks for were on offer then.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.fidelity.cassette import Interaction
from tests.fidelity.mapping import ids_in

JSON = Any

_VERSION = re.compile(r"\d+\.\d+\.\d+")
_USERS = re.compile(r"/users/([^/]+)")
_ORGANIZATIONS, _PROJECTS = frozenset({"organization_id", "organization"}), frozenset({"project_id", "project"})


@dataclass(frozen=True, kw_only=True)
class Given:
    """The account of a recording. `access_key` is the caller's own, where the recording looks at it."""

    organization_id: str | None
    project_id: str | None
    projects: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    access_key: str | None = None
    versions: tuple[str, ...] = ()


def given(recording: Sequence[Interaction]) -> Given:
    made = {thing for i in recording if i.method == "POST" for thing in _made(i)}
    sides = [side for i in recording for side in (i.asked, dict(i.query), i.answer)]
    organizations = Counter(v for side in sides for v in _values(side, _ORGANIZATIONS))
    organization_id = organizations.most_common(1)[0][0] if organizations else None
    asked = [side for i in recording for side in (i.asked, dict(i.query))]
    named = [v for side in asked for v in _values(side, {"default_project_id", "project_ids"})]
    listed = re.findall(r"/projects/([^/\n]+)", "\n".join(i.path for i in recording))
    seen = [v for side in sides for v in _values(side, _PROJECTS)]
    # Images, for one, are of projects of other organizations: what the client names comes first.
    own = [v for side in asked for v in _values(side, _PROJECTS)]
    projects = [p for p in dict.fromkeys([*own, *named, *listed, *seen]) if ids_in(p) == [p] and p not in made]
    users = [v for side in asked for v in _values(side, {"user_id", "user_ids"})]
    users += [v for i in recording for v in _USERS.findall(i.path)]
    return Given(
        organization_id=organization_id,
        project_id=projects[0] if projects else organization_id,
        projects=tuple(projects[1:]),
        users=tuple(u for u in dict.fromkeys(users) if ids_in(u) == [u] and u not in made),
        access_key=_own_key(recording, made),
        versions=tuple(dict.fromkeys(_versions(recording))),
    )


def _made(interaction: Interaction) -> Iterator[str]:
    answer = interaction.answer
    if isinstance(answer, dict):
        for name in ("id", "access_key"):
            if isinstance(answer.get(name), str):
                yield answer[name]


def _own_key(recording: Sequence[Interaction], made: set[str]) -> str | None:
    """An API key that the recording reads without having made it: the providers look at their own."""
    keys = [i.path.rpartition("/")[2] for i in recording if i.reads and "/api-keys/" in i.path]
    return next((key for key in keys if ids_in(key) == [key] and key not in made), None)


def _versions(recording: Sequence[Interaction]) -> Iterator[str]:
    """The Kubernetes versions that the recording's requests name."""
    for interaction in recording:
        if interaction.path.startswith("/k8s/"):
            yield from (v for v in _values(interaction.asked, {"version"}) if _VERSION.fullmatch(v))
            yield from (part for part in interaction.path.split("/") if _VERSION.fullmatch(part))


def on_offer(wanted: Iterable[str], offered: Sequence[str]) -> dict[str, str]:
    """Which version on offer (newest first) stands for each wanted one.

    The one of the same minor version where all have one; else the newest for the newest and so on, so that what was an
    upgrade stays one.
    """
    wanted = list(wanted)
    by_minor = {_minor(version): version for version in reversed(offered)}
    minors = sorted({_minor(version) for version in wanted}, reverse=True)
    if not all(minor in by_minor for minor in minors) and offered:
        newest = list(dict.fromkeys(_minor(version) for version in offered))
        by_minor = {minor: by_minor[newest[min(place, len(newest) - 1)]] for place, minor in enumerate(minors)}
    return {v: by_minor[_minor(v)] for v in wanted if v not in offered and _minor(v) in by_minor}


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _values(value: JSON, names: Iterable[str]) -> Iterator[str]:
    """The texts of fields of these names, at any depth."""
    if isinstance(value, list):
        for inner in value:
            yield from _values(inner, names)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in names:
                yield from (v for v in (inner if isinstance(inner, list) else [inner]) if isinstance(v, str) and v)
            yield from _values(inner, names)
