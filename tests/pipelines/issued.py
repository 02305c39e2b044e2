"""Every secret that the sandbox has issued, asked of those who keep them: the stand-ins, the clusters, the owner."""

import base64
import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from lightkube.resources.core_v1 import Secret

from tests.engine.estate import Estate

SHORTEST = 16
_FIELDS = ("secret_key", "token", "runners_token", "password", "private_key")
# What is secret in a file: a value behind such a key, or a private key in PEM.
_IN_FILES = re.compile(
    r"(?:secret_key|token|client-key-data|aws_secret_access_key|password)['\"]?\s*[:=]\s*['\"]?([^\s'\",]+)"
    r"|(-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----)",
    re.DOTALL,
)
RELEASES = "helm.sh/release.v1"


def issued(estate: Estate, stack: str) -> dict[str, str]:
    """What each secret is, by its value; those of one cluster, and of all that the stand-ins have issued."""
    known = (
        _of_the_owner(estate),
        _of_the_stand_ins(estate),
        _of_the_control_planes(estate),
        _of_a_cluster(estate, stack),
    )
    found: dict[str, str] = {}
    for value, what in chain.from_iterable(known):
        if len(value) >= SHORTEST:
            found.setdefault(value, what)
    return found


def releases(estate: Estate, stack: str) -> dict[str, bytes]:
    """Helm's records of what it has deployed, as Kubernetes hands them out."""
    with estate.kubernetes(stack) as client:
        found = [s for s in client.list(Secret, namespace="*") if s.type == RELEASES]
        return {f"release {s.metadata.name}": json.dumps(s.data).encode() for s in found if s.metadata}


def _of_the_stand_ins(estate: Estate) -> Iterator[tuple[str, str]]:
    for table in estate.tables():
        for record in estate.records(table):
            for name, value in _texts(record):
                if name in _FIELDS:
                    yield value, f"{table} {name}"
            if record.get("masked") or record.get("hidden"):
                yield str(record["value"]), f"{table} {record['key']}"
            if table == "scaleway.secret.versions" and record.get("data"):
                yield from ((s, table) for s in _of_a_file(base64.b64decode(record["data"]).decode()))


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text in it, with the name of its field."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, name)
    elif isinstance(value, str):
        yield name, value


def _of_the_owner(estate: Estate) -> Iterator[tuple[str, str]]:
    variables = estate.variables()
    yield from ((variables[name], name) for name in ("SCW_SECRET_KEY", "GITLAB_TOKEN"))
    yield (estate.folder / "passphrase").read_text(), "passphrase"


def _of_the_control_planes(estate: Estate) -> Iterator[tuple[str, str]]:
    for folder in (estate.folder / "clusters").iterdir():
        yield json.loads((folder / "endpoints.json").read_text())["token"], "administrator of a cluster"
        yield (folder / "certificates" / "apiserver.key").read_text(), "TLS of an API server"
        yield (folder / "sa.key").read_text(), "service accounts' key"


def _of_a_cluster(estate: Estate, stack: str) -> Iterator[tuple[str, str]]:
    with estate.kubernetes(stack) as client:
        for secret in client.list(Secret, namespace="*"):
            if secret.type == RELEASES or secret.metadata is None:
                continue  # what Helm deployed: searched itself
            where = f"{secret.metadata.namespace}/{secret.metadata.name}"
            for name, data in (secret.data or {}).items():
                yield from ((each, f"{where} {name}") for each in _of_a_file(base64.b64decode(data).decode()))


def _of_a_file(text: str) -> set[str]:
    """The secrets in a file; a file of one line is one."""
    inside = {value or key for value, key in _IN_FILES.findall(text)}
    return inside or ({text} if "\n" not in text.strip() else set())
