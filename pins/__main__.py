"""`python -m pins` (`make update-pins`): which pins have newer versions, and in which file each stands. Changes nothing.

The registries are asked that pip, go and npm are set to use. What is held back on purpose is told as such: renovate.json
has the limit, and the reason stands beside the pin.

Exit codes: 0 told, 1 no registry answered, 2 wrong usage.
"""

import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from ci import command_line
from ci.streams import tolerate_encodings
from pins.newest import Registries, UnknownError
from pins.pinned import Pin, pins

ROOT: Final = Path(__file__).parents[1]
_AT_ONCE: Final = 8


def main(arguments: Sequence[str] | None = None, registries: Registries | None = None) -> int:
    flags = command_line.parser("python -m pins", __doc__)
    flags.parse_args(arguments)
    tolerate_encodings()
    asked = registries or Registries(go=shutil.which("go"), npm=_npm())
    found = pins(ROOT)
    named = list(dict.fromkeys((pin.source, pin.name) for pin in found))  # what stands in two files is asked once
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        newest = dict(zip(named, pool.map(lambda each: _newest(asked, *each), named), strict=True))
    answers = [newest[pin.source, pin.name] for pin in found]
    for line in told(found, answers):
        print(line)
    return 0 if any(isinstance(answer, str) for answer in answers) else 1


def told(found: Sequence[Pin], answers: Sequence[str | UnknownError]) -> Iterator[str]:
    """What a user reads: newer versions, what is held back, what is not known; then how many there are of all. Pure."""
    newer: list[str] = []
    held: list[str] = []
    unknown: list[str] = []
    for pin, answer in zip(found, answers, strict=True):
        if isinstance(answer, UnknownError):
            unknown.append(f"  {pin.name} {pin.version} ({pin.file}): {answer}")
        elif is_newer(answer, pin.version):
            line = f"  {pin.name} {pin.version} -> {answer} ({pin.file})"
            (held if pin.at_most else newer).append(line)
    for title, lines in (("newer", newer), ("held back on purpose", held), ("not known here", unknown)):
        if lines:
            yield f"{title}:"
            yield from lines
    yield f"{len(found)} pins: {len(newer)} newer, {len(held)} held back, {len(unknown)} not known here."
    if newer:
        yield "To raise one: edit it where it stands, then make lock (Python), make check and make test."


def is_newer(version: str, than: str) -> bool:
    """Whether the numbers in a version are greater than those in another. Pure."""
    one, other = ([int(number) for number in re.findall(r"\d+", each)] for each in (version, than))
    return one > other


def _newest(registries: Registries, source: str, name: str) -> str | UnknownError:
    try:
        return registries.newest(source, name)
    except UnknownError as error:
        return error


def _npm() -> str | None:
    """That of the virtual environment, by which the tests install theirs; else the one on PATH."""
    own = Path(sys.prefix) / "bin" / "npm"
    return str(own) if own.exists() else shutil.which("npm")


if __name__ == "__main__":
    sys.exit(main())
