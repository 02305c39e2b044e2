"""`python -m sandbox start|stop|status|env|reset|fault|pace`, and `up|preview|down|repair [ENV]`, which `make` calls."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence

from sandbox.folder import Folder
from sandbox.lifecycle import SandboxError


def _start(folder: Folder, _: argparse.Namespace) -> int:
    from sandbox.lifecycle import start

    running = start(folder)
    print(f"sandbox runs: Scaleway {running.scaleway}, GitLab {running.gitlab}, process {running.pid}")
    return 0


def _serve(folder: Folder, arguments: argparse.Namespace) -> int:
    from sandbox.daemon import serve
    from sandbox.home import HomeError
    from sandbox.lifecycle import build_toolchain
    from sandbox.running import AlreadyRunningError

    if arguments.until_stdin_ends:  # from the first moment: a build can take long
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    build_toolchain()
    try:
        serve(folder)
    except (AlreadyRunningError, HomeError) as error:
        raise SandboxError(str(error)) from None
    return 0


def _end_with_stdin() -> None:
    """Whoever holds the other end has ended, or wants this process to."""
    while os.read(0, 4096):  # not by sys.stdin, whose lock Python would wait for at its end
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _stop(folder: Folder, _: argparse.Namespace) -> int:
    from sandbox.lifecycle import stop

    print("sandbox stopped; its state is kept" if stop(folder) else "no sandbox runs")
    return 0


def _status(folder: Folder, _: argparse.Namespace) -> int:
    from sandbox.lifecycle import status

    text, up = status(folder)
    print(text)
    return 0 if up else 3  # as `systemctl status` says "not running"


def _env(folder: Folder, _: argparse.Namespace) -> int:
    from sandbox.environment import shell
    from sandbox.lifecycle import find

    print(shell(folder, find(folder)))
    return 0


def _reset(folder: Folder, _: argparse.Namespace) -> int:
    from sandbox.lifecycle import reset

    reset(folder)
    print("sandbox is empty again: both stand-ins, all clusters, and Pulumi's state")
    return 0


def _up(folder: Folder, arguments: argparse.Namespace) -> int:
    from sandbox.stacks import up

    return up(folder, arguments.environment or "dev")


def _preview(folder: Folder, arguments: argparse.Namespace) -> int:
    from sandbox.stacks import preview

    return preview(folder, arguments.environment or "dev")


def _down(folder: Folder, arguments: argparse.Namespace) -> int:
    from sandbox.stacks import down

    return down(folder, arguments.environment)


def _repair(folder: Folder, arguments: argparse.Namespace) -> int:
    from sandbox.stacks import repair

    return repair(folder, arguments.environment or "dev")


def _pace(folder: Folder, arguments: argparse.Namespace) -> int:
    from sandbox.pace_command import run

    return run(folder, arguments)


def _fault(folder: Folder, arguments: argparse.Namespace) -> int:
    from sandbox.fault_command import run

    return run(folder, arguments)


_COMMANDS: dict[str, tuple[Callable[[Folder, argparse.Namespace], int], str]] = {
    "start": (_start, "start the sandbox in the background, building what is missing"),
    "stop": (_stop, "stop it; its state is kept"),
    "status": (_status, "say whether it runs, where, and what is in it (exit code 3: not running)"),
    "env": (_env, 'print a shell\'s variables: eval "$(python -m sandbox env)"'),
    "reset": (_reset, "empty it: stand-ins, clusters and Pulumi's state"),
    "serve": (_serve, "run it in the foreground until a signal"),
    "fault": (_fault, "make requests to the stand-ins fail"),
    "pace": (_pace, "make clusters and pools take as long as they do in reality"),
    "up": (_up, "bring an environment up (default dev)"),
    "preview": (_preview, "show what `up` would change (default dev)"),
    "repair": (_repair, "bring Pulumi's state and what exists together, after an update was cut off (default dev)"),
    "down": (_down, "destroy an environment (default: all), then stop when none is left"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not running (status), else the engine's."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="The whole estate on one machine.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (_, about) in _COMMANDS.items():
        command = commands.add_parser(name, help=about, description=about)
        if name == "serve":
            command.add_argument("--until-stdin-ends", action="store_true", help="stop when standard input ends, too")
        if name == "fault":
            from sandbox.fault_command import add_arguments

            add_arguments(command)
        if name == "pace":
            from sandbox.pace_command import add_arguments as add_pace_arguments

            add_pace_arguments(command)
        if name in ("up", "preview", "repair", "down"):
            command.add_argument("environment", nargs="?", help="dev, preprod or prod")
    parsed = parser.parse_args(arguments)
    try:
        return _COMMANDS[parsed.command][0](Folder.default(), parsed)
    except SandboxError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
