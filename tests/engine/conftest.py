"""Engine tests: the real engine, providers and control planes over a copy of the checkout, with a home of its own."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import gettempdir

import pytest

from tests.engine import runbook
from tests.engine.estate import ENVIRONMENTS, Estate, Up
from tests.reliability.life import STACK, census, small_estate


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory, end_with: Callable[..., None]) -> Iterator[Estate]:
    """A running sandbox that the tests of a session share; nothing of it is left afterwards."""
    left_by_others = set(Path(gettempdir()).glob("kubeconfig*"))
    estate = Estate(tmp_path_factory.mktemp("estate"), logs=False)
    estate.start()
    end_with(estate.stop, "changes", "environments")  # where there is one process, both use it, one after the other
    yield estate
    estate.stop()
    assert estate.processes() == []
    assert set(Path(gettempdir()).glob("kubeconfig*")) <= left_by_others, "the Kubernetes plugin leaves tokens there"


@pytest.fixture(scope="session")
def brought_up(estate: Estate) -> Callable[..., dict[str, Up]]:
    """`brought_up(name, …)`: what it printed when these environments came up, all at the same time unless they are up."""
    ups: dict[str, Up] = {}

    def bring(*names: str) -> dict[str, Up]:
        missing = [name for name in names if name not in ups]
        with ThreadPoolExecutor(len(names)) as pool:
            found = pool.map(lambda name: estate.up(name, previewed=name == "dev"), missing)
            ups.update(zip(missing, found, strict=True))
        for name in missing:
            assert ups[name].code == 0, ups[name].printed
        return ups

    return bring


@pytest.fixture(scope="session")
def dev(brought_up: Callable[..., dict[str, Up]]) -> None:
    """The environment of that name is up, for what needs no other beside it."""
    brought_up("dev")


@pytest.fixture(scope="session")
def environments(brought_up: Callable[..., dict[str, Up]]) -> dict[str, Up]:
    """All three environments are up; what that printed."""
    return brought_up(*ENVIRONMENTS)


@pytest.fixture(params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest, environments: dict[str, Up]) -> str:
    """The name of each environment in turn, brought up."""
    return str(request.param)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """A sandbox of a module's own with a small environment that is up, for what would be too rough for the shared one."""
    with small_estate(tmp_path_factory.mktemp("small")) as estate:
        up = estate.up(STACK)
        assert up.code == 0, up.printed
        yield estate
    assert estate.processes() == []


@pytest.fixture(scope="module")
def normal(small: Estate) -> Counter[str]:
    """How many there are of each kind of thing while all is well."""
    return census(small)


@pytest.fixture
def converged(small: Estate, normal: Counter[str]) -> Iterator[None]:
    """For a test that breaks something: afterwards nothing is to be changed, nothing exists twice, and nothing is lost."""
    yield
    assert small.changes(STACK) == {}
    assert runbook.run(small, f"python -m repair --stack {STACK} --check") == ""
    assert census(small) == normal


@pytest.fixture
def dev_as_declared(estate: Estate, dev: None) -> Iterator[None]:
    """For a test that edits dev's settings: the estate is as declared again afterwards.

    Whether the way back leaves anything to do is seen by the next test, which names each change that it makes.
    """
    file = estate.checkout / "Pulumi.dev.yaml"
    before, state = file.read_text(), estate.version_of_state("dev")
    yield
    if file.read_text() != before:  # else there is nothing to take back
        file.write_text(before)
        if estate.version_of_state("dev") != state:  # else nothing was updated
            estate.pulumi("up --yes --skip-preview --stack dev")


@pytest.fixture(autouse=True)
def no_unknown_route(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test during which somebody asked a stand-in for something that it lacks."""
    yield
    for name in {"estate", "small"} & set(request.fixturenames):
        assert request.getfixturevalue(name).unknown_requests() == []


@pytest.fixture(autouse=True)
def no_sandbox_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell with a sandbox's environment must not lead a test to that sandbox."""
    for name in [n for n in os.environ if n.startswith(("PULUMI", "SCW_", "GITLAB_", "SANDBOX_", "HELM_"))]:
        monkeypatch.delenv(name)
