"""One figure of a benchmark: what was measured how often, and what it must not exceed. Pure."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

RATIO: Final = "ratio"
SECONDS: Final = "s"
MEGABYTES: Final = "MB"
REQUESTS: Final = "requests"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`name` is its key in results.json. `unit` is one of those above; of a ratio each value comes from one run of both.

    `at_most` is the limit that the project has set itself, None where there is none; the median is held against it.
    `meaning` is one sentence for the report. `details` are parts of it, as JSON can hold them: seconds by phase, a table.
    """

    name: str
    unit: str
    values: Sequence[float]
    meaning: str
    at_most: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError(f"{self.name} has no values")

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def kept(self) -> bool | None:
        """Whether the limit holds; None where there is none."""
        return None if self.at_most is None else self.median <= self.at_most

    def record(self) -> dict[str, Any]:
        """The figure in results.json."""
        return {
            "unit": self.unit,
            "repetitions": len(self.values),
            "minimum": round(min(self.values), 4),
            "median": round(self.median, 4),
            "maximum": round(max(self.values), 4),
            "at_most": self.at_most,
            "kept": self.kept,
            "meaning": self.meaning,
            "details": dict(self.details),
        }
