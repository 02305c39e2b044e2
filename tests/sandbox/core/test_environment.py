"""The sandbox's variables: nothing of the user's is read or written, and a shell takes them as they are."""

import stat
import subprocess
from pathlib import Path

import pytest

from sandbox import environment, gitlab, scaleway
from sandbox.folder import CHECKOUT, Folder
from sandbox.running import Running
from sandbox.store import Store

RUNNING = Running(pid=1, scaleway="http://127.0.0.1:1111", gitlab="http://127.0.0.1:2222")

# Where each tool keeps what belongs to its user: all of it must point into the sandbox's folder.
USERS_PATHS = (
    "PULUMI_HOME",
    "PULUMI_CONFIG_PASSPHRASE_FILE",
    "SCW_CONFIG_PATH",
    "KUBECONFIG",
    "HELM_CACHE_HOME",
    "HELM_CONFIG_HOME",
    "HELM_DATA_HOME",
)


@pytest.fixture(params=["plain", 'it\'s R&D #1 $HOME `id` "ü"'])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / request.param)
    folder.create()
    return folder


@pytest.fixture(autouse=True)
def users(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user with settings of their own for everything."""
    for name in (*USERS_PATHS, *environment.UNSET, "SCW_SECRET_KEY", "GITLAB_TOKEN", "PULUMI_BACKEND_URL"):
        monkeypatch.setenv(name, "the user's own")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("UNRELATED", "kept")


def test_every_path_of_the_users_is_inside_the_folder(folder: Folder) -> None:
    found = environment.variables(folder, RUNNING)
    paths = [found[name] for name in USERS_PATHS]
    assert len(set(paths)) == len(USERS_PATHS)
    for path in paths:
        assert Path(path).is_relative_to(folder.root)
    assert found["PULUMI_BACKEND_URL"] == f"file://{folder.root}/state"
    assert "the user's own" not in found.values()


def test_the_keys_are_the_stand_ins_and_the_same_again(folder: Folder) -> None:
    found = environment.variables(folder, RUNNING)
    store = Store(folder.records)
    cloud, git = scaleway.seed(store), gitlab.seed(store)
    store.close()
    assert {name: found[name] for name in found if name.startswith("SCW_") and name != "SCW_CONFIG_PATH"} == {
        "SCW_API_URL": "http://127.0.0.1:1111",
        "SCW_ACCESS_KEY": cloud.access_key,
        "SCW_SECRET_KEY": cloud.secret_key,
        "SCW_DEFAULT_ORGANIZATION_ID": cloud.organization_id,
        "SCW_DEFAULT_PROJECT_ID": cloud.project_id,
    }
    assert {name: found[name] for name in found if name.startswith("GITLAB_")} == {
        "GITLAB_BASE_URL": "http://127.0.0.1:2222/api/v4/",
        "GITLAB_TOKEN": git.token,
        "GITLAB_RUNNER_CHART_REPOSITORY": "http://127.0.0.1:2222/charts",
    }
    assert environment.variables(folder, RUNNING) == found


def test_the_folders_commands_come_first_and_once(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = f"{folder.bin}:/usr/bin:/bin"
    assert environment.variables(folder, RUNNING)["PATH"] == expected
    monkeypatch.setenv("PATH", f"/usr/bin:{folder.bin}:/bin")
    assert environment.variables(folder, RUNNING)["PATH"] == expected


@pytest.mark.parametrize(
    ("given", "direct"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "corp.example"}, "corp.example,127.0.0.1,localhost"),
        ({"no_proxy": "a.example, b.example"}, "a.example,b.example,127.0.0.1,localhost"),
        ({"no_proxy": "a.example", "NO_PROXY": "localhost,b.example"}, "a.example,localhost,b.example,127.0.0.1"),
        ({"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "*"}, "*"),
    ],
)
def test_no_proxy_is_asked_for_the_sandbox(tmp_path: Path, given: dict[str, str], direct: str) -> None:
    folder = Folder(tmp_path)
    folder.create()
    found = environment.variables(folder, RUNNING, {"HTTPS_PROXY": "http://proxy.example:3128", **given})
    assert (found["NO_PROXY"], found["no_proxy"]) == (direct, direct)
    assert "HTTPS_PROXY" not in found  # the program may need it for what is elsewhere


def test_a_child_gets_the_sandboxs_variables_over_its_parents(folder: Folder) -> None:
    found = environment.merged(folder, RUNNING)
    assert found["UNRELATED"] == "kept"
    assert found | environment.variables(folder, RUNNING) == found
    assert [name for name in environment.UNSET if name in found] == []
    assert "the user's own" not in found.values()


def test_a_shell_that_evaluates_the_lines_has_the_same_variables(folder: Folder) -> None:
    lines = environment.shell(folder, RUNNING)
    shown = subprocess.run(
        ["/bin/sh", "-euc", 'eval "$1"; exec /usr/bin/env -0', "sh", lines], capture_output=True, check=True
    ).stdout
    found = dict(entry.split("=", 1) for entry in shown.decode().rstrip("\0").split("\0"))
    expected = environment.variables(folder, RUNNING)
    assert {name: found[name] for name in expected} == expected
    assert [name for name in environment.UNSET if name in found] == []
    assert found["UNRELATED"] == "kept"


def test_what_would_win_over_the_variables_is_unset() -> None:
    """Helm's single paths win over its homes; a profile of Scaleway's over its keys; a stack of Pulumi's over `-s`."""
    assert set(environment.UNSET) == {
        "GITLAB_CONFIG_FILE",
        "HELM_KUBECONTEXT",
        "HELM_NAMESPACE",
        "HELM_PLUGINS",
        "HELM_REGISTRY_CONFIG",
        "HELM_REPOSITORY_CACHE",
        "HELM_REPOSITORY_CONFIG",
        "PULUMI_ACCESS_TOKEN",
        "PULUMI_BACKEND",
        "PULUMI_CONFIG_PASSPHRASE",
        "PULUMI_STACK",
        "SCW_DEFAULT_REGION",
        "SCW_DEFAULT_ZONE",
        "SCW_PROFILE",
    }


def test_the_folder_is_the_checkouts_unless_it_is_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SANDBOX_DIR", raising=False)
    assert Folder.default().root == CHECKOUT / ".sandbox"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SANDBOX_DIR", "mine")
    assert Folder.default().root == tmp_path / "mine"


def test_nobody_else_may_look_into_the_folder(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "sandbox")
    folder.create()
    folder.create()
    for path in folder.root, *folder.root.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    assert {path.name for path in folder.root.iterdir()} == {
        "clusters",
        "state",
        "bin",
        "project",
        "pulumi",
        "helm",
        "tmp",
    }
