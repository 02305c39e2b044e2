"""How soon a warm sandbox and a control plane answer, and how much memory they take; and what would shrink that."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.bench import Bench
from benchmarks.control_plane_variants import SHARED_ETCD, VARIANTS, Variant
from benchmarks.figures import MEGABYTES, RATIO, SECONDS, Figure
from benchmarks.memory import by_word, settled
from sandbox.cluster import LocalControlPlanes
from sandbox.toolchain.build import binary
from sandbox.toolchain.parts import CONTROL_PLANE
from tests.engine.estate import Estate

SIZES: Final = (1, 3, 6)
PARTS: Final = ("etcd", "apiserver", "controller-manager", "scheduler", "kwok")
_SHRUNK: Final = 3  # control planes, so that what they share shows
_POLL_SECONDS: Final = 0.02


def measure(bench: Bench) -> Iterator[Figure]:
    yield _sandbox(bench)
    yield from _control_planes(bench)
    yield _variants(bench)


def _sandbox(bench: Bench) -> Figure:
    """The first run is not counted: it reads the files from the disk."""
    bench.say("start of the sandbox")
    seconds = []
    for number in range(bench.repetitions + 1):
        folder = bench.folder / f"sandbox-{number}"
        folder.mkdir()
        estate = Estate(folder)
        begun = time.monotonic()
        started = estate.sandbox("start")
        if started.returncode:
            raise RuntimeError(started.stderr)
        try:
            estate.ask("scaleway", "/_sandbox/state")
            seconds.append(time.monotonic() - begun)
        finally:
            estate.sandbox("stop")
    return Figure(
        name="sandbox_start_seconds",
        unit=SECONDS,
        values=seconds[1:],
        at_most=4.0,
        meaning="From `python -m sandbox start` in a new folder to the first answered request, with a built toolchain.",
    )


def _control_planes(bench: Bench) -> Iterator[Figure]:
    bench.say(f"control planes, {', '.join(map(str, SIZES))} at the same time")
    ready: list[float] = []
    whole: dict[int, list[float]] = {size: [] for size in SIZES}
    parts: list[Mapping[str, float]] = []
    for number in range(bench.repetitions):
        with _planes(bench.folder / f"planes-{number}") as planes:
            for count in range(1, max(SIZES) + 1):
                ready.append(_started(planes, f"c{count}"))
                if count in SIZES:
                    taken = settled(lambda: by_word(PARTS))
                    whole[count].append(sum(taken.values()))
                    parts += [taken] if count == 1 else []
    yield Figure(
        name="control_plane_seconds",
        unit=SECONDS,
        values=ready,
        at_most=5.0,
        meaning="From the order for a control plane until its API server is ready, one after another while the others run.",
    )
    for size in SIZES:
        yield Figure(
            name=f"memory_{size}_clusters",
            unit=MEGABYTES,
            values=whole[size],
            meaning=f"All processes of {size} control plane{'s' if size > 1 else ''} without nodes; what processes share is "
            "divided among them.",
            details={"MB by part": {part: median(each[part] for each in parts) for part in PARTS}} if size == 1 else {},
        )


def _variants(bench: Bench) -> Figure:
    memory: dict[str, list[float]] = {name: [] for name in VARIANTS}
    seconds: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for number in range(bench.repetitions):
        for place, (name, variant) in enumerate(VARIANTS.items()):
            bench.say(f"{_SHRUNK} control planes, {name} ({number + 1}/{bench.repetitions})")
            with _planes(bench.folder / f"variant-{number}-{place}", variant) as planes:
                seconds[name] += [_started(planes, f"c{n}") for n in range(_SHRUNK)]
                taken = dict(settled(lambda: by_word(PARTS)))
            if name == SHARED_ETCD:
                taken["etcd"] /= _SHRUNK  # the others run, and nobody writes to them
            memory[name].append(sum(taken.values()))
    used, *others = memory.values()
    return Figure(
        name="memory_least_over_used",
        unit=RATIO,
        values=[min(each[n] for each in others) / used[n] for n in range(bench.repetitions)],
        meaning=f"What {_SHRUNK} control planes take in the thriftiest way that was tried, over how the sandbox runs them.",
        details={
            "what was tried": {
                name: {"MB": median(memory[name]), "seconds to readiness": median(seconds[name])} for name in VARIANTS
            }
        },
    )


@contextmanager
def _planes(folder: Path, variant: Variant = VARIANTS["as the sandbox does"]) -> Iterator[LocalControlPlanes]:
    folder.mkdir()
    planes = LocalControlPlanes(
        folder, binary(CONTROL_PLANE), arguments=variant.arguments, environment=variant.environment
    )
    try:
        yield planes
    finally:
        planes.stop()


def _started(planes: LocalControlPlanes, cluster_id: str) -> float:
    begun = time.monotonic()
    planes.start(cluster_id)
    while not planes.ready(cluster_id):
        time.sleep(_POLL_SECONDS)
    return time.monotonic() - begun
