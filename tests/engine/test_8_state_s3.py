"""Pulumi's state in Object Storage, as pipelines reach it, while several people, or a crash, meet in it.

What the other tests have brought up moves there from the file backend, and back afterwards.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from sections.jobs import StateBackendSettings
from tests.engine import object_storage
from tests.engine.estate import ENVIRONMENTS, HUNG_SECONDS, Estate, Up, eventually
from tests.engine.object_storage import ObjectStorage
from tests.engine.updates import LOCKED, answer, crash, hold_back, up_of

SETTINGS = StateBackendSettings.model_validate(
    {"bucket": "acme-state", "projectId": "11111111-2222-3333-4444-555555555555"}
)


@dataclass(frozen=True)
class Backend:
    """The state in the bucket. `variables` are those of the sandbox, with this backend in place of the file backend."""

    estate: Estate
    storage: ObjectStorage
    variables: dict[str, str]

    @contextmanager
    def started(self, command: list[str]) -> Iterator["subprocess.Popen[str]"]:
        """A running command. It is waited for in any case: killed, it would leave its lock."""
        with subprocess.Popen(
            command,
            cwd=self.estate.checkout,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.communicate(timeout=HUNG_SECONDS)

    def pulumi(self, *arguments: str, code: int = 0) -> str:
        with self.started(["pulumi", *arguments]) as process:
            printed, _ = process.communicate(timeout=HUNG_SECONDS)
        assert process.returncode == code, printed
        return printed

    def at_once(self, *stacks: str, meanwhile: Callable[[], None] = lambda: None) -> list[Up]:
        """An `up` of each, started at the same moment."""
        with ExitStack() as running:
            processes = [running.enter_context(self.started(up_of(stack))) for stack in stacks]
            meanwhile()
            printed = [process.communicate(timeout=HUNG_SECONDS)[0] for process in processes]
        return [Up(p.returncode, text) for p, text in zip(processes, printed, strict=True)]

    def locks(self) -> list[str]:
        return self.storage.keys(".pulumi/locks/")

    def below(self, kind: str, stack: str) -> list[str]:
        """The JSON objects of a stack's `history` or `backups`."""
        return [k for k in self.storage.keys(f".pulumi/{kind}/kapsule-devops/{stack}/") if k.endswith(".json")]

    def is_as_declared(self, stack: str) -> None:
        """One whole state, no lock, and nothing left to do."""
        assert self.locks() == []
        states = self.storage.keys(f".pulumi/stacks/kapsule-devops/{stack}.")
        assert [key for key in states if not key.endswith((".bak", ".attrs"))] == [
            f".pulumi/stacks/kapsule-devops/{stack}.json"
        ]
        resources = json.loads(self.storage.read(f".pulumi/stacks/kapsule-devops/{stack}.json"))["checkpoint"]["latest"]
        assert len(resources["resources"]) > 50
        assert "pending_operations" not in resources
        self.pulumi("preview", "--expect-no-changes", "--stack", stack)


@pytest.fixture(scope="module")
def storage(estate: Estate, environments: dict[str, Up]) -> Iterator[ObjectStorage]:
    """Object Storage for the key that dev's jobs mount."""
    with object_storage.running(SETTINGS.bucket, _mounted_key(estate)["access_key"]) as storage:
        yield storage


def _mounted_key(estate: Estate) -> dict[str, str]:
    runner = next(r for r in estate.outputs("dev")["runners"] if r["name"] == "deploy")
    key: dict[str, str] = yaml.safe_load(estate.mounted("dev", runner)["config.yaml"])
    return key


@pytest.fixture(scope="module")
def backend(estate: Estate, storage: ObjectStorage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Every stack's state is in the bucket; afterwards the settings are as before, and the state is in its files again."""
    folder = tmp_path_factory.mktemp("mounted")
    key, credentials = _mounted_key(estate), folder / "credentials"
    credentials.touch(mode=0o600)
    credentials.write_text(
        f"[default]\naws_access_key_id = {key['access_key']}\naws_secret_access_key = {key['secret_key']}\n"
    )
    url = SETTINGS.url.replace("s3.fr-par.scw.cloud", storage.address)
    assert url != SETTINGS.url
    files = estate.variables()
    variables = files | {
        "PULUMI_BACKEND_URL": f"{url}&disableSSL=true&s3ForcePathStyle=true",  # plain http on loopback
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
    }
    backend = Backend(estate, storage, variables)
    in_files = Backend(estate, storage, files)
    settings = {file: file.read_text() for file in estate.checkout.glob("Pulumi.*.yaml")}
    state = folder / "state.json"
    for stack in ENVIRONMENTS:
        in_files.pulumi("stack", "export", "--stack", stack, "--file", str(state))
        backend.pulumi("stack", "init", stack, "--no-select")
        backend.pulumi("stack", "import", "--stack", stack, "--file", str(state))
    yield backend
    for file, text in settings.items():
        file.write_text(text)
    for up in backend.at_once(*ENVIRONMENTS):
        assert up.code == 0, up.printed
    for stack in ENVIRONMENTS:
        backend.pulumi("stack", "export", "--stack", stack, "--file", str(state))
        in_files.pulumi("stack", "import", "--stack", stack, "--file", str(state))


@pytest.fixture
def late(estate: Estate) -> Iterator[None]:
    """An update holds its lock until `answer`."""
    hold_back(estate)
    yield
    answer(estate)


@pytest.fixture
def slow(backend: Backend, late: None) -> Iterator["subprocess.Popen[str]"]:
    """An `up` of a change to dev that holds its lock."""
    backend.estate.set("dev", "runners[0].concurrent", "8")
    with backend.started(up_of("dev")) as running:
        eventually(backend.locks, lambda found: len(found) == 1)
        yield running
        answer(backend.estate)


def test_three_stacks_are_updated_at_the_same_time(backend: Backend, late: None) -> None:
    """Each holds its own lock, and none is in the way of another."""

    def all_locked() -> None:
        eventually(backend.locks, lambda found: len(found) == len(ENVIRONMENTS))
        answer(backend.estate)

    for stack in ENVIRONMENTS:
        backend.estate.set(stack, "runners[0].concurrent", "9")
    for up in backend.at_once(*ENVIRONMENTS, meanwhile=all_locked):
        assert up.code == 0, up.printed
        assert "updated" in up.printed
    for stack in ENVIRONMENTS:
        backend.is_as_declared(stack)
        assert backend.below("history", stack)
        assert backend.below("backups", stack)


def test_a_second_update_of_a_stack_is_refused_and_the_first_one_ends(
    backend: Backend, slow: "subprocess.Popen[str]"
) -> None:
    before = backend.below("history", "dev")
    second = backend.pulumi(*up_of("dev")[1:], code=1)
    assert LOCKED in " ".join(second.split())
    assert "s3://acme-state" in second
    answer(backend.estate)
    printed, _ = slow.communicate(timeout=HUNG_SECONDS)
    assert slow.returncode == 0, printed
    backend.is_as_declared("dev")
    assert len(backend.below("history", "dev")) > len(before)


def test_of_two_that_start_at_the_same_moment_one_at_most_updates(backend: Backend, late: None) -> None:
    """Each writes its lock and then looks for others, so both may find the other's."""
    backend.estate.set("preprod", "runners[0].concurrent", "8")
    with ExitStack() as running:
        both = [running.enter_context(backend.started(up_of("preprod"))) for _ in range(2)]
        eventually(lambda: [up for up in both if up.poll() is not None], bool)
        answer(backend.estate)
        printed = [up.communicate(timeout=HUNG_SECONDS)[0] for up in both]
    refused = [text for up, text in zip(both, printed, strict=True) if up.returncode]
    assert len(refused) >= 1
    assert [text for text in refused if LOCKED not in " ".join(text.split())] == []
    assert backend.locks() == []
    backend.pulumi(*up_of("preprod")[1:])
    backend.is_as_declared("preprod")


def test_the_lock_of_a_killed_engine_is_cancelled_and_nothing_is_lost(
    backend: Backend, slow: "subprocess.Popen[str]"
) -> None:
    crash(slow)
    answer(backend.estate)
    assert LOCKED in " ".join(backend.pulumi(*up_of("dev")[1:], code=1).split())
    backend.pulumi("cancel", "--yes", "--stack", "dev")
    assert backend.locks() == []
    backend.pulumi(*up_of("dev")[1:])
    backend.is_as_declared("dev")


def test_another_key_is_refused_and_the_key_is_on_no_command_line(backend: Backend, tmp_path: Path) -> None:
    other = tmp_path / "credentials"
    other.touch(mode=0o600)
    other.write_text("[default]\naws_access_key_id = SCWOTHER\naws_secret_access_key = x\n")
    stranger = Backend(backend.estate, backend.storage, backend.variables | {"AWS_SHARED_CREDENTIALS_FILE": str(other)})
    assert "AccessDenied" in stranger.pulumi("stack", "ls", code=1)
    assert _mounted_key(backend.estate)["secret_key"] not in " ".join(backend.estate.processes())
