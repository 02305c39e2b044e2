"""The sandbox's own commands, as a user gives them: what they say, what they leave, and how they end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.scaleway.common import CLUSTERS, PROJECTS
from sandbox.toolchain.build import binary
from sandbox.toolchain.parts import ENGINE
from tests.engine.estate import ROOT, Estate, all_processes, descendants, eventually
from tests.quick_yaml import quick_yaml


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Estate]:
    """An estate of the test's own, in which nothing runs yet. Nothing runs in it afterwards, whatever happens."""
    estate = Estate(tmp_path)
    yield estate
    estate.sandbox("stop")
    estate.stop()
    assert eventually(estate.processes, lambda found: not found) == []


def _cluster(estate: Estate) -> str:
    """Creates a cluster as a client of the API would, and waits for its control plane."""
    project = estate.variables()["SCW_DEFAULT_PROJECT_ID"]
    network = estate.cloud("POST", "/vpc/v2/regions/fr-par/private-networks", name="n", project_id=project)
    wanted = {"name": "c", "project_id": project, "cni": "cilium", "version": "1.35.3", "type": "kapsule"}
    clusters = "/k8s/v1/regions/fr-par/clusters"
    cluster = estate.cloud("POST", clusters, **wanted, private_network_id=network["id"])
    eventually(lambda: estate.cloud("GET", f"{clusters}/{cluster['id']}")["status"], lambda s: s == "pool_required")
    return str(cluster["id"])


def test_start_status_stop(own: Estate) -> None:
    assert own.sandbox("status").returncode == 3
    started = own.sandbox("start")
    assert started.returncode == 0, started.stderr
    assert "sandbox runs: Scaleway http://127.0.0.1:" in started.stdout
    again = own.sandbox("start")
    assert again.stdout == started.stdout, "a second start finds the first"
    status = own.sandbox("status")
    assert status.returncode == 0
    assert "sandbox runs" in status.stdout
    assert own.sandbox("stop").stdout == "sandbox stopped; its state is kept\n"
    assert own.sandbox("stop").stdout == "no sandbox runs\n"
    assert own.processes() == []


def test_state_and_addresses_survive_a_restart(own: Estate) -> None:
    own.start()
    cluster_id = _cluster(own)
    environment = own.sandbox("env").stdout
    ports = (own.folder / "clusters" / cluster_id / "endpoints.json").read_text()
    own.stop()
    assert own.processes() == []
    own.start()
    assert own.sandbox("env").stdout == environment
    assert [c["id"] for c in own.records(CLUSTERS)] == [cluster_id]
    assert (own.folder / "clusters" / cluster_id / "endpoints.json").read_text() == ports


def test_its_shell_has_the_variables_that_the_tests_use(own: Estate) -> None:
    own.start()
    script = f"""eval "$('{sys.executable}' -m sandbox env)"; exec env"""
    given = {"PATH": os.environ["PATH"], "HOME": str(own.home), "PULUMI_STACK": "another"} | own.cache
    printed = subprocess.run(
        ["sh", "-c", script], cwd=own.checkout, env=given, capture_output=True, text=True, check=True
    )
    found = dict(line.split("=", 1) for line in printed.stdout.splitlines())
    assert {
        name: value for name, value in found.items() if name not in ("PWD", "OLDPWD", "SHLVL", "_")
    } == own.variables()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_with_everything_it_started(own: Estate, number: signal.Signals) -> None:
    own.start()
    _cluster(own)
    assert len(own.processes()) >= 5
    process = own.process
    assert process is not None
    process.send_signal(number)
    assert process.wait(60) == 0
    assert own.processes() == []
    assert not (own.folder / "running.json").exists()


def test_a_killed_sandbox_takes_its_control_planes_with_it_and_starts_again(own: Estate) -> None:
    own.start()
    cluster_id = _cluster(own)
    own.kill()
    assert eventually(own.processes, lambda found: not found) == []
    assert own.sandbox("status").returncode == 3
    own.start()
    assert [c["id"] for c in own.records(CLUSTERS)] == [cluster_id]


def test_a_killed_part_of_a_control_plane_is_started_again(own: Estate) -> None:
    own.start()
    _cluster(own)

    def server() -> list[int]:
        return [int(p.split()[0]) for p in own.processes() if " apiserver " in p]

    (first,) = server()
    os.kill(first, signal.SIGKILL)
    (second,) = eventually(server, lambda found: bool(found) and found != [first])
    assert second != first


def test_a_killed_engine_takes_its_program_and_the_gitlab_plugin_with_it(own: Estate) -> None:
    own.start()
    program = own.checkout / "endless"
    program.mkdir()
    (program / "Pulumi.yaml").write_text("name: endless\nruntime: {name: python, options: {virtualenv: ../.venv}}\n")
    (program / "__main__.py").write_text(
        "import asyncio, pulumi, pulumi_gitlab as gitlab\n"
        # So that a plugin of ours runs, too; those of others notice by themselves, within minutes.
        "gitlab.ProjectVariable('v', project='acme/app', key='K', value='v')\n"
        "pulumi.export('never', pulumi.Output.from_input(asyncio.sleep(600)))\n"
    )
    variables = own.variables()
    subprocess.run(["pulumi", "stack", "init", "dev"], cwd=program, env=variables, check=True, capture_output=True)
    engine = subprocess.Popen(["pulumi", "preview"], cwd=program, env=variables, stdout=subprocess.DEVNULL)
    try:
        parts = ("language_host", "pulumi-language-python-exec", "sandbox.gitlab_plugin")
        started = eventually(lambda: descendants(engine.pid), lambda found: all(part in str(found) for part in parts))
    finally:
        engine.kill()
        engine.wait()
    assert eventually(lambda: started.keys() & all_processes().keys(), lambda found: not found) == set()


def test_reset_empties_it_and_keeps_the_credentials(own: Estate) -> None:
    own.start()
    _cluster(own)
    environment = own.sandbox("env").stdout
    assert own.sandbox("reset").returncode == 0
    assert own.records(CLUSTERS) == []
    assert [p["name"] for p in own.records(PROJECTS)] == ["default"]
    assert own.sandbox("env").stdout == environment
    assert eventually(lambda: [p for p in own.processes() if "kubernetes-cluster" in p], lambda f: not f) == []


def test_it_listens_on_loopback_only(own: Estate) -> None:
    own.start()
    _cluster(own)
    pids = {p.split()[0] for p in own.processes()}
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                listening.add((fields[9], fields[1].partition(":")[0]))
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            target = str(link.readlink())
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    ours = {address for inode, address in listening if inode in inodes}
    assert ours == {"0100007F"}


def test_without_a_sandbox_the_errors_name_the_command(own: Estate) -> None:
    result = own.sandbox("env")
    assert (result.returncode, result.stderr) == (1, "error: no sandbox runs. Fix: python -m sandbox start\n")
    result = own.sandbox("up", "staging")
    assert result.returncode == 1
    assert "there is no Pulumi.staging.yaml. Fix: ENV must be one of dev, preprod, prod" in result.stderr
    assert own.sandbox("up", "dev", TOOLCHAIN="mine").stderr.startswith(
        "error: TOOLCHAIN=mine: must be built or system"
    )
    assert own.sandbox("down").stdout == "no environment is up\n"


def test_an_installed_pulumi_is_used_when_asked_for(own: Estate, tmp_path: Path) -> None:
    """TOOLCHAIN=system: what stands for an installed Pulumi here is the built one, in folders of the user's own."""
    own.start()
    own.stop()
    theirs, plugins = tmp_path / "their bin", own.home / ".pulumi" / "plugins"
    theirs.mkdir()
    plugins.parent.mkdir()
    for built in (own.folder / "pulumi" / "plugins").iterdir():
        target = theirs if built.name.startswith("language") else plugins / built.name
        target.mkdir(parents=True, exist_ok=True)
        for file in built.iterdir():
            (target / file.name).write_bytes(file.read_bytes())
            (target / file.name).chmod(0o700)
    (theirs / "pulumi").write_bytes(binary(ENGINE).read_bytes())
    (theirs / "pulumi").chmod(0o700)
    path = f"{theirs}:{os.environ['PATH']}"
    own.start(TOOLCHAIN="system", PATH=path)
    wrapper = (own.folder / "bin" / "pulumi").read_text()
    assert str(theirs / "pulumi") in wrapper
    linked = own.folder / "pulumi" / "plugins" / "resource-scaleway-v1.56.1" / "pulumi-resource-scaleway"
    assert linked.resolve() == plugins / "resource-scaleway-v1.56.1" / "pulumi-resource-scaleway"
    result = own.sandbox("preview", "dev", TOOLCHAIN="system", PATH=path)
    assert result.returncode == 0, result.stdout + result.stderr
    expected = quick_yaml((ROOT / "tests" / "program" / "expected" / "dev.yaml").read_text())["resources"]
    assert f"+ {len(expected) + 1} to create" in result.stdout  # and the stack itself


def test_it_plays_the_account_that_the_stack_file_names(own: Estate) -> None:
    """A user's own files serve the sandbox, too; while nothing exists in it, it becomes another account."""
    file = own.checkout / "Pulumi.dev.yaml"
    shipped, default = file.read_text(), "00000000-0000-4000-8000-000000000001"
    own.start()
    assert own.variables()["SCW_DEFAULT_ORGANIZATION_ID"] == default
    organization, project, taken = (f"{n}1111111-2222-4333-8444-555555555555" for n in "123")
    file.write_text(
        shipped.replace(f"organizationId: {default}", f"organizationId: {organization}")
        .replace(f"projectId: {default}", f"projectId: {project}")
        .replace("target: { name: app-dev }", f"target: {{ id: {taken} }}")
    )
    result = own.sandbox("preview", "dev")
    assert result.returncode == 0, result.stdout + result.stderr
    variables = own.variables()
    assert variables["SCW_DEFAULT_ORGANIZATION_ID"] == organization
    assert variables["SCW_DEFAULT_PROJECT_ID"] == project
    assert {p["id"] for p in own.records(PROJECTS)} == {organization, project, taken}


def test_the_server_refuses_a_second_one_in_the_same_folder(own: Estate) -> None:
    own.start()
    second = subprocess.run(
        [sys.executable, "-m", "sandbox", "serve"],
        cwd=own.checkout,
        env={"PATH": os.environ["PATH"], "HOME": str(own.home)} | own.cache,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 1
    assert "a sandbox runs in" in second.stderr
