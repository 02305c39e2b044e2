"""What an update's time was spent on: the longest chain, waiting for what was there already, and everything else. Pure.

Owns the split and its form as JSON. Does not own how it was recorded (`benchmarks.up`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.chain import Chain, Operation, followed, longest
from benchmarks.needs import Need, kind, logical
from benchmarks.operations import Stamped, after_preview, operations, spans

_LONG_WAIT: Final = 0.05  # seconds; a shorter one is not told


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One update from nothing. `unseen` says by URN for how long a thing was there before its provider saw it."""

    began: float
    ended: float
    events: Sequence[Stamped]
    needs: Sequence[Need]
    unseen: Mapping[str, float]

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def chain(self) -> Chain:
        """The longest chain of true needs."""
        return longest(operations(spans(self._update), self.needs))

    @property
    def ratio(self) -> float:
        return self.seconds / self.chain.seconds

    @property
    def _update(self) -> Sequence[Stamped]:
        return after_preview(self.events)

    def details(self) -> dict[str, Any]:
        declared = operations(spans(self._update), self.needs, only_true=False)
        chain, update = self.chain, self._update[0].at
        waits = followed(declared, began=update)
        polling = sum(self.unseen.get(step.name, 0.0) for step in chain.steps)
        return {
            "seconds": _rounded(self.seconds),
            "chain_seconds": _rounded(chain.seconds),
            "chain": [self._step(step) for step in chain.steps],
            "chain_of_all_declared_seconds": _rounded(longest(declared).seconds),
            "operations": len(declared),
            "operations_one_after_another_seconds": _rounded(sum(o.seconds for o in declared)),
            "polling_seconds": _rounded(polling),
            "polling_share": round(polling / self.seconds, 4),
            "ratio_to_the_chain_without_polling": round(self.seconds / (chain.seconds - polling), 4),
            "outside_the_chain": {
                "seconds": _rounded(self.seconds - chain.seconds),
                "share": round(1 - chain.seconds / self.seconds, 4),
                "start_and_preview": _rounded(update - self.began),
                "until_the_first_operation": _rounded(waits[0].seconds),
                "between_operations": _rounded(sum(wait.seconds for wait in waits[1:])),
                "after_the_last_operation": _rounded(self.ended - max(o.ended for o in declared)),
                "longest_waits": [
                    {"before": logical(w.operation.name), "seconds": _rounded(w.seconds)}
                    for w in sorted(waits[1:], key=lambda wait: -wait.seconds)
                    if w.seconds > _LONG_WAIT
                ],
            },
            "only_declared": only_declared(self.needs),
        }

    def _step(self, step: Operation) -> dict[str, Any]:
        unseen = self.unseen.get(step.name)
        told = {"operation": logical(step.name), "type": kind(step.name), "seconds": _rounded(step.seconds)}
        return told if unseen is None else told | {"polling_seconds": _rounded(unseen)}


def only_declared(found: Iterable[Need]) -> list[dict[str, Any]]:
    """The dependencies that are not true, by the kinds of both, and what they are for."""
    counted = Counter((kind(need.of), kind(need.on), need.why) for need in found if not need.true)
    return [
        {"of": of, "on": on, "number": number, "for": why}
        for (of, on, why), number in sorted(counted.items(), key=lambda item: (item[0][2], item[0]))
    ]


def _rounded(seconds: float) -> float:
    return round(seconds, 2)
