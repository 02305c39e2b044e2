"""Runs `__main__.py` as it is, on Pulumi's mocks, with the real stack files, and records every registration."""

import asyncio
import json
import runpy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime import mocks, rpc
from pulumi.runtime.stack import run_in_stack

ROOT = Path(__file__).parents[2]
PROJECT = "kapsule-devops"
SECRET = "[secret]"  # noqa: S105 - what the recorder writes for one


@dataclass
class Registered:
    """One resource as the program registered it. Secret inputs read `[secret]`; `depends_on` are logical names."""

    type: str
    name: str
    parent: str
    provider: str
    inputs: dict[str, Any]
    depends_on: list[str] = field(default_factory=list)
    secret_outputs: list[str] = field(default_factory=list)
    ignore_changes: list[str] = field(default_factory=list)


@dataclass
class Program:
    """What a run declared: resources by logical name, outputs by name."""

    resources: dict[str, Registered]
    outputs: dict[str, Any]

    def of_type(self, suffix: str) -> list[Registered]:
        return [r for r in self.resources.values() if r.type.endswith(suffix)]


def _shown(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return SECRET
    if isinstance(value, dict):
        return {k: _shown(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_shown(v) for v in value]
    return value


class _Provider(mocks.Mocks):
    """Gives each resource the outputs that others read, recognisable by the name of the resource."""

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        assert args.token == "gitlab:index/getProject:getProject", f"the program asks for {args.token}"
        return {"id": "42", "pathWithNamespace": args.args["pathWithNamespace"]}, None

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        state: dict[str, Any] = {k: v for k, v in args.inputs.items()}
        match args.typ:
            case "scaleway:kubernetes/cluster:Cluster":
                state["apiserverUrl"] = "https://api.example"
                state["kubeconfigs"] = [{"configFile": "KUBECONFIG", "host": "h", "token": "t", "clusterCaCertificate": "c"}]
            case "scaleway:iam/application:Application":
                state["organizationId"] = "organization"
            case "scaleway:iam/apiKey:ApiKey":
                state |= {"accessKey": "SCWXXXXXXXXXXXXXXXXX", "secretKey": "SECRET-KEY"}
            case "gitlab:index/userRunner:UserRunner":
                state["token"] = "glrt-TOKEN"
            case "gitlab:index/projectAccessToken:ProjectAccessToken":
                state["token"] = "glpat-TOKEN"
        return (f"{args.name}-id" if args.custom else None), state


class _Recorder(mocks.MockMonitor):
    def __init__(self) -> None:
        super().__init__(_Provider())
        self.registered: dict[str, Registered] = {}
        self.outputs: dict[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:
        if request.type != "pulumi:pulumi:Stack":
            self.registered[request.name] = Registered(
                type=request.type,
                name=request.name,
                parent=request.parent.rpartition("::")[2],
                provider=request.provider.split("::")[-2] if request.provider else "",
                inputs=_shown(rpc.deserialize_properties(request.object, keep_unknowns=True)),
                depends_on=sorted({urn.rpartition("::")[2] for urn in request.dependencies}),
                secret_outputs=sorted(request.additionalSecretOutputs),
                ignore_changes=list(request.ignoreChanges),
            )
        return super().RegisterResource(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:
        if "pulumi:pulumi:Stack" in request.urn:
            self.outputs = _shown(rpc.deserialize_properties(request.outputs, keep_unknowns=True))
        return super().RegisterResourceOutputs(request)


def configuration(stack: str) -> dict[str, Any]:
    """A stack's settings as the command line merges them: Pulumi.yaml's defaults under the stack file."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    own = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    return {f"{PROJECT}:{k}": v["default"] for k, v in project["config"].items()} | own["config"]


def as_engine_gives_it(config: dict[str, Any]) -> dict[str, str]:
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in config.items()}


RunProgram = Callable[..., Program]


@pytest.fixture
def run_program(monkeypatch: pytest.MonkeyPatch) -> RunProgram:
    """`run_program("dev", {"runnerPool": {...}})`: a run with the stack's settings, those sections replaced."""

    def run(stack: str, replaced: dict[str, Any] | None = None) -> Program:
        monkeypatch.chdir(ROOT)
        monkeypatch.delenv("GITLAB_RUNNER_CHART_REPOSITORY", raising=False)
        config = configuration(stack) | {f"{PROJECT}:{k}": v for k, v in (replaced or {}).items()}
        recorder = _Recorder()
        mocks.set_mocks(recorder.mocks, project=PROJECT, stack=stack, preview=False, monitor=recorder)
        pulumi.runtime.set_all_config(as_engine_gives_it(config))
        loop = asyncio.new_event_loop()
        try:
            asyncio.set_event_loop(loop)
            loop.run_until_complete(run_in_stack(lambda: runpy.run_path(str(ROOT / "__main__.py"))))
        finally:
            asyncio.set_event_loop(None)
            loop.close()
        return Program(recorder.registered, recorder.outputs)

    return run
