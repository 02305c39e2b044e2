"""How a setting is declared: with all that its documentation and its error need."""

import hashlib
import re
from ipaddress import IPv4Network
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

DNS_LABEL = r"^[a-z]([a-z0-9-]*[a-z0-9])?$"
# A stack by its full name, or by the part of it that differs from this stack's: [[organization/]project/]stack.
STACK_NAME = r"^([A-Za-z0-9_.-]+/){0,2}[A-Za-z0-9_.-]+$"
UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


def setting(default: Any = ..., *, about: str, consequence: str, example: object = None, **rules: Any) -> Any:
    """A field with what its documentation and its error need. `consequence` completes "…, or"."""
    examples = [example if example is not None else default] if example is not None or default is not ... else None
    return Field(default, description=about, examples=examples, json_schema_extra={"consequence": consequence}, **rules)


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_only(cls, value: object, info: ValidationInfo) -> object:
        annotation = cls.model_fields[str(info.field_name)].annotation
        for kind in (annotation, *get_args(annotation)):
            if kind in (int, float):
                return number(value, "int_type" if kind is int else "float_type")
        return value


def number(value: object, kind: str = "int_type") -> object:
    """Refuses true and false where a number is meant: pydantic takes them for 1 and 0."""
    if isinstance(value, bool):
        raise PydanticCustomError(kind, "Input should be a number")  # config_error words it
    return value


def ipv4_network(value: str) -> str:
    """Refuses text that is not an IPv4 network in CIDR form."""
    try:
        written = str(IPv4Network(value))
    except ValueError:
        raise ValueError("must be the address of a network, without bits of a host") from None
    if value != written:  # a netmask, or no length: Python takes it, Kubernetes does not
        raise ValueError("must be the address of a network with its length in bits, like 10.0.0.0/8")
    return value


def slug(path: str) -> str:
    """What of a path can be part of a name in Kubernetes: lower case, and one hyphen for each run of anything else."""
    found = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")
    return found or hashlib.sha256(path.encode()).hexdigest()[:8]  # of punctuation alone nothing is left


# Least and greatest number of each field of a cron expression, in its order.
_CRON_FIELDS = {"minute": (0, 59), "hour": (0, 23), "day of the month": (1, 31), "month": (1, 12), "weekday": (0, 7)}
_CRON_PART = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?")


def cron_expression(value: str) -> str:
    """Refuses text that is not a cron expression of five fields with numbers."""
    fields = value.split(" ")
    if len(fields) != len(_CRON_FIELDS):
        raise ValueError("must have five fields: minute, hour, day of the month, month and weekday")
    for (name, (least, greatest)), text in zip(_CRON_FIELDS.items(), fields, strict=True):
        for part in text.split(","):
            found = _CRON_PART.fullmatch(part)
            numbers = [int(number) for number in found.groups()[:2] if number] if found else []
            right = found is not None and all(least <= number <= greatest for number in numbers)
            if found is None or not right or numbers != sorted(numbers) or found[3] in ("0", "00"):
                raise ValueError(f"must have *, numbers from {least} to {greatest}, ranges or steps as its {name}")
    return value


def daily_cron_expression(value: str) -> str:
    """Refuses text that is not a cron expression which comes up every day."""
    if cron_expression(value).split(" ")[2:] != ["*", "*", "*"]:
        raise ValueError("must be for every day: its last three fields must be *")
    return value
