"""Prepares what the engine needs in the sandbox: a PULUMI_HOME with the plugins, the language host and the command.

Owns `pulumi`, `project`, `bin`, `tmp` and `passphrase` in the sandbox's folder. A user's own ~/.pulumi is never written, and
read only with TOOLCHAIN=system, to link the plugins that are installed there.

Why `bin/pulumi` is a script: Pulumi writes its secrets provider into the stack file when a stack is created. The sandbox's
must not end in Pulumi.dev.yaml, and a real account's must not stop the sandbox. So the script runs the real command on
copies without those lines, made anew at each call, whose `main` is the checkout; `pulumi config` edits the real files. A
file that an option names is looked for in the checkout, where the user is.
"""

import json
import os
import re
import secrets
import shlex
import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from sandbox import files
from sandbox.folder import CHECKOUT, Folder
from sandbox.toolchain import build
from sandbox.toolchain.parts import ALL, CONTROL_PLANE, ENGINE, KUBERNETES_PLUGIN, PULUMI_VERSION, SCALEWAY_PLUGIN, Part

BUILT, SYSTEM = "built", "system"

# The program's SDKs, each by the name of its package: to import one takes longer than all that is done here.
_GITLAB_SDK, _KUBERNETES_SDK, _SCALEWAY_SDK = "pulumi_gitlab", "pulumi_kubernetes", "pulumiverse_scaleway"


class HomeError(Exception):
    """The toolchain that was asked for is not there; the message says what to do."""


def chosen_toolchain() -> str:
    """$TOOLCHAIN: `built` (default) or `system`."""
    return os.environ.get("TOOLCHAIN") or BUILT


def toolchain_parts(toolchain: str) -> tuple[Part, ...]:
    """What must be built for TOOLCHAIN=`built` (all of it) or `system` (the control plane only)."""
    if toolchain not in (BUILT, SYSTEM):
        raise HomeError(f"TOOLCHAIN={toolchain}: must be {BUILT} or {SYSTEM}. Fix: unset TOOLCHAIN")
    return ALL if toolchain == BUILT else (CONTROL_PLANE,)


def prepare(folder: Folder, toolchain: str, environment: Mapping[str, str] = os.environ) -> None:
    """Writes everything anew but the passphrase. Raises HomeError where TOOLCHAIN=system lacks a tool."""
    folder.create()
    if not folder.passphrase.exists():
        files.write(folder.passphrase, secrets.token_urlsafe(32))
    shutil.rmtree(folder.bin)
    shutil.rmtree(folder.temporary)
    shutil.rmtree(folder.pulumi_home / "plugins", ignore_errors=True)
    folder.create()
    if toolchain == SYSTEM:
        pulumi = _system_tool("pulumi", environment)
        _system_tool("pulumi-language-python", environment)
        _link_installed_plugins(folder, environment)
    else:
        pulumi = str(build.binary(ENGINE))
        exec_script = build.part_folder(ENGINE) / "pulumi-language-python-exec"
        host = f'PULUMI_PYTHON_EXEC={_quote(exec_script)} exec {_python("sandbox.language_host")} "$@"'
        _script(_plugin(folder, f"language-python-v{PULUMI_VERSION}", "pulumi-language-python"), host)
        for part, sdk in ((KUBERNETES_PLUGIN, _KUBERNETES_SDK), (SCALEWAY_PLUGIN, _SCALEWAY_SDK)):
            _plugin(folder, _plugin_name(sdk), part.binary).symlink_to(build.binary(part))
        gitlab = _plugin(folder, _plugin_name(_GITLAB_SDK), "pulumi-resource-gitlab")
        _script(gitlab, f'exec {_python("sandbox.gitlab_plugin")} "$@"')
    _script(folder.bin / "pulumi", _COMMAND.format(pulumi=_quote(pulumi), **_places(folder)))


# What the engine writes, such as states and logs, is its user's alone. In the project folder's copies, the lines of a
# secrets provider go; the program and its environment stay where they are. The engine and its plugins live for seconds: to
# look for garbage a quarter as often takes a twentieth less of a preview's processor time, and 60 MB more.
_COMMAND = """\
umask 077
GOGC=${{GOGC:-400}}
export GOGC
TMPDIR={temporary}
export TMPDIR
checkout={checkout}
command=
skip=
for word do
  case "$skip$word" in
    -s|--stack|-C|--cwd|-v|--verbose|--color|--config-file|--memprofilerate|--otel-traces|--profiling|--tracing) skip=. ;;
    -*) ;;
    .*) skip= ;;
    *) command=$word; break ;;
  esac
done
if [ "$(pwd -P)" = "$checkout" ] && [ "$command" != config ]; then
  project={project}
  for copy in "$project"/Pulumi.*.yaml; do
    [ -e "$checkout/${{copy##*/}}" ] || rm -f "$copy"
  done
  for file in "$checkout"/Pulumi.*.yaml; do
    copy="$project/${{file##*/}}"
    sed -E '/^(secretsprovider|encryptionsalt|encryptedkey):/d' "$file" > "$copy.$$"
    mv "$copy.$$" "$copy"
  done
  {{ sed -E {virtualenv} "$checkout/Pulumi.yaml"; printf '%s\\n' {main}; }} \\
    > "$project/Pulumi.yaml.$$"
  mv "$project/Pulumi.yaml.$$" "$project/Pulumi.yaml"
  names_file() {{  # -f and -o are other options of other commands
    case "$command $1" in
      *" --policy-pack"|*" --policy-pack-config"|*" --plan"|*" --save-plan"|*" --event-log"|*" --import-file") ;;
      *" --file"|*" --out"|*" --config-file"|"import -f"|"import -o") ;;
      *) return 1 ;;
    esac
  }}
  find_file() {{
    case $2 in /*|-|'') file=$2 ;; *) file=$checkout/$2 ;; esac
    case "$1 $2" in "--config-file "Pulumi.*.yaml) file=$2 ;; esac  # there is a copy
  }}
  before=
  for word do
    shift
    name=${{word%%=*}}
    if [ "$before" = -- ]; then  # the rest is no option
      :
    elif names_file "$before"; then
      find_file "$before" "$word"
      word=$file
      before=
    elif [ "$name" != "$word" ] && names_file "$name"; then
      find_file "$name" "${{word#*=}}"
      word=$name=$file
      before=
    else
      before=$word
    fi
    set -- "$@" "$word"
  done
  exec {pulumi} --cwd "$project" "$@"
fi
exec {pulumi} "$@"
"""


def _places(folder: Folder) -> dict[str, str]:
    virtualenv, main = (json.dumps(str(path), ensure_ascii=False) for path in (CHECKOUT / ".venv", CHECKOUT))
    replacement = re.sub(r"[\\#&]", r"\\\g<0>", virtualenv)
    return {
        "checkout": _quote(CHECKOUT),
        "project": _quote(folder.project),
        "temporary": _quote(folder.temporary),
        "virtualenv": _quote(rf"s#^( +virtualenv:).*#\1 {replacement}#"),
        "main": _quote(f"main: {main}"),
    }


def _python(module: str) -> str:
    """A command for a module of this checkout, from any folder; `-P` keeps that folder's own modules out."""
    return f"env PYTHONPATH={_quote(CHECKOUT)} {_quote(sys.executable)} -P -m {module}"


def _plugin(folder: Folder, name: str, binary: str) -> Path:
    """Where the engine looks for a plugin's binary; `name` has kind and version in it."""
    home = folder.pulumi_home / "plugins" / name
    home.mkdir(parents=True)
    return home / binary


def _plugin_name(sdk: str) -> str:
    """The plugin in the version that the Python SDK asks for, as the engine names its folder."""
    spec = find_spec(sdk)
    assert spec is not None
    described = json.loads((Path(str(spec.origin)).parent / "pulumi-plugin.json").read_text())
    return f"resource-{described['name']}-v{described['version']}"


def _link_installed_plugins(folder: Folder, environment: Mapping[str, str]) -> None:
    """Links the published plugins that the user has; the engine downloads those that are missing."""
    chosen = environment.get("PULUMI_HOME")
    if not chosen or Path(chosen) == folder.pulumi_home:  # the latter in a shell with the sandbox's own variables
        chosen = f"{environment['HOME']}/.pulumi"
    for sdk in (_KUBERNETES_SDK, _SCALEWAY_SDK, _GITLAB_SDK):
        ours = folder.pulumi_home / "plugins" / _plugin_name(sdk)
        theirs = Path(chosen, "plugins", ours.name)
        if theirs.is_dir():
            shutil.copytree(theirs, ours, copy_function=os.symlink)


def _system_tool(name: str, environment: Mapping[str, str]) -> str:
    found = shutil.which(name, path=environment.get("PATH"))
    if not found:
        raise HomeError(
            f"TOOLCHAIN=system: there is no {name} on PATH, and it would be used instead of a built one. "
            "Fix: install Pulumi, or unset TOOLCHAIN"
        )
    return found


def _script(path: Path, body: str) -> None:
    files.write(path, f"#!/bin/sh\n# Made by the sandbox; see sandbox/home.py.\nset -eu\n{body.strip()}\n", 0o700)


def _quote(value: str | Path) -> str:
    return shlex.quote(str(value))
