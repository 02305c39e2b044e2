"""The engine's home in the sandbox, and the `pulumi` that leaves stack files alone. Every binary here is a script."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from sandbox import home
from sandbox.folder import Folder
from sandbox.toolchain import build
from sandbox.toolchain.parts import ALL, CONTROL_PLANE, ENGINE, KUBERNETES_PLUGIN, PULUMI_VERSION, SCALEWAY_PLUGIN

# Prints where it runs and each argument on a line.
TELLS = '#!/bin/sh\npwd -P\nfor word do printf "%s\\n" "$word"; done\n'
PROJECT = """\
name: kapsule-devops
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: .venv
config:
  secretsprovider: {type: string}
"""
STACK = """\
# A comment stays.
secretsprovider: passphrase
encryptionsalt: v1:abc
encryptedkey: def
config:
  kapsule-devops:environment: dev
  kapsule-devops:secretsprovider: mine
"""
KUBERNETES = f"resource-kubernetes-v{version('pulumi_kubernetes')}"
SCALEWAY = f"resource-scaleway-v{version('pulumiverse_scaleway')}"
GITLAB = f"resource-gitlab-v{version('pulumi_gitlab')}"


def script(path: Path, text: str = TELLS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@dataclass
class Place:
    checkout: Path
    folder: Folder
    installed: Path

    def environment(self) -> dict[str, str]:
        return {"HOME": str(self.installed / "home"), "PATH": str(self.installed / "bin")}

    def run(self, *arguments: str, within: Path | None = None) -> list[str]:
        """What the real command was asked, after the folder in which it was."""
        command = [str(self.folder.bin / "pulumi"), *arguments]
        folder = within or self.checkout
        environment = os.environ | {"PWD": str(folder)}  # as a shell that went there, through links if any
        result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
        assert result.stderr == ""
        return result.stdout.splitlines()

    def copies(self) -> list[str]:
        return sorted(p.name for p in self.folder.project.iterdir())


@pytest.fixture(params=["plain", 'it\'s R&D #1 \\ {x} "ü" $HOME'])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A checkout, a sandbox and a toolchain in folders of that name; the built parts are scripts."""
    base = tmp_path / request.param
    checkout = base / "checkout"
    checkout.mkdir(parents=True)
    (checkout / "Pulumi.yaml").write_text(PROJECT)
    (checkout / "Pulumi.dev.yaml").write_text(STACK)
    (checkout / "Pulumi.prod.yaml").write_text(STACK.replace("environment: dev", "environment: prod"))
    monkeypatch.setattr(home, "CHECKOUT", checkout)
    monkeypatch.setenv("TOOLCHAIN_CACHE", str(base / "cache"))
    monkeypatch.setattr(sys, "executable", str(script(base / "venv" / "python")))
    for part in ALL:
        script(build.binary(part))
    yield Place(checkout, Folder(base / "sandbox"), base / "installed")
    assert (checkout / "Pulumi.dev.yaml").read_text() == STACK, "whatever ran, the stack file is as it was"
    assert (checkout / "Pulumi.yaml").read_text() == PROJECT


@pytest.fixture
def built(place: Place) -> Place:
    home.prepare(place.folder, home.BUILT, place.environment())
    return place


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def output(command: Sequence[str | Path], within: Path, **environment: str) -> list[str]:
    return subprocess.run(
        command, cwd=within, env=os.environ | environment, capture_output=True, text=True, check=True
    ).stdout.splitlines()


def test_the_plugins_are_the_built_ones_and_the_stand_ins(built: Place) -> None:
    plugins = built.folder.pulumi_home / "plugins"
    assert sorted(p.name for p in plugins.iterdir()) == sorted(
        [KUBERNETES, SCALEWAY, GITLAB, f"language-python-v{PULUMI_VERSION}"]
    )
    assert (plugins / KUBERNETES / "pulumi-resource-kubernetes").resolve() == build.binary(KUBERNETES_PLUGIN).resolve()
    assert (plugins / SCALEWAY / "pulumi-resource-scaleway").resolve() == build.binary(SCALEWAY_PLUGIN).resolve()


@pytest.mark.parametrize(
    ("plugin", "module"),
    [
        (f"{GITLAB}/pulumi-resource-gitlab", "sandbox.gitlab_plugin"),
        (f"language-python-v{PULUMI_VERSION}/pulumi-language-python", "sandbox.language_host"),
    ],
)
def test_a_stand_in_runs_from_any_folder(built: Place, tmp_path: Path, plugin: str, module: str) -> None:
    started = output([built.folder.pulumi_home / "plugins" / plugin, "a b", "$x"], within=tmp_path)
    assert started == [str(tmp_path.resolve()), "-P", "-m", module, "a b", "$x"]


def test_a_stand_in_imports_the_checkout_and_finds_the_engines_script(built: Place, tmp_path: Path) -> None:
    script(Path(sys.executable), '#!/bin/sh\nprintf "%s\\n" "$PYTHONPATH" "$PULUMI_PYTHON_EXEC"\n')
    host = built.folder.pulumi_home / "plugins" / f"language-python-v{PULUMI_VERSION}" / "pulumi-language-python"
    exec_script = build.part_folder(ENGINE) / "pulumi-language-python-exec"
    assert output([host], within=tmp_path, PYTHONPATH="elsewhere") == [str(built.checkout), str(exec_script)]


def test_only_the_user_may_read_and_run_what_is_made(built: Place) -> None:
    folder = built.folder
    scripts = [
        folder.bin / "pulumi",
        folder.pulumi_home / "plugins" / GITLAB / "pulumi-resource-gitlab",
        folder.pulumi_home / "plugins" / f"language-python-v{PULUMI_VERSION}" / "pulumi-language-python",
    ]
    assert [mode(path) for path in scripts] == [0o700] * 3
    assert mode(folder.passphrase) == 0o600
    for path in (folder.root, folder.bin, folder.project, folder.pulumi_home, folder.backend, folder.helm):
        assert mode(path) == 0o700, path


def test_all_is_made_anew_but_the_passphrase(built: Place) -> None:
    passphrase = built.folder.passphrase.read_text()
    assert len(passphrase) >= 32
    script(built.folder.bin / "old")
    script(built.folder.pulumi_home / "plugins" / "resource-old-v1" / "old")
    home.prepare(built.folder, home.BUILT, built.environment())
    assert built.folder.passphrase.read_text() == passphrase
    assert [p.name for p in built.folder.bin.iterdir()] == ["pulumi"]
    assert not (built.folder.pulumi_home / "plugins" / "resource-old-v1").exists()


def test_the_command_runs_on_copies_without_a_secrets_provider(built: Place) -> None:
    asked = built.run("up", "--stack", "dev", "-m", "two words", "$x", "")
    assert asked == [
        str(built.checkout.resolve()),
        *("--cwd", str(built.folder.project), "up", "--stack", "dev", "-m", "two words", "$x", ""),
    ]
    assert built.copies() == ["Pulumi.dev.yaml", "Pulumi.prod.yaml", "Pulumi.yaml"]
    for stack in ("dev", "prod"):
        copy = (built.folder.project / f"Pulumi.{stack}.yaml").read_text()
        assert copy == (
            "# A comment stays.\nconfig:\n"
            f"  kapsule-devops:environment: {stack}\n  kapsule-devops:secretsprovider: mine\n"
        )


def test_a_file_that_an_option_names_is_the_checkouts(built: Place) -> None:
    """The engine looks for it from the folder of the copies, where nobody is."""
    here = str(built.checkout.resolve())
    asked = built.run(
        "preview", "--policy-pack", "policies", "--save-plan", "/tmp/plan", "-m", ".x", "--plan", "--plan", "a b"
    )
    given = [
        "--policy-pack",
        f"{here}/policies",
        "--save-plan",
        "/tmp/plan",
        "-m",
        ".x",
        "--plan",
        f"{here}/--plan",
        "a b",
    ]
    assert asked[4:] == given


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        (
            "preview --policy-pack=policies --save-plan=/tmp/plan",
            "preview --policy-pack=HERE/policies --save-plan=/tmp/plan",
        ),
        ("up --plan=a=b.json", "up --plan=HERE/a=b.json"),
        ("stack export --file state.json", "stack export --file HERE/state.json"),
        ("stack import -f --file=state.json", "stack import -f --file=HERE/state.json"),
        ("import -f imp.json -o made.py", "import -f HERE/imp.json -o HERE/made.py"),
        ("-s dev import --file imp.json --out=made.py", "-s dev import --file HERE/imp.json --out=HERE/made.py"),
        ("import -f=imp.json", "import -f=HERE/imp.json"),
        ("refresh -f mine", "refresh -f mine"),
        ("stack ls -o acme", "stack ls -o acme"),
        ("up --config-file my.yaml", "up --config-file HERE/my.yaml"),
        ("up --config-file Pulumi.dev.yaml", "up --config-file Pulumi.dev.yaml"),
        ("policy analyze --file -", "policy analyze --file -"),
        ("stack export --file=", "stack export --file="),
        ("import --from x -- --file y", "import --from x -- --file y"),
    ],
)
def test_each_form_of_such_an_option_is_known(built: Place, given: str, asked: str) -> None:
    here = str(built.checkout.resolve())
    assert built.run(*given.split())[3:] == [word.replace("HERE", here) for word in asked.split()]


def test_the_copy_of_the_project_points_to_the_checkout(built: Place) -> None:
    built.run("preview")
    project = yaml.safe_load((built.folder.project / "Pulumi.yaml").read_text())
    expected = yaml.safe_load(PROJECT)
    expected["main"] = str(built.checkout)
    expected["runtime"]["options"]["virtualenv"] = f"{built.checkout}/.venv"
    assert project == expected


def test_copies_are_made_anew_at_each_call(built: Place) -> None:
    built.run("preview")
    (built.folder.project / "Pulumi.dev.yaml").write_text("encryptionsalt: written by the engine\n")
    (built.folder.project / "Pulumi.gone.yaml").write_text("config: {}\n")
    (built.checkout / "Pulumi.prod.yaml").write_text("config: {}\n")
    (built.checkout / "Pulumi.new.yaml").write_text("config: {}\n")
    built.run("preview")
    assert built.copies() == ["Pulumi.dev.yaml", "Pulumi.new.yaml", "Pulumi.prod.yaml", "Pulumi.yaml"]
    assert "encryptionsalt" not in (built.folder.project / "Pulumi.dev.yaml").read_text()
    assert (built.folder.project / "Pulumi.prod.yaml").read_text() == "config: {}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["config"],
        ["config", "set", "--path", "runnerPool.size", "3"],
        ["--non-interactive", "config"],
        ["-s", "dev", "config", "rm", "x"],
        ["--stack", "up", "config", "rm", "x"],
        ["--stack=dev", "--color", "never", "config"],
    ],
)
def test_config_edits_the_checkout_itself(built: Place, arguments: list[str]) -> None:
    assert built.run(*arguments) == [str(built.checkout.resolve()), *arguments]
    assert built.copies() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["up", "config"],
        ["--stack", "config", "up"],
        ["-s", "config", "preview"],
        ["up", "--config", "a=b"],
        ["stack", "select", "config"],
        [],
        ["--version"],
    ],
)
def test_other_commands_do_not(built: Place, arguments: list[str]) -> None:
    asked = built.run(*arguments)
    assert asked == [str(built.checkout.resolve()), "--cwd", str(built.folder.project), *arguments]


def test_other_folders_are_no_concern_of_it(built: Place, tmp_path: Path) -> None:
    inside = built.checkout / "examples"
    inside.mkdir()
    for folder in (tmp_path, inside):
        assert built.run("up", within=folder) == [str(folder.resolve()), "up"]
    assert built.copies() == []


def test_a_link_to_the_checkout_is_the_checkout(built: Place, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(built.checkout)
    assert built.run("up", within=link)[1:] == ["--cwd", str(built.folder.project), "up"]


def test_the_exit_code_is_the_commands(built: Place) -> None:
    script(build.binary(ENGINE), "#!/bin/sh\nexit 7\n")
    assert subprocess.run([built.folder.bin / "pulumi", "up"], cwd=built.checkout).returncode == 7


@pytest.mark.parametrize(("given", "told"), [({}, "400"), ({"GOGC": "50"}, "50")], ids=["by itself", "as it is told"])
def test_the_engine_looks_for_garbage_less_often(built: Place, given: dict[str, str], told: str) -> None:
    script(build.binary(ENGINE), "#!/bin/sh\necho $GOGC\n")
    plain = {name: value for name, value in os.environ.items() if name != "GOGC"}
    command = [str(built.folder.bin / "pulumi"), "up"]
    result = subprocess.run(command, cwd=built.checkout, env=plain | given, capture_output=True, text=True, check=True)
    assert result.stdout == f"{told}\n"


@pytest.fixture
def installed(place: Place) -> Place:
    """Pulumi as a user has it: the command on PATH, two plugins in ~/.pulumi."""
    for name in ("pulumi", "pulumi-language-python"):
        script(place.installed / "bin" / name)
    for plugin in (KUBERNETES, SCALEWAY):
        script(place.installed / "home" / ".pulumi" / "plugins" / plugin / "deep" / "binary")
    return place


def test_a_systems_pulumi_is_used_with_the_plugins_that_are_installed(installed: Place) -> None:
    home.prepare(installed.folder, home.SYSTEM, installed.environment())
    plugins = installed.folder.pulumi_home / "plugins"
    assert sorted(p.name for p in plugins.iterdir()) == sorted([KUBERNETES, SCALEWAY])
    binary = plugins / KUBERNETES / "deep" / "binary"
    assert binary.is_symlink()
    assert binary.resolve() == (
        (installed.installed / "home" / ".pulumi" / "plugins" / KUBERNETES / "deep" / "binary").resolve()
    )
    script(installed.installed / "bin" / "pulumi", "#!/bin/sh\necho the installed one\n")
    assert installed.run("up") == ["the installed one"]


def test_a_home_that_the_user_chose_is_read(installed: Place) -> None:
    other = installed.installed / "elsewhere"
    script(other / "plugins" / GITLAB / "binary")
    home.prepare(installed.folder, home.SYSTEM, installed.environment() | {"PULUMI_HOME": str(other)})
    assert [p.name for p in (installed.folder.pulumi_home / "plugins").iterdir()] == [GITLAB]


def test_a_shell_of_the_sandbox_still_means_the_users_own(installed: Place) -> None:
    """`sandbox start` again, after `eval "$(python -m sandbox env)"`."""
    home.prepare(installed.folder, home.SYSTEM, installed.environment())
    own = {
        "HOME": installed.environment()["HOME"],
        "PULUMI_HOME": str(installed.folder.pulumi_home),
        "PATH": f"{installed.folder.bin}:{installed.installed / 'bin'}",
    }
    home.prepare(installed.folder, home.SYSTEM, own)
    assert sorted(p.name for p in (installed.folder.pulumi_home / "plugins").iterdir()) == sorted(
        [KUBERNETES, SCALEWAY]
    )
    assert installed.run("up")[1:] == ["--cwd", str(installed.folder.project), "up"]


@pytest.mark.parametrize("name", ["pulumi", "pulumi-language-python"])
def test_a_tool_that_is_not_installed_is_named(installed: Place, name: str) -> None:
    (installed.installed / "bin" / name).unlink()
    with pytest.raises(home.HomeError) as caught:
        home.prepare(installed.folder, home.SYSTEM, installed.environment())
    assert str(caught.value) == (
        f"TOOLCHAIN=system: there is no {name} on PATH, and it would be used instead of a built one. "
        "Fix: install Pulumi, or unset TOOLCHAIN"
    )


def test_a_toolchain_names_what_must_be_built(monkeypatch: pytest.MonkeyPatch) -> None:
    assert home.toolchain_parts(home.BUILT) == ALL
    assert home.toolchain_parts(home.SYSTEM) == (CONTROL_PLANE,)
    for value, chosen in ((None, "built"), ("", "built"), ("system", "system")):
        monkeypatch.delenv("TOOLCHAIN", raising=False)
        if value is not None:
            monkeypatch.setenv("TOOLCHAIN", value)
        assert home.chosen_toolchain() == chosen


def test_an_unknown_toolchain_is_told() -> None:
    with pytest.raises(home.HomeError) as caught:
        home.toolchain_parts("docker")
    assert str(caught.value) == "TOOLCHAIN=docker: must be built or system. Fix: unset TOOLCHAIN"


def test_what_plugins_leave_in_their_temporary_folder_is_private_and_ends_with_the_next_start(built: Place) -> None:
    script(build.binary(ENGINE), '#!/bin/sh\nprintf "%s\\n" "$TMPDIR"\n')
    assert built.run("up") == [str(built.folder.temporary)]
    assert mode(built.folder.temporary) == 0o700
    (built.folder.temporary / "kubeconfig123").write_text("token")
    home.prepare(built.folder, home.BUILT, built.environment())
    assert list(built.folder.temporary.iterdir()) == []
