"""Property values of a resource's state: paths into them, what must not be shown of them, and how two of them differ.

Owns Pulumi's property paths (`spec.hard.pods`, `a[0].b`, `a["x.y"]`), its signatures of secrets and unknown values, and the
rule which properties are secret by their name. Does not own secrets that are known by their value (`redaction`), nor how
a value is written (`report`).
"""

import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final

from ci.redaction import SECRET_TEXT, says_secret

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"  # Pulumi's key for what JSON cannot express
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a marker, public
OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
# What stands for a value of each kind until the update makes it.
UNKNOWN_VALUES: Final = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
_PATH_PART = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|\.?([^.\[]+)')
_PLAIN_NAME = re.compile(r"[A-Za-z_$][\w$-]*")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# The last words of a property's name whose text is a secret even where a provider forgot to mark it.
_SECRET_NAMES = re.compile(
    r"(?:password|passwd|passphrase|token|(?:client|shared) secret|(?:secret|private|api|access) key data|"
    r"(?:secret|private|api|secret access) key)$"
)


class Mark(Enum):
    """What is said in place of a value."""

    SECRET = SECRET_TEXT
    UNKNOWN = "(known after the update)"
    ABSENT = ""


Path = tuple[str | int, ...]


def path_of(text: str) -> Path:
    """A property path, taken apart. What is not in the syntax becomes a part as it stands."""
    found: list[str | int] = []
    for quoted, index, plain in _PATH_PART.findall(text):
        if index:
            found.append(int(index[:9]))
        elif plain:
            found.append(plain)
        else:
            found.append(re.sub(r"\\(.)", r"\1", quoted))
    return tuple(found)


def text_of(path: Path, *, below: bool = False) -> str:
    """The path in Pulumi's syntax; below another one, with the dot that joins them."""
    text = "".join(map(_part, path))
    return text if below else text.removeprefix(".")


def _part(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _PLAIN_NAME.fullmatch(part) else f"[{json.dumps(part, ensure_ascii=False)}]"


def lookup(root: Any, path: Path) -> Any:
    """What is at the path: plain data without secrets, or a mark. A secret on the way makes all below it secret."""
    value = root
    for part in path:
        value = _child(value, part)
        if isinstance(value, Mark):
            return value
    return masked(value)


def _child(parent: Any, part: str | int) -> Any:
    if isinstance(parent, dict):
        key = str(part)
        if key not in parent:
            return Mark.ABSENT
        return Mark.SECRET if secret_by_name(parent, key) else _mark_or_same(parent[key])
    if isinstance(parent, list) and isinstance(part, int) and part < len(parent):
        return _mark_or_same(parent[part])
    return Mark.ABSENT


def secret_by_name(parent: Mapping[str, Any], key: str) -> bool:
    """A text that is named like a secret, or the value of a pair that is (`{"key": "SCW_SECRET_KEY", "value": …}`)."""
    if not isinstance(parent[key], str) or not parent[key]:
        return False
    if key == "value":
        return any(isinstance(n := parent.get(name), str) and says_secret(n) for name in ("key", "name"))
    if key.isupper() and says_secret(key):
        return True
    return bool(_SECRET_NAMES.search(" ".join(_WORDS.findall(key)).lower()))


def _mark_or_same(value: Any) -> Any:
    if isinstance(value, str):
        if value in UNKNOWN_VALUES:
            return Mark.UNKNOWN
        # A text may hold a whole document, such as Kubernetes' last applied configuration.
        return Mark.SECRET if value == SECRET_TEXT or SECRET_SIGNATURE in value else value
    if isinstance(value, dict) and SIGNATURE in value:
        kind = value[SIGNATURE]
        if kind == SECRET_SIGNATURE or value.get("secret") is True:
            return Mark.SECRET
        if kind == OUTPUT_SIGNATURE:
            return _mark_or_same(value["value"]) if "value" in value else Mark.UNKNOWN
    return value


def masked(value: Any) -> Any:
    """The value with marks in place of what is secret or unknown, and without the bridge's own `__defaults`."""
    value = _mark_or_same(value)
    if isinstance(value, dict):
        return {
            key: Mark.SECRET if secret_by_name(value, key) else masked(inner)
            for key, inner in value.items()
            if key != "__defaults"
        }
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    return value


def differences(path: Path, old: Any, new: Any) -> Iterator[tuple[Path, Any, Any]]:
    """Where two masked values differ, as deep as both are of one kind; whole where they are not."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from differences((*path, key), old.get(key, Mark.ABSENT), new.get(key, Mark.ABSENT))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            pair = (values[index] if index < len(values) else Mark.ABSENT for values in (old, new))
            yield from differences((*path, index), *pair)
    elif type(old) is not type(new) or old != new:
        yield path, old, new


def holds_secret(value: Any) -> bool:
    """Whether a masked value is or holds a secret."""
    if isinstance(value, dict):
        return any(map(holds_secret, value.values()))
    return any(map(holds_secret, value)) if isinstance(value, list) else value is Mark.SECRET


def plain_secrets(value: Any) -> Iterator[str]:
    """The texts of secrets that stand in the data as they are (`pulumi preview --show-secrets`): known from now on."""
    if isinstance(value, dict):
        kind = value.get(SIGNATURE)
        if kind == SECRET_SIGNATURE or (kind == OUTPUT_SIGNATURE and value.get("secret") is True):
            for inner in (value.get("plaintext"), value.get("value")):
                yield from _texts(_decoded(inner))
        else:
            for inner in value.values():
                yield from plain_secrets(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from plain_secrets(inner)


def _decoded(value: Any) -> Any:
    """A plaintext is JSON in a text."""
    if not isinstance(value, str):
        return value
    try:
        return [json.loads(value), value]
    except (ValueError, RecursionError):
        return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)
