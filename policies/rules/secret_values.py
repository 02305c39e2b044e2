"""What a credential looks like, and which values of a stack are one."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from .base import Resource, leaves

API_KEY, SECRET_VERSION = "scaleway:iam/apiKey:ApiKey", "scaleway:secrets/version:Version"
CLUSTER = "scaleway:kubernetes/cluster:Cluster"

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_SHAPES = (
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a Scaleway access key", re.compile(r"\bSCW[A-Z0-9]{17}\b")),
    ("an AWS access key", re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("a secret key", re.compile(r"secret_?(access_?)?key[\"']?\s*[:=]", re.I)),
    ("a secret", re.compile(rf"(secret|token|passw(or)?d|api_?key)[\"']?\s*[:=]\s*[\"']?{UUID.pattern}", re.I)),
)
_SHORTEST = 8  # shorter ones are found in any text
_CERTAIN = 16  # from here on, a value that contains it has it from there
_PUBLIC_OF_A_KUBECONFIG = ("host", "clusterCaCertificate")


@dataclass(frozen=True)
class Secret:
    """A value that is secret, and what it is: "secretKey of key-a"."""

    value: str
    what: str


def decoded(text: str) -> str | None:
    """What a base64 text says, or None where it is none."""
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def credential_in(text: str) -> str | None:
    """What kind of credential a text has in it, plain or in base64; None if it looks like none."""
    for form in filter(None, (text, decoded(text))):
        for what, shape in _SHAPES:
            if shape.search(form):
                return what
        if kubeconfig_of(form) is not None:
            return "a kubeconfig"
    return None


def kubeconfig_of(text: str) -> dict[str, Any] | None:
    """The kubeconfig that a text is, in YAML or JSON; None if it is none."""
    if "Config" not in text:
        return None
    try:
        found = yaml.safe_load(text)
    except (
        Exception
    ):  # besides YAMLError, whatever Python says of a value that it cannot hold: `!!bool x`, a 13th month
        return None
    return found if isinstance(found, dict) and found.get("kind") == "Config" else None


def secrets_of(resources: Iterable[Resource], types: Sequence[str] | None = None) -> Iterator[Secret]:
    """The values of the outputs that resources (of some types) declare secret, as far as they are known."""
    for resource in resources:
        if types is not None and resource.type not in types:
            continue
        for output in resource.secret_outputs:
            for path, value in leaves(resource.props.get(output), output):
                public = resource.type == CLUSTER and path.rpartition(".")[2] in _PUBLIC_OF_A_KUBECONFIG
                if isinstance(value, str) and len(value) >= _SHORTEST and not public:
                    yield Secret(value, f"{path} of {resource.name}")


def taken_from(text: str, secrets: Iterable[Secret]) -> str | None:
    """Which secret a text is or contains, plain or in base64; None if it is none of them."""
    forms = [form for form in (text, decoded(text)) if form]
    for secret in secrets:
        if any(secret.value == form or (len(secret.value) >= _CERTAIN and secret.value in form) for form in forms):
            return secret.what
    return None
