"""What the user reads when settings are wrong: every problem at once, each with the way to mend it.

Owns the wording. Does not own the rules: `sections/`, `setting_rules.py` and `cluster_rules.py` do.
"""

import difflib
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args, get_origin

import pulumi
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

MAX_TOLD: Final = 200  # problems: whoever has made more mends one kind of them and runs again
_LONGEST_VALUE = 60
_PLAIN_PART = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One wrong setting. `rule` follows the key ("must be …"), `consequence` follows "or"; `fix` is a command."""

    key: str
    rule: str
    consequence: str
    fix: str
    value: Any = None

    def text(self, file: str) -> str:
        shown = ""
        if self.value is not None:
            text = repr(self.value) if isinstance(self.value, str) else json.dumps(self.value)
            shown = " = " + (text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…")
        return f"  {self.key}{shown} ({file}): {self.rule}, or {self.consequence}.\n    Fix: {self.fix}"


class ConfigError(pulumi.RunError):
    """Settings are wrong. The engine prints the message without a traceback, and no resource was declared."""

    def __init__(self, problems: Sequence[Problem], stack: str, verdict: str = "wrong") -> None:
        self.problems = tuple(problems)
        file = f"Pulumi.{stack}.yaml"
        count = "1 setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        body = "\n".join(p.text(file) for p in problems[:MAX_TOLD])
        if len(problems) > MAX_TOLD:
            body += f"\n  … and {len(problems) - MAX_TOLD:,} more. Fix: mend these, and run it again"
        super().__init__(f"{count} {verdict}; nothing was created or changed.\n\n{body}\n")


def set_command(key: str, value: object) -> str:
    """The shell command that sets a key in the selected stack's file, or every key of an object or a list."""
    leaves = list(_leaves(key, value))
    if len(leaves) == 1:
        return f"pulumi config set --path {shlex.quote(leaves[0][0])} {shlex.quote(leaves[0][1])}"
    return "pulumi config set-all --path " + " ".join(f"--plaintext {shlex.quote(f'{k}={v}')}" for k, v in leaves)


def remove_command(key: str) -> str:
    """The shell command that removes a key from the selected stack's file: its default holds then."""
    return f"pulumi config rm --path {shlex.quote(key)}"


def as_argument(fix: str) -> str:
    """What the commands of a fix come to where the key is an argument of a component, and in no stack file."""
    commands, note = commands_of(fix)
    parts: list[str] = []
    for each in commands:
        match shlex.split(each):
            case ["pulumi", "config", "set", "--path", key, value]:
                parts.append(f"set {key} to {value}")
            case ["pulumi", "config", "set-all", "--path", *values]:
                pairs = [value.partition("=") for value in values if value != "--plaintext"]
                parts.append("set " + ", ".join(f"{key} to {value}" for key, _, value in pairs))
            case ["pulumi", "config", "rm", "--path", key]:
                parts.append(f"leave {key} out")
            case _:
                parts.append(each)
    return ", then ".join(parts) + (f", {note}" if note else "")


def commands_of(fix: str) -> tuple[list[str], str]:
    """The commands of a fix, and the note behind them, "" where there is none."""
    command, *notes = _parted(fix, "   # ")
    return _parted(command, " && "), "".join(notes)


def _parted(text: str, separator: str) -> list[str]:
    """At each separator that is not in quotes: a key may hold one."""
    parts: list[str] = []
    for piece in text.split(separator):
        if parts and _is_open(parts[-1]):
            parts[-1] += separator + piece
        else:
            parts.append(piece)
    return parts


def _is_open(command: str) -> bool:
    """Whether a quote in it has no end."""
    try:
        shlex.split(command)
    except ValueError:
        return True
    return False


def key_of(loc: Sequence[int | str]) -> str:
    """A location as `pulumi config --path` reads it: `runners[0].name`, `cluster["a.b"]`."""
    return "".join(map(_part, loc)).removeprefix(".")


def _part(part: int | str) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _PLAIN_PART.fullmatch(part) else f"[{json.dumps(part)}]"


def problems_of(error: ValidationError, model: type[BaseModel]) -> Iterable[Problem]:
    """One problem for each of pydantic's errors that is not a mere consequence of another."""
    entries = error.errors()
    places = [tuple(e["loc"]) for e in entries]
    for entry, loc in zip(entries, places, strict=True):
        if entry["type"] == "too_short" and any(p[: len(loc)] == loc != p for p in places):
            continue  # pydantic does not count the items that are wrong
        is_name = loc[-1] == "[key]" and entry["type"] != "extra_forbidden"  # the name of a dict's entry, not its value
        key = key_of(loc[:-1] if is_name else loc)
        owner, field = _field_at(model, loc)
        extra = field.json_schema_extra if field else None
        consequence = str(extra["consequence"]) if isinstance(extra, dict) else "it would be silently ignored"
        rule, fix = _rule_and_fix(entry["type"], entry.get("ctx") or {}, entry["msg"], loc, owner, field)
        if is_name:
            rule, fix = f"its name {rule}", remove_command(key)
        yield Problem(key=key, rule=rule, consequence=consequence, fix=fix, value=_shown(entry["input"], field))


def meant_key(misspelt: str, model: type[BaseModel]) -> str | None:
    """The key of a model that a wrong one is most like; None: it is like none."""
    names = [field.alias or name for name, field in model.model_fields.items()]
    return next(iter(difflib.get_close_matches(misspelt, names, n=1)), None)


def _shown(value: object, field: FieldInfo | None) -> object:
    """The value where it is of one known key. An unknown key, a section or a free-form entry could hold a credential."""
    if field is None or _model_in(field.annotation) or get_origin(field.annotation) is dict:
        return None
    return value if isinstance(value, str | int | float) else None


def _rule_and_fix(
    kind: str,
    context: dict[str, Any],
    message: str,
    loc: Sequence[int | str],
    owner: type[BaseModel] | None,
    field: FieldInfo | None,
) -> tuple[str, str]:
    key, example = key_of(loc), _example(field)
    if isinstance(loc[-1], int) and isinstance(example, list | tuple):
        example = example[0] if example else "VALUE"
    fix = set_command(key, example)
    match kind:
        case "missing":
            return "is required", fix
        case "extra_forbidden":
            meant = meant_key(str(loc[-1]), owner) if owner else None
            hint = f"is not a setting; did you mean {meant}?" if meant else "is not a setting"
            return hint, remove_command(key)
        case "greater_than_equal":
            return f"must be at least {_number(context['ge'])}", set_command(key, _number(context["ge"]))
        case "less_than_equal":
            return f"must be at most {_number(context['le'])}", set_command(key, _number(context["le"]))
        case "literal_error" if field:
            allowed = get_args(field.annotation)
            return f"must be one of {', '.join(allowed)}", set_command(
                key, example if example in allowed else allowed[0]
            )
        case "string_pattern_mismatch":
            return f"must match {context['pattern']}", fix
        case "string_type":
            return "must be text (put numbers in quotes)", fix
        case "string_too_long":
            return f"must have at most {context['max_length']} characters", fix
        case "string_too_short":
            return f"must have at least {_count(context['min_length'], 'character')}", fix
        case "too_short":
            return f"must have at least {_count(context['min_length'], 'item')}", fix
        case "too_long":
            return f"must have at most {_count(context['max_length'], 'item')}", remove_command(
                f"{key}[{context['max_length']}]"
            )
        case "model_type" | "model_attributes_type" | "dict_type":
            required = field is not None and field.is_required()
            # A key cannot be set inside what is not an object.
            return "must be an object", f"{remove_command(key)} && {fix}" if required else remove_command(key)
        case "tuple_type":
            return "must be a list", remove_command(key)
        case _ if kind.startswith("int_") or kind == "finite_number":
            return "must be a whole number", fix
        case _ if kind.startswith("float_"):
            return "must be a number", fix
        case _ if kind.startswith("bool_"):
            return "must be true or false", fix
        case _:
            rule = message.removeprefix("Value error, ")
            return (rule[:1].lower() + rule[1:]).replace("input should be", "must be"), fix


def _number(limit: float) -> str:
    """In full: `1000000` and not `1e+06`."""
    return format(limit, ".12g")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _example(field: FieldInfo | None) -> Any:
    """A value that is right, of a section the least that is."""
    if field is None:
        return "VALUE"
    model = _model_in(field.annotation)
    if field.examples or model is None or get_origin(field.annotation) is tuple:
        return field.examples[0] if field.examples and field.examples[0] != {} else "VALUE"
    return {f.alias or n: _example(f) for n, f in model.model_fields.items() if f.is_required()}


def _leaves(key: str, value: object) -> Iterator[tuple[str, str]]:
    """Each key below `key` with its value as text."""
    if isinstance(value, BaseModel):
        value = value.model_dump(by_alias=True, exclude_none=True)
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(key + _part(name), each)
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from _leaves(f"{key}[{index}]", each)
    else:
        yield key, str(value).lower() if isinstance(value, bool) else str(value)


def _field_at(model: type[BaseModel], loc: Sequence[int | str]) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The field that pydantic's location names, and the model that it belongs to."""
    owner: type[BaseModel] | None = model
    field: FieldInfo | None = None
    for part in loc:
        if isinstance(part, int):
            continue
        if owner is None:
            return None, field
        found = next((f for n, f in owner.model_fields.items() if part == (f.alias or n)), None)
        if found is None:
            return owner, None
        field = found
        owner_next = _model_in(found.annotation)
        if owner_next is None and part is not loc[-1]:
            return None, field
        owner = owner_next or owner
    return owner, field


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The model that an annotation is, or holds (`list[Model]`, `Model | None`)."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
