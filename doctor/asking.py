"""Asks several areas at the same time, each within a time limit, so that none of them hides another.

Owns the limit, and what is said where an area does not end or fails in a way that nobody thought of. Does not own what is
asked. The threads are daemons: one that still waits for an answer does not keep the process.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from ci.errors import CiError
from doctor.verdicts import Check, of_error, unknown, wrong

MAX_SECONDS = 60  # of all areas, which are asked at the same time

Ask = Callable[[], Iterable[Check]]


def answers(areas: Mapping[str, Ask], seconds: float = MAX_SECONDS) -> Iterator[tuple[str, list[Check]]]:
    """The checks of each area, in the order of the areas; of one that does not end, those that it came to."""
    found: dict[str, list[Check]] = {name: [] for name in areas}
    threads = [
        threading.Thread(target=_collect, args=(ask, found[name]), name=name, daemon=True)
        for name, ask in areas.items()
    ]
    end = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
        checks = list(found[thread.name])
        if thread.is_alive():
            checks.append(
                wrong(
                    f"no answer within {seconds:g} s: it must answer, or `pulumi up` waits for it as well",
                    "look at what stands between this machine and it; a proxy belongs in HTTPS_PROXY",
                )
            )
        yield thread.name, checks


def _collect(ask: Ask, into: list[Check]) -> None:
    try:
        for check in ask():
            into.append(check)  # one by one: what came before an error counts
    except CiError as error:
        into.append(of_error(error))
    except Exception as error:  # a fault of the doctor's own is no reason to tell nothing of the other areas
        into.append(unknown(f"the rest of this area: its check failed ({type(error).__name__})"))
