"""How long the services take: what `latencies.yaml` says, and as the stand-ins take it.

Owns the file's form. Does not own what the figures are, which the file says with their sources, nor how a stand-in is late
(`sandbox.faults`) or keeps a state (`sandbox.scaleway.pace`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from sandbox.lifecycle import ask
from sandbox.running import Running

FILE: Final = Path(__file__).with_name("latencies.yaml")
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Text = Annotated[str, Field(min_length=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pace(_Entry):
    """How long a kind of thing stays in its first state; exactly one text says how that is known."""

    seconds: _Positive
    recorded: _Text | None = None
    documented: _Text | None = None
    assumed: _Text | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Pace":
        if sum(text is not None for text in (self.recorded, self.documented, self.assumed)) != 1:
            raise ValueError("exactly one of recorded, documented, assumed")
        return self


class Request(_Entry):
    """`recorded` is a median (ms) that is used within the bounds; otherwise a text says where `milliseconds` come from."""

    recorded: _Positive | None = None
    milliseconds: _Positive | None = None
    documented: _Text | None = None
    assumed: _Text | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Request":
        if sum(source is not None for source in (self.recorded, self.documented, self.assumed)) != 1:
            raise ValueError("exactly one of recorded, documented, assumed")
        if (self.recorded is None) != (self.milliseconds is not None):
            raise ValueError("milliseconds, unless it is recorded")
        return self


class _Bounds(_Entry):
    least: _Positive
    most: _Positive


class File(_Entry):
    """The whole file."""

    paces: dict[str, Pace]
    bounds: _Bounds
    requests: dict[str, Request]

    def milliseconds(self, request: Request) -> float:
        value = request.recorded if request.milliseconds is None else request.milliseconds
        assert value is not None, "one of them is there"
        return min(max(value, self.bounds.least), self.bounds.most)


@dataclass(frozen=True, kw_only=True)
class Latencies:
    """`cluster` and `pool` in seconds; `requests` in seconds by a pattern of operations, the first that fits counts."""

    cluster: float
    pool: float
    requests: Mapping[str, float]

    def scaled(self, factor: float) -> "Latencies":
        """The long ones, scaled. A request is as long as ever."""
        return replace(self, cluster=self.cluster * factor, pool=self.pool * factor)

    def of(self, operation: str) -> float:
        """Seconds of one request. Raises KeyError."""
        for pattern, seconds in self.requests.items():
            if fnmatchcase(operation, pattern):
                return seconds
        raise KeyError(operation)

    def faults(self, operations: Iterable[str]) -> list[dict[str, Any]]:
        """What makes a stand-in that has these operations answer each so late, until it is taken away."""
        names = list(operations)
        return [
            {"operation": pattern, "delay": seconds, "times": None}
            for pattern, seconds in self.requests.items()
            if any(fnmatchcase(name, pattern) for name in names)
        ]

    def set_in(self, running: Running) -> None:
        """Makes the stand-ins of a running sandbox as slow as this says."""
        ask(f"{running.scaleway}/_sandbox/pace", "PUT", {"cluster": self.cluster, "pool": self.pool})
        for address in (running.scaleway, running.gitlab):
            for fault in self.faults(ask(f"{address}/_sandbox/operations")):
                ask(f"{address}/_sandbox/fault", "POST", fault)


def read(text: str) -> Latencies:
    """Raises pydantic's ValidationError."""
    file = File.model_validate(yaml.safe_load(text))
    return Latencies(
        cluster=file.paces["cluster"].seconds,
        pool=file.paces["pool"].seconds,
        requests={pattern: file.milliseconds(request) / 1000 for pattern, request in file.requests.items()},
    )


def defaults() -> Latencies:
    return read(FILE.read_text())
