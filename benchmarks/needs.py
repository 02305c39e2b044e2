"""Which of the dependencies that a state records are true: what could not have been made before the other was there. Pure.

A need is *held* where the resource's inputs hold a value that only the other's making gave (an id, a token, a certificate),
also encoded or as a fingerprint. It is *refused* where the service would not take the resource, or it would not come up,
before the other is there: `_REFUSED` says which, and why. Every other dependency is *only declared*; `_WANTED` says of some
what they are for all the same.

Does not own how long anything takes (`benchmarks.chain`).
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

Record = dict[str, Any]

HELD: Final = "held"
REFUSED: Final = "refused"
ONLY_DECLARED: Final = "only declared"

_SHORTEST_TEXT = 8  # of a value that is looked for inside another: a shorter one may be there by chance
_FINGERPRINT = 16  # letters of one that are kept


@dataclass(frozen=True, kw_only=True)
class Need:
    """`of` and `on` are URNs. `why` is empty for what is only declared, and nobody has said what for."""

    of: str
    on: str
    how: str
    why: str = ""

    @property
    def true(self) -> bool:
        return self.how != ONLY_DECLARED


def _always(_of: Record, _on: Record) -> bool:
    return True


def _speaks_by(of: Record, on: Record) -> bool:
    """`on` is the provider of `of`."""
    return str(of.get("provider") or "").startswith(on["urn"] + "::")


def _lies_in(of: Record, on: Record) -> bool:
    """`on` is the namespace that `of` is made in."""
    return bool(_place(of) == _at(on, "inputs", "metadata", "name"))


def _its_token(of: Record, on: Record) -> bool:
    """`on` is the secret that the manager of the release `of` mounts."""
    return bool(_at(of, "inputs", "values", "runners", "secret") == _at(on, "inputs", "metadata", "name"))


def _of_jobs(of: Record, on: Record) -> bool:
    """`on` is what jobs of the release `of` find, in another namespace than its own, or in none."""
    return bool(_place(of) != _place(on))


@dataclass(frozen=True)
class _Rule:
    """Between resources whose types fit the patterns and that `when` holds of."""

    of: str
    on: str
    why: str
    when: Callable[[Record, Record], bool] = _always


_REFUSED: Final = (
    _Rule("*", "pulumi:providers:*", "nothing else speaks to the service", _speaks_by),
    _Rule(
        "pulumi:providers:kubernetes",
        "scaleway:kubernetes/pool:Pool",
        "the name of the API server resolves only once the cluster has a pool",
    ),
    _Rule("kubernetes:*", "kubernetes:core/v1:Namespace", "the API server answers 404", _lies_in),
    _Rule("kubernetes:helm.sh/v3:Release", "kubernetes:core/v1:Secret", "its pod mounts it", _its_token),
    _Rule(
        "gitlab:index/projectProtectedEnvironment:ProjectProtectedEnvironment",
        "gitlab:index/projectEnvironment:ProjectEnvironment",
        "GitLab protects only what is there",
    ),
)
_WANTED: Final = (
    _Rule("scaleway:iam/apiKey:ApiKey", "scaleway:iam/policy:Policy", "nobody holds a key before it can do its work"),
    _Rule("kubernetes:helm.sh/v3:Release", "*", "no manager takes a job before what keeps it in its place", _of_jobs),
    _Rule("kubernetes:core/v1:ConfigMap", "*", "what is made last is destroyed first: the guard of a shared cluster"),
)


def needs(resources: Iterable[Mapping[str, Any]]) -> list[Need]:
    """Every dependency between resources that a provider makes; `resources` are a state's, with secrets in plain."""
    known = {r["urn"]: dict(r) for r in resources if r.get("custom")}
    return [
        _need(known[of], known[on], properties)
        for of in known
        for on, properties in sorted(_declared(known[of]).items())
        if on in known
    ]


def logical(urn: str) -> str:
    """The logical name of a resource."""
    return urn.rpartition("::")[2]


def kind(urn: str) -> str:
    """The type of a resource, without those of its parents."""
    return urn.split("::")[2].rpartition("$")[2]


def _at(value: Any, *path: str) -> Any:
    """What lies there in nested objects; None where nothing does."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _place(resource: Record) -> Any:
    """The namespace that it is made in; of a release too."""
    return _at(resource, "inputs", "metadata", "namespace") or _at(resource, "inputs", "namespace")


def _declared(resource: Record) -> dict[str, set[str]]:
    """URNs, each with the properties by which it is depended on; none for an option of the resource."""
    found: dict[str, set[str]] = {urn: set() for urn in resource.get("dependencies") or ()}
    for name, urns in (resource.get("propertyDependencies") or {}).items():
        for urn in urns:
            found.setdefault(urn, set()).add(name)
    provider = (resource.get("provider") or "").rpartition("::")[0]
    if provider:
        found.setdefault(provider, set())
    parent = resource.get("parent")
    if parent:
        found.setdefault(parent, set())  # the engine wants it to be there; of a component that takes no time
    return found


def _need(of: Record, on: Record, properties: Iterable[str]) -> Need:
    inputs = of.get("inputs") or {}
    by = sorted(name for name in properties if _holds(inputs.get(name), _made(on)))
    if by:
        return Need(of=of["urn"], on=on["urn"], how=HELD, why=f"in {', '.join(by)}")
    for how, rules in ((REFUSED, _REFUSED), (ONLY_DECLARED, _WANTED)):
        for rule in rules:
            if fnmatchcase(of["type"], rule.of) and fnmatchcase(on["type"], rule.on) and rule.when(of, on):
                return Need(of=of["urn"], on=on["urn"], how=how, why=rule.why)
    return Need(of=of["urn"], on=on["urn"], how=ONLY_DECLARED)


# --- what is held ------------------------------------------------------------------------------------------------------


def _made(resource: Record) -> set[str]:
    """The values that came of making the resource: in what it is, and not in what was asked for."""
    outputs = set(_leaves(resource.get("outputs"))) | set(_leaves(resource.get("id")))
    return outputs - set(_leaves(resource.get("inputs")))


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        plain = value.get("plaintext")  # how a state in plain tells a secret: as JSON
        for each in value.values() if plain is None else (_unquoted(plain),):
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield f"{value:g}" if isinstance(value, float) else str(value)


def _unquoted(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _holds(value: Any, made: set[str]) -> bool:
    leaves = set(_leaves(value))
    if leaves & made:
        return True
    long = [text for text in made if len(text) >= _SHORTEST_TEXT]
    texts = [*leaves, *(decoded for leaf in leaves if (decoded := _decoded(leaf)))]
    fingerprints = [hashlib.sha256(text.encode()).hexdigest()[:_FINGERPRINT] for text in long]
    return any(one in text for text in texts for one in (*long, *fingerprints))


def _decoded(text: str) -> str:
    """Empty where it is no text in base64."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
