"""What the user reads when settings are wrong: every problem at once, each with the way to mend it.

Owns the wording. Does not own the rules: `settings.py` does.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import pulumi
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

_LONGEST_VALUE = 60


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
            text = repr(self.value) if isinstance(self.value, str) else str(self.value)
            shown = " = " + (text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…")
        return f"  {self.key}{shown} ({file}): {self.rule}, or {self.consequence}.\n    Fix: {self.fix}"


class ConfigError(pulumi.RunError):
    """Settings are wrong. The engine prints the message without a traceback, and no resource was declared."""

    def __init__(self, problems: Sequence[Problem], stack: str) -> None:
        self.problems = tuple(problems)
        file = f"Pulumi.{stack}.yaml"
        count = "1 setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        body = "\n".join(p.text(file) for p in problems)
        super().__init__(f"{count} wrong; nothing was created or changed.\n\n{body}\n")


def set_command(key: str, value: object) -> str:
    """The command that sets a key, nested or not, in the selected stack's file."""
    return f"pulumi config set --path '{key}' {value}"


def problems_of(error: ValidationError, model: type[BaseModel], section: str) -> Iterable[Problem]:
    """One problem for each of pydantic's errors in the section (a top-level key)."""
    for entry in error.errors():
        loc = tuple(entry["loc"])
        key = section + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in loc)
        owner, field = _field_at(model, loc)
        extra = field.json_schema_extra if field else None
        consequence = str(extra["consequence"]) if isinstance(extra, dict) else "it would be silently ignored"
        rule, fix = _rule_and_fix(entry["type"], entry.get("ctx") or {}, entry["msg"], key, owner, field)
        secretless = None if entry["type"] == "missing" else entry["input"]
        yield Problem(key=key, rule=rule, consequence=consequence, fix=fix, value=secretless)


def _rule_and_fix(
    kind: str, context: dict[str, Any], message: str, key: str, owner: type[BaseModel] | None, field: FieldInfo | None
) -> tuple[str, str]:
    example = field.examples[0] if field and field.examples else "VALUE"
    match kind:
        case "missing":
            return "is required", set_command(key, example)
        case "extra_forbidden":
            names = [f.alias or n for n, f in owner.model_fields.items()] if owner else []
            close = difflib.get_close_matches(key.rpartition(".")[2], names, n=1)
            hint = f"is not a setting; did you mean {close[0]}?" if close else "is not a setting"
            return hint, f"pulumi config rm --path '{key}'"
        case "greater_than_equal":
            return f"must be at least {context['ge']}", set_command(key, context["ge"])
        case "less_than_equal":
            return f"must be at most {context['le']}", set_command(key, context["le"])
        case "literal_error":
            allowed = ", ".join(map(str, get_args(field.annotation))) if field else context["expected"]
            return f"must be one of {allowed}", set_command(key, allowed.partition(",")[0])
        case "string_pattern_mismatch":
            return f"must match {context['pattern']}", set_command(key, example)
        case "string_type":
            return "must be text (put numbers in quotes)", set_command(key, f"'{example}'")
        case _:
            rule = message[:1].lower() + message[1:].removeprefix("Value error, ")
            return rule.replace("input should be", "must be"), set_command(key, example)


def _field_at(model: type[BaseModel], loc: Sequence[int | str]) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The field that pydantic's location names, and the model that it belongs to."""
    owner: type[BaseModel] | None = model
    field: FieldInfo | None = None
    for part in loc:
        if isinstance(part, int):
            continue
        if owner is None:
            return None, field
        found = next((f for n, f in owner.model_fields.items() if part in (n, f.alias)), None)
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
