"""The life of a small environment: made, changed and removed; and what of it the services were asked to do.

Small so that a life takes seconds, and yet with each kind of thing that an environment has.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from sandbox.store import Record
from tests.engine.estate import Estate

STACK = "dev"
# What the stand-ins keep for themselves, or make anew each time: no resource of anybody's.
_NOT_RESOURCES = ("scaleway.k8s.nodes", "scaleway.instance.servers", "scaleway.ipam.ips", "scaleway.iam.logs")
_OVER = ("destroyed", "deleted", "deleting", "scheduled_for_deletion")
_WRITES = ("POST", "PUT", "PATCH", "DELETE")

_FIRST: dict[str, Any] = {
    "runners": [{"name": "deploy"}],
    "gitlab": {
        "project": "acme/app",
        "operationsProject": "acme/app",
        "mailingListUserId": 2,
        "releaseTags": "v*",
        "premium": True,
        "branch": {"name": "main", "mergeAccessLevel": "developer"},
    },
}
_CHANGED: dict[str, Any] = {
    "projects": {
        "devops": {"name": "devops-dev"},
        "target": {"name": "app-dev-renamed"},
        "credentials": {"name": "credentials-dev"},
    },
    "cluster": {"autoUpgrade": {"startHour": 5}},
    "runnerPool": {"name": "dev", "nodeType": "GP1-XS", "size": 3},
    "runners": [{"name": "deploy", "jobTimeoutSeconds": 1800, "permissionSets": ["VPCFullAccess"]}],
    "gitlab": {
        **_FIRST["gitlab"],
        "mailingListUserId": 3,
        "branch": {"name": "main", "mergeAccessLevel": "maintainer"},
        "deployment": {"kind": "staging"},
        "schedules": {"drift": {"cron": "5 5 * * *"}},
    },
}


@contextmanager
def small_estate(folder: Path) -> Iterator[Estate]:
    """A sandbox with nothing in it, and settings of a small environment."""
    estate = Estate(folder, logs=False)
    settle(estate, changed=False)
    estate.start()
    try:
        yield estate
    finally:
        if estate.process is not None:
            estate.stop()


def settle(estate: Estate, *, changed: bool) -> None:
    """The environment's settings: the first, or those of the change."""
    file = estate.checkout / f"Pulumi.{STACK}.yaml"
    original = file.with_suffix(".first")
    if not original.exists():
        original.write_text(file.read_text())
    settings = yaml.safe_load(original.read_text())
    for name, value in {**_FIRST, **(_CHANGED if changed else {})}.items():
        settings["config"][f"kapsule-devops:{name}"] = value
    file.write_text(yaml.safe_dump(settings, sort_keys=False))


def census(estate: Estate) -> Counter[str]:
    """How many there are of each kind of thing, by the stand-ins' tables; not what is made unasked, nor what is over."""
    found: Counter[str] = Counter()
    for service in ("scaleway", "gitlab"):
        for table, records in estate.ask(service, "/_sandbox/state").items():
            name = f"{service}.{table}"
            if name not in _NOT_RESOURCES:
                found[name] = sum(map(_counts, records))
    return found


def _counts(record: Record) -> bool:
    over = record.get("revoked") or record.get("status") in _OVER
    # Each project has a VPC that nobody asked for, and each token a user of its own, which GitLab keeps for a while.
    return not (over or record.get("is_default") or record.get("bot"))


def writes(estate: Estate, after: int = 0) -> tuple[list[str], int]:
    """The operations that were asked for and change something, in their order, and the number of the last request."""
    requests = estate.ask("scaleway", f"/_sandbox/requests?after={after}")
    found = [
        r["operation"]
        for r in requests
        if r["method"] in _WRITES and r["status"] < 300 and not r["operation"].startswith("_sandbox")
    ]
    return list(dict.fromkeys(found)), requests[-1]["n"] if requests else after
