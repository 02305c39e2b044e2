"""The article's commands (`article.yaml`), and how long they take one after another with given latencies.

Owns the file's form and the sum. Does not own the latencies (`benchmarks.latencies`).
"""

from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from benchmarks.latencies import Latencies

FILE: Final = Path(__file__).with_name("article.yaml")


class Command(BaseModel):
    """`requests` are operations of the stand-ins; `waits_for` is what must be there before the next command works."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: Annotated[str, Field(min_length=1)]
    requests: tuple[str, ...] = ()
    waits_for: Literal["cluster", "pool"] | None = None
    known: Literal["text", "project"]
    cluster: Literal["kapsule-devops", "kapsule-dev"] = "kapsule-devops"

    def seconds(self, latencies: Latencies) -> float:
        waits = {"cluster": latencies.cluster, "pool": latencies.pool, None: 0.0}
        return waits[self.waits_for] + sum(map(latencies.of, self.requests))


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    commands: tuple[Command, ...]


def read(text: str) -> tuple[Command, ...]:
    """Raises pydantic's ValidationError."""
    return _File.model_validate(yaml.safe_load(text)).commands


def commands() -> tuple[Command, ...]:
    return read(FILE.read_text())
