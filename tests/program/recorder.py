"""Runs `__main__.py` as it is, on Pulumi's mocks, and prints every registration as JSON.

Started by the tests once; each run of the program has a process of its own, as the engine gives it one.
"""

import asyncio
import base64
import importlib
import json
import os
import runpy
import sys
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import mocks, resource, rpc
from pulumi.runtime.settings import get_root_resource
from pulumi.runtime.stack import Stack, run_pulumi_func

ROOT = Path(__file__).parents[2]
PROJECT = "kapsule-devops"
SECRET = "[secret]"
ACCOUNT = "00000000-0000-4000-8000-000000000001"  # as in the stack files

# What any stack that is referred to has as outputs.
OWNER = {
    "environment": "owner",
    "region": "fr-par",
    "clusterMode": "dedicated",
    "clusterName": "kapsule-owner",
    "clusterVersion": "1.35",
    "apiServerUrl": "https://owner.example",
    "devopsProjectId": "owner-devops",
    "privateNetworkId": "fr-par/owner-network",
}


@dataclass
class Registered:
    """One resource as the program registered it, or read it by the id `read`. Secret inputs are shown as `[secret]`;
    `depends_on` are logical names.
    """

    type: str
    name: str
    parent: str
    provider: str
    inputs: dict[str, Any]
    depends_on: list[str] = field(default_factory=list)
    secret_outputs: list[str] = field(default_factory=list)
    ignore_changes: list[str] = field(default_factory=list)
    before_delete: list[str] = field(default_factory=list)
    read: str = ""
    protect: bool = False
    retain_on_delete: bool = False


def _shown(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return SECRET
    if isinstance(value, dict):
        return {k: _shown(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_shown(v) for v in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # on the wire every number is a float
    return value


class _Provider(mocks.Mocks):
    """Gives each resource the outputs that others read, recognisable by the name of the resource."""

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:  # type: ignore[override] # a plain answer is one, too
        match args.token:
            case "gitlab:index/getProject:getProject":
                return {"id": "42", "pathWithNamespace": args.args["pathWithNamespace"]}
            case "scaleway:index/getConfig:getConfig":
                keys = {"accessKey": "SCWXXXXXXXXXXXXXXXXX", "secretKey": "SECRET-KEY"}
                return {**keys, "organizationId": ACCOUNT, "projectId": ACCOUNT}
            case "scaleway:account/getProject:getProject":
                return {"organizationId": ACCOUNT}
        raise AssertionError(f"the program asks for {args.token}")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        state: dict[str, Any] = dict(args.inputs)
        match args.typ:
            case "pulumi:pulumi:StackReference":
                state["outputs"] = OWNER | {"clusterId": f"fr-par/{args.inputs['name'].replace('/', '-')}"}
            case "kubernetes:core/v1:Secret" if args.inputs.get("type") == "kubernetes.io/service-account-token":
                state["data"] = {"token": base64.b64encode(b"ACCOUNT-TOKEN").decode()}
            case "scaleway:kubernetes/cluster:Cluster":
                state["apiserverUrl"] = "https://api.example"
                state["kubeconfigs"] = [
                    {"configFile": "KUBECONFIG", "host": "h", "token": "t", "clusterCaCertificate": "c"}
                ]
            case "scaleway:iam/application:Application":
                state["organizationId"] = "organization"
            case "scaleway:iam/apiKey:ApiKey":
                state |= {"accessKey": "SCWXXXXXXXXXXXXXXXXX", "secretKey": "SECRET-KEY"}
            case "gitlab:index/userRunner:UserRunner":
                state["token"] = "glrt-TOKEN"
            case "gitlab:index/projectAccessToken:ProjectAccessToken":
                state["token"] = "glpat-TOKEN"
        return (f"{args.name}-id" if args.custom else None), state


class _Hooks:
    """In place of the server by which the engine calls hooks: on mocks nothing is ever deleted."""

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        assert hook.name


async def _hooks() -> _Hooks:
    return _Hooks()


class _Recorder(mocks.MockMonitor):
    def __init__(self) -> None:
        super().__init__(_Provider())
        self.registered: dict[str, Registered] = {}

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
                before_delete=list(request.hooks.before_delete),
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
            )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call] # the SDK says no types here

    def ReadResource(self, request: Any) -> Any:
        self.registered[request.name] = Registered(
            type=request.type,
            name=request.name,
            parent=request.parent.rpartition("::")[2],
            provider=request.provider.split("::")[-2] if request.provider else "",
            inputs={},
            depends_on=sorted({urn.rpartition("::")[2] for urn in request.dependencies}),
            read=request.id,
        )
        return super().ReadResource(request)  # type: ignore[no-untyped-call] # the SDK says no types here


async def _run() -> dict[str, Any]:
    """The program to its end, every registration awaited; what it exported, secrets as `[secret]`."""

    async def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"))

    await run_pulumi_func(program)
    root = get_root_resource()
    assert isinstance(root, Stack)
    exported = {name: pulumi.Output.from_input(value) for name, value in root.outputs.items()}
    return {n: SECRET if await o.is_secret() else await o.future() for n, o in exported.items()}


def record(stack: str, config: dict[str, str]) -> dict[str, Any]:
    """What the program registers, exports or refuses. Once per process: the SDK keeps what it learns in globals."""
    recorder = _Recorder()
    mocks.set_mocks(recorder.mocks, project=PROJECT, stack=stack, preview=False, monitor=recorder)
    resource._get_callbacks = _hooks  # type: ignore[attr-defined, assignment] # mocks have no such server
    pulumi.runtime.set_all_config(config)
    outputs, error = {}, ""
    try:
        outputs = asyncio.get_event_loop().run_until_complete(_run())
    except pulumi.RunError as refused:
        error = str(refused)
    return {"resources": [asdict(r) for r in recorder.registered.values()], "outputs": outputs, "error": error}


def main() -> None:
    """Answers each line of standard input, `{"stack": …, "config": …}`, with a line: from a fork, so that the SDKs are
    loaded once, which takes longer than the program does. What the first run loads beside is loaded here after it, too.
    """
    first = True
    for line in sys.stdin:
        source, sink = os.pipe()
        if os.fork() == 0:
            print(json.dumps(_answer(line)), flush=True)
            with os.fdopen(sink, "w") as names:
                names.write("\n".join(_installed()))
            os._exit(0)
        os.close(sink)
        with os.fdopen(source) as names:
            loaded = names.read().splitlines()
        os.wait()
        for name in loaded if first else ():
            vars(importlib.import_module(name))  # the SDKs' are loaded when somebody looks into them
        first = False


def _answer(line: str) -> dict[str, Any]:
    try:
        asked = json.loads(line)
        return record(asked["stack"], asked["config"])
    except BaseException:  # whatever it is, the test that asked shows it
        return {"failed": traceback.format_exc()}


def _installed() -> list[str]:
    """The packages that are loaded, but not the program's own, whose import is a part of what is tested."""
    files = {name: str(getattr(module, "__file__", "")) for name, module in sys.modules.items()}
    return [name for name, file in files.items() if "site-packages" in file and file.endswith("__init__.py")]


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    for sdk in ("pulumi_gitlab", "pulumi_kubernetes", "pulumiverse_scaleway"):
        importlib.import_module(sdk)
    main()
