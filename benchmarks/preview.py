"""A preview of a whole environment that changes nothing, against one of an empty program; and where its time goes.

Each repetition runs them in turn, and each variant after them, so that what the machine does beside falls on all alike.
"""

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.bench import Bench
from benchmarks.environments import PLAIN, STACK, UP, Environment, environment
from benchmarks.figures import RATIO, SECONDS, Figure
from benchmarks.preview_variants import VARIANTS, edited
from benchmarks.processes import Life, Watched, timed

AT_MOST: Final = 1.6
# That limit was set when an empty program's preview took 3.3 s: this is what it meant for the environment's.
SECONDS_AT_MOST: Final = 5.3
_EMPTY: Final = "empty"
_PREVIEW: Final = ("preview", *PLAIN, "--expect-no-changes")


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """Seconds of each preview: of the empty program, of the environment, and of its variants by name.

    `imports` is what the program's imports take in a process of their own, `bare` what `import pulumi` does.
    """

    empty: float
    full: float
    variants: Mapping[str, float]
    imports: float
    bare: float

    @property
    def ratio(self) -> float:
        return self.full / self.empty


def measure(bench: Bench) -> Iterator[Figure]:
    with environment(bench.folder / "environment") as place:
        bench.say("dev is brought up, and the empty program")
        place.run(*UP)
        empty = _empty_program(place)
        place.run(*UP, folder=empty)
        # Files are read from the disk and compiled by the first ones, which are not counted.
        for folder in (empty, place.estate.checkout):
            timed(place.command(*_PREVIEW), folder, place.variables)
        found = []
        for number in range(1, bench.repetitions + 1):
            bench.say(f"previews, {number} of {bench.repetitions}")
            found.append(_repetition(place, empty))
        watched = {"environment": place.run(*_PREVIEW), "empty program": place.run(*_PREVIEW, folder=empty)}
        yield from figures(found, watched, place.resources())


def figures(found: Sequence[Repetition], watched: Mapping[str, Watched], resources: int) -> Iterator[Figure]:
    """Pure."""
    yield _ratio(found, watched, resources)
    yield Figure(
        name="preview_seconds",
        unit=SECONDS,
        values=[each.full for each in found],
        at_most=SECONDS_AT_MOST,
        meaning="The same preview. When the limit of the ratio was set, the empty program's took 3.3 s: the sandbox's "
        "language host has become quicker since, which shortens both and raises the ratio. 1.6 times as long is this limit.",
    )


def _ratio(found: Sequence[Repetition], watched: Mapping[str, Watched], resources: int) -> Figure:
    full = median(each.full for each in found)
    imports = {
        "the program's": median(each.imports for each in found),
        "import pulumi": median(each.bare for each in found),
    }
    tried = {
        name: {
            "seconds": median(each.variants[name] for each in found),
            "seconds more than shipped": median(each.variants[name] - each.full for each in found),
        }
        for name in found[0].variants
    }
    return Figure(
        name="preview_over_empty",
        unit=RATIO,
        values=[each.ratio for each in found],
        at_most=AT_MOST,
        meaning=f"A preview without a change of dev as it is shipped ({resources} resources) over one of a program that "
        "only imports pulumi. Plugins and the program run side by side, so their seconds do not add up.",
        details={
            "seconds of the environment's": full,
            "seconds of the empty program's": median(each.empty for each in found),
            "seconds that imports take by themselves": imports,
            "one thing taken back, left out or added": tried,
            **{f"processes of a preview of the {name}": lives(each.lives) for name, each in watched.items()},
        },
    )


def lives(found: Sequence[Life]) -> list[dict[str, Any]]:
    """The processes of one preview, in seconds since its start; pure. A moment is known to a tenth of a second."""
    return [
        {
            "process": life.role,
            "from": round(life.start, 1),
            "to": round(life.end, 1),
            "processor seconds": round(life.cpu, 2),
            "MB": round(life.peak_mb),
        }
        for life in found
        if life.role != "other"
    ]


def _repetition(place: Environment, empty: Path) -> Repetition:
    checkout = place.estate.checkout

    def preview(folder: Path) -> float:
        return timed(place.command(*_PREVIEW), folder, place.variables)

    def python(code: str) -> float:
        return timed([sys.executable, "-c", code], checkout, place.variables)

    variants = {}
    for name, edits in VARIANTS.items():
        with edited(checkout, edits):
            variants[name] = preview(checkout)
    return Repetition(
        empty=preview(empty),
        full=preview(checkout),
        variants=variants,
        imports=python(import_statements((checkout / "__main__.py").read_text())),
        bare=python("import pulumi"),
    )


def import_statements(source: str) -> str:
    """What a program imports, and nothing else of it. Pure."""
    found = [each for each in ast.parse(source).body if isinstance(each, ast.Import | ast.ImportFrom)]
    return "\n".join(map(ast.unparse, found))


def _empty_program(place: Environment) -> Path:
    """A project beside the environment's, in the same backend and with the same virtual environment."""
    folder = place.estate.checkout.parent / _EMPTY
    folder.mkdir()
    venv = place.estate.checkout / ".venv"
    (folder / ".venv").symlink_to(venv)
    (folder / "Pulumi.yaml").write_text(f"name: {_EMPTY}\nruntime:\n  name: python\n  options: {{virtualenv: .venv}}\n")
    (folder / "__main__.py").write_text("import pulumi\n")
    place.run("stack", "init", "--no-select", STACK, folder=folder)
    return folder
