"""The allow-list: differences between recordings and the stand-in that are known, each with its reason.

Owns the form of allowed.yaml and which difference an entry is about. An entry is as narrow as it can be said:

* operation: METHOD and path, `*` for any part of it
* field: the field's path (`subnets[].region`), `*` for any letters
* what: the kind of difference (see `compare.Difference`)
* recorded, stand_in: the two sides as they are told, `*` for any letters (optional)
* recorded_before: a day; newer recordings must not differ so (optional)
* reason: why it is right that they differ
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from tests.fidelity.cassette import Interaction
from tests.fidelity.compare import Difference

FILE = Path(__file__).parent / "allowed.yaml"
_REQUIRED, _OPTIONAL = {"operation", "field", "what", "reason"}, {"recorded", "stand_in", "recorded_before"}


class AllowListError(Exception):
    """The allow-list is wrong; the message says which entry and why."""


@dataclass(frozen=True, kw_only=True)
class Allowed:
    operation: str
    field: str
    what: str
    reason: str
    recorded: str = "*"
    stand_in: str = "*"
    recorded_before: date | None = None

    def covers(self, interaction: Interaction, difference: Difference) -> bool:
        if self.recorded_before is not None and (interaction.recorded_on or date.max) >= self.recorded_before:
            return False
        return (
            _alike(f"{interaction.method} {interaction.path}", self.operation)
            and _alike(re.sub(r"\[\d+\]", "[]", difference.field), self.field)
            and difference.what == self.what
            and _alike(difference.recorded, self.recorded)
            and _alike(difference.answered, self.stand_in)
        )


def reason_for(allowed: Sequence[Allowed], interaction: Interaction, difference: Difference) -> Allowed | None:
    return next((entry for entry in allowed if entry.covers(interaction, difference)), None)


def read(path: Path = FILE) -> list[Allowed]:
    content = yaml.safe_load(path.read_text()) or []
    if not isinstance(content, list):
        raise AllowListError(f"{path}: must be a list of entries")
    return [_entry(path, number, entry) for number, entry in enumerate(content, 1)]


def _entry(path: Path, number: int, entry: Any) -> Allowed:
    at = f"{path}: entry {number}"
    if not isinstance(entry, dict):
        raise AllowListError(f"{at} must have fields")
    if wrong := [str(name) for name in entry if name not in _REQUIRED | _OPTIONAL]:
        raise AllowListError(f"{at} has unknown fields: {', '.join(wrong)}")
    if missing := sorted(name for name in _REQUIRED if not str(entry.get(name) or "").strip()):
        raise AllowListError(f"{at} lacks {', '.join(missing)}")
    if not isinstance(entry.get("recorded_before", date.min), date):
        raise AllowListError(f"{at}: recorded_before must be a day, as in 2026-06-01")
    return Allowed(**entry)


def _alike(text: str, pattern: str) -> bool:
    # Brackets are part of a field's path, not of the pattern.
    return fnmatchcase(text, pattern.replace("[", "[[]"))
