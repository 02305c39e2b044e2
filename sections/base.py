"""How a setting is declared: with all that its documentation and its error need."""

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
