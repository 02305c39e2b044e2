"""For all tests: how long property tests look, which tests run side by side, and how much time each kind takes.

None fails because the machine was busy; benchmarks measure time.
"""

from collections import Counter, defaultdict
from collections.abc import Callable

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.shares import chain_of, kind_of, turn_of

# A deadline is of the clock on the wall: on a busy machine it fails what is right.
hypothesis.settings.register_profile("thorough", deadline=None)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=20)  # `make check`
hypothesis.settings.load_profile("thorough")


_ENDS = pytest.StashKey[list[tuple[Callable[[], None], tuple[str, ...]]]]()


@pytest.fixture(scope="session")
def end_with(pytestconfig: pytest.Config) -> Callable[..., None]:
    """`end_with(stop, "changes", …)`: what tests share is stopped when the last of these chains is over in this process.

    A sandbox's clusters take processor time also when nobody asks them; its fixture would end with the session.
    """
    ends = pytestconfig.stash.setdefault(_ENDS, [])

    def register(stop: Callable[[], None], *chains: str) -> None:
        ends.append((stop, chains))

    return register


@pytest.hookimpl(trylast=True)  # after what modules have made in it is gone
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    ends = item.config.stash.get(_ENDS, [])
    if nextitem is None:
        return  # the session is over, and with it each fixture
    for each in [each for each in ends if chain_of(nextitem.nodeid) not in each[1]]:
        ends.remove(each)
        each[0]()


class Chains(LoadScopeScheduling):  # type: ignore[misc] # pytest-xdist says nothing of its types
    """Gives a process a whole chain at a time, in the order of the collection (with --no-loadscope-reorder)."""

    def _split_scope(self, nodeid: str) -> str:
        return chain_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Chains:
    return Chains(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: turn_of(item.nodeid))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seconds by kind, added up over all processes."""
    seconds, tests = defaultdict[str, float](float), Counter[str]()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[kind_of(report.nodeid)] += report.duration
                tests[kind_of(report.nodeid)] += report.when == "call"
    if len(seconds) > 1:
        terminalreporter.write_line(
            "time: " + ", ".join(f"{kind} {seconds[kind]:.0f} s ({tests[kind]} tests)" for kind in sorted(seconds))
        )
