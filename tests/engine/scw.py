"""Stands in for Scaleway's command line, `scw`, which is not to be had here (no package registry has it).

Owns how the commands of examples/app-cluster/deploy.sh become requests, with the key of the config file, and how answers are
printed. Refuses any other command, and an argument or a field that the API's type does not have, so that a name which is
wrong there is wrong here. Does not own what is answered: that is the stand-in for the API ($SCW_API_URL).

Source: the request types of scaleway-sdk-go (k8s/v1, vpc/v2), whose JSON names with `-` for `_` are the arguments; the
documentation of scw 2.62 for defaults, `-o template=` and what its `wait` and its `cluster create` do besides.
"""

import json
import os
import re
import shlex
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TRANSIENT = {"creating", "updating", "deleting", "scaling", "upgrading"}
FIELD = re.compile(r"\{\{\s*\.(\w+)\s*\}\}")


@dataclass(frozen=True, kw_only=True)
class Command:
    """`arguments` by name, each with the type of its value; `#` is an index. In a path, `{name}` is one of them."""

    method: str
    path: str
    arguments: dict[str, type]
    required: tuple[str, ...] = ()
    defaults: dict[str, str] | None = None
    listed: str | None = None  # the answer's list: one line each


_POOL = {"name": str, "node-type": str, "size": int, "autoscaling": bool, "autohealing": bool, "zone": str}
COMMANDS = {
    "vpc private-network list": Command(
        method="GET",
        path="/vpc/v2/regions/{region}/private-networks",
        arguments={"name": str, "project-id": str, "vpc-id": str},
        listed="private_networks",
    ),
    "vpc private-network create": Command(
        method="POST",
        path="/vpc/v2/regions/{region}/private-networks",
        arguments={"name": str, "project-id": str, "vpc-id": str},
        required=("name",),
    ),
    "k8s version list": Command(
        method="GET", path="/k8s/v1/regions/{region}/versions", arguments={}, listed="versions"
    ),
    "k8s cluster list": Command(
        method="GET",
        path="/k8s/v1/regions/{region}/clusters",
        arguments={"name": str, "project-id": str, "status": str, "type": str, "private-network-id": str},
        listed="clusters",
    ),
    "k8s cluster create": Command(
        method="POST",
        path="/k8s/v1/regions/{region}/clusters",
        arguments={
            "name": str,
            "project-id": str,
            "type": str,
            "version": str,
            "cni": str,
            "private-network-id": str,
            "auto-upgrade.enable": bool,
            "auto-upgrade.maintenance-window.day": str,
            "auto-upgrade.maintenance-window.start-hour": int,
            **{f"pools.#.{name}": kind for name, kind in _POOL.items()},
        },
        required=("name", "version", "cni"),
        defaults={"cni": "cilium"},
    ),
    "k8s cluster wait": Command(
        method="GET",
        path="/k8s/v1/regions/{region}/clusters/{cluster-id}",
        arguments={"cluster-id": str, "wait-for-pools": bool, "timeout": str},
        required=("cluster-id",),
    ),
    "k8s pool list": Command(
        method="GET",
        path="/k8s/v1/regions/{region}/clusters/{cluster-id}/pools",
        arguments={"cluster-id": str, "name": str, "status": str},
        required=("cluster-id",),
        listed="pools",
    ),
    "k8s pool create": Command(
        method="POST",
        path="/k8s/v1/regions/{region}/clusters/{cluster-id}/pools",
        arguments={"cluster-id": str, **_POOL},
        required=("cluster-id", "name", "node-type", "size"),
        defaults={"node-type": "DEV1-M", "size": "1"},
    ),
}


class RefusedError(Exception):
    """What the command line prints before it ends with 1."""


def profile() -> dict[str, str]:
    """The config file's, with the environment's variables over it, as in the real one."""
    file = Path(os.environ.get("SCW_CONFIG_PATH") or Path.home() / ".config" / "scw" / "config.yaml")
    found: dict[str, str] = yaml.safe_load(file.read_text()) if file.exists() else {}
    names = ("access_key", "secret_key", "default_project_id", "default_region")
    return found | {name: os.environ[f"SCW_{name.upper()}"] for name in names if f"SCW_{name.upper()}" in os.environ}


def request(method: str, path: str, query: dict[str, str], body: dict[str, Any] | None) -> Any:
    asked = urllib.request.Request(
        f"{os.environ['SCW_API_URL']}{path}?{urllib.parse.urlencode(query)}",
        method=method,
        headers={"X-Auth-Token": profile().get("secret_key", ""), "Content-Type": "application/json"},
        data=json.dumps(body).encode() if body is not None else None,
    )
    try:
        with urllib.request.urlopen(asked) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        told = json.loads(error.read())
        details = "; ".join(" ".join(each[part] for part in sorted(each)) for each in told.get("details", []))
        raise RefusedError(f"scaleway-sdk-go: {told['message']}: {details}") from None


def parsed(words: list[str], command: Command) -> dict[str, Any]:
    """`name=value` words by name, checked against the request's type; a first word without `=` is the id."""
    given = dict(command.defaults or {})
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if not equals and index == 0 and command.required:
            name, value = command.required[0], word
        given[name] = value
    missing = [name for name in command.required if not given.get(name)]
    if missing:
        raise RefusedError(f"Missing required argument '{missing[0]}'")
    typed: dict[str, Any] = {}
    for name, value in given.items():
        kind = command.arguments.get(re.sub(r"\.\d+(?=\.|$)", ".#", name))
        if kind is None:
            raise RefusedError(f"Unknown argument '{name}'. Valid arguments are: {', '.join(command.arguments)}")
        if kind is bool and value not in ("true", "false"):
            raise RefusedError(f"Invalid value for '{name}' argument: should be one of true, false")
        typed[name] = value == "true" if kind is bool else kind(value)
    return typed


def body_of(arguments: dict[str, Any]) -> dict[str, Any]:
    """`pools.0.node-type=DEV1-M` is `{"pools": [{"node_type": "DEV1-M"}]}`."""
    body: dict[str, Any] = {}
    for name, value in arguments.items():
        place: Any = body
        *parents, last = name.replace("-", "_").split(".")
        for parent, child in zip(parents, (*parents, last)[1:], strict=True):
            if isinstance(place, list):
                place.extend({} for _ in range(int(parent) + 1 - len(place)))
                place = place[int(parent)]
            else:
                place = place.setdefault(parent, [] if child.isdigit() else {})
        place[last] = value
    return body


def run(words: list[str]) -> Any:
    """What a command answers: an object, or the list that it lists."""
    if words[:2] == ["config", "get"]:
        return profile().get(words[2].replace("-", "_"), "")
    command = COMMANDS.get(" ".join(words[:3]))
    if command is None:
        raise RefusedError(f"unknown command: scw {' '.join(words[:3])}")
    arguments = parsed(words[3:], command)
    region = profile()["default_region"]
    path = command.path.format(region=region, **arguments)
    rest = {name: value for name, value in arguments.items() if f"{{{name}}}" not in command.path}
    if words[:3] == ["k8s", "cluster", "wait"]:
        return waited(path)
    if command.method == "GET":
        query = {name.replace("-", "_"): str(value) for name, value in rest.items()}
        return request("GET", path, query, None)[command.listed or ""]
    if words[:3] == ["k8s", "cluster", "create"]:  # it looks at the network first
        request("GET", f"/vpc/v2/regions/{region}/private-networks/{rest['private-network-id']}", {}, None)
    return request(command.method, path, {}, body_of(rest))


def waited(path: str) -> Any:
    """The cluster when neither it nor one of its pools is on its way any more."""
    while True:
        cluster = request("GET", path, {}, None)
        pools = request("GET", f"{path}/pools", {}, None)["pools"]
        if not TRANSIENT & {each["status"] for each in (cluster, *pools)}:
            return cluster
        time.sleep(0.2)


def shown(answer: Any, output: str | None) -> str:
    """As `-o template=…` shows it: Go's names of the fields, for a list a line each."""
    if isinstance(answer, list):
        return "".join(shown(each, output) for each in answer)
    if output is None:
        return (answer if isinstance(answer, str) else json.dumps(answer)) + "\n"
    kind, _, template = output.partition("=")
    if kind != "template":
        raise RefusedError(f"invalid output format: {kind}")

    def field(match: re.Match[str]) -> str:
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", match[1]).lower()  # ID, NodeType
        if name not in answer:
            raise RefusedError(f"templating error: can't evaluate field {match[1]}")
        return str(answer[name])

    return FIELD.sub(field, template) + "\n"


def command_in(folder: Path) -> None:
    """Puts a command `scw` into a folder for PATH."""
    command = folder / "scw"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(__file__)} "$@"\n')
    command.chmod(0o755)


def main() -> int:
    words, output = sys.argv[1:], None
    if "-o" in words:
        at = words.index("-o")
        output = words[at + 1]
        del words[at : at + 2]
    try:
        sys.stdout.write(shown(run(words), output))
    except RefusedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
