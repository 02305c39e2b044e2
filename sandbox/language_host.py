"""Stand-in for Pulumi's language host for Python (`pulumi-language-python`).

The official command line ships this host as a Go program whose module is not to be had from a package registry. This one
does what `pulumi preview|up|refresh|destroy`, policy packs and plugins in a folder need: it starts the SDK's own
`pulumi-language-python-exec` (from the same release as the engine; its path is in $PULUMI_PYTHON_EXEC), the pack or the
plugin, with the project's virtual environment. Where an official Pulumi is installed, TOOLCHAIN=system uses its host
instead, and the program runs unchanged.

It prints its port on stdout, as the engine expects, and ends when its standard input does: the engine holds that pipe.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any

# To import the SDK takes longer than all else that this process does, and each `pulumi` command starts two of it. Of the SDK
# only the messages are needed: the packages around them are found, and not run.
if __name__ == "__main__":
    for package in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
        spec = find_spec(package)
        assert spec is not None
        sys.modules[package] = module_from_spec(spec)

import grpc
import pulumi
from pulumi.runtime.proto import language_pb2 as messages
from pulumi.runtime.proto import language_pb2_grpc, plugin_pb2

SHOWN_TO_THE_USER = 32  # exit code of the exec script when it has already printed the error
MAXIMUM_MESSAGE_BYTES = 400 << 20  # the engine's own


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """The calls that the engine makes of a language host; see Pulumi's language.proto for each."""

    def __init__(self, engine: str) -> None:
        self.engine = engine

    def Handshake(self, request: Any, context: Any) -> Any:
        self.engine = request.engine_address or self.engine
        return messages.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo()

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        """The resource plugins that the installed SDKs ask for, so that the engine finds or downloads them first."""
        site = Path(pulumi.__file__).parents[1]
        described = [json.loads(file.read_text()) for file in sorted(site.glob("*/pulumi-plugin.json"))]
        return messages.GetRequiredPackagesResponse(
            packages=[
                plugin_pb2.PackageDependency(
                    name=d["name"], kind="resource", version="v" + d["version"], server=d.get("server", "")
                )
                for d in described
                if d.get("resource")
            ]
        )

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        return messages.GetProgramDependenciesResponse()

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        return messages.RuntimeOptionsResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        return iter(())

    def About(self, request: Any, context: Any) -> Any:
        return messages.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def Run(self, request: Any, context: Any) -> Any:
        """Runs the program to its end. Secret settings go by the environment, as in the official host."""
        program = Path(request.info.program_directory, request.info.entry_point or ".")
        process = subprocess.Popen(
            [
                *(python_of(request.info), "-u", os.environ["PULUMI_PYTHON_EXEC"]),
                *("--monitor", request.monitor_address, "--engine", self.engine),
                *("--project", request.project, "--stack", request.stack, "--organization", request.organization),
                *("--root_directory", request.info.root_directory, "--pwd", request.pwd),
                *("--parallel", str(request.parallel), "--dry_run", "true" if request.dryRun else "false"),
                *(str(program), *request.args),
            ],
            cwd=request.pwd,
            env=os.environ
            | {
                "PULUMI_CONFIG": json.dumps(dict(request.config)),
                "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
            },
            stdin=subprocess.DEVNULL,
        )
        context.add_callback(process.terminate)  # when the call ends: done, or because the engine was killed
        code = process.wait()
        if code == SHOWN_TO_THE_USER:
            return messages.RunResponse(bail=True)
        if code:
            return messages.RunResponse(error=f"the program exited with code {code}")
        return messages.RunResponse()

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """Starts a policy pack (`pulumi preview --policy-pack DIR`), or a plugin's folder, and streams what it prints.

        The folder must hold a `__main__.py`; the official host runs plugins that are installable packages, too.
        """
        folder = request.info.program_directory
        # A policy pack's folder is the last argument of the SDK's own module; a plugin is run itself.
        command = (
            [folder, *request.args] if request.kind == "resource" else ["-m", "pulumi.policy", *request.args, folder]
        )
        process = subprocess.Popen(
            [python_of(request.info), "-u", *command],
            cwd=folder,
            env=os.environ | dict(entry.split("=", 1) for entry in request.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        context.add_callback(process.terminate)  # the engine cancels the call when it is done
        assert process.stdout is not None
        for line in process.stdout:
            yield messages.RunPluginResponse(stdout=line)
        yield messages.RunPluginResponse(exitcode=process.wait())


def python_of(info: Any) -> str:
    """The interpreter of the project's virtual environment (`runtime.options.virtualenv`), else the one that runs this."""
    options = info.options.fields
    if "virtualenv" not in options:
        return sys.executable
    return str(Path(info.root_directory, options["virtualenv"].string_value, "bin", "python"))


def _end_with_parent(server: grpc.Server) -> None:
    """Python's own reading would hold a lock, for which the end of the process waits a second before it aborts."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    server.stop(grace=None)


def main() -> None:
    """Serves on a free loopback port until the engine is gone."""
    # What a shell starts in its background ignores interrupts, and so would this: each command then takes the five seconds
    # more that the engine gives a plugin to end.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    server = grpc.server(
        futures.ThreadPoolExecutor(), options=[("grpc.max_receive_message_length", MAXIMUM_MESSAGE_BYTES)]
    )
    engine = next((a for a in sys.argv[1:] if not a.startswith("-")), "")
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    threading.Thread(target=_end_with_parent, args=(server,), daemon=True).start()
    print(port, flush=True)
    try:
        server.wait_for_termination()
    except KeyboardInterrupt:  # the engine interrupts its plugins when it is done
        server.stop(grace=1)


if __name__ == "__main__":
    main()
    os._exit(0)  # without Python's tidying up, for which the engine would wait
