"""`python -m tests.fidelity [CASSETTE …]`: replays recordings of Scaleway's API against the stand-in.

Without an argument, the ones that it was built after. The last line is `matched N, allowed N, wrong N`, counted in
interactions. Exits with 1 when something is wrong, with 2 when there was nothing to replay.
"""

import logging
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ci import command_line
from tests.fidelity import allowed, cassette
from tests.fidelity.allowed import AllowListError
from tests.fidelity.cassette import CassetteError
from tests.fidelity.recordings import NoRecordingsError, named
from tests.fidelity.replay import Outcome, replay

VERDICTS = ("matched", "allowed", "wrong")


def tell(name: str, outcomes: Sequence[Outcome], *, verbose: bool) -> None:
    """One line for each wrong difference, and one for the recording."""
    for outcome in outcomes:
        at = f"{name} #{outcome.interaction.number} {outcome.interaction.method} {outcome.interaction.path}"
        for difference in outcome.wrong:
            print(f"wrong: {at}: {difference}")
        for difference, entry in outcome.allowed if verbose else ():
            print(f"allowed: {at}: {difference} ({entry.reason})")
    print(f"{name}: {counted(outcomes)}")


def counted(outcomes: Sequence[Outcome]) -> str:
    counts = Counter(outcome.verdict for outcome in outcomes)
    return ", ".join(f"{verdict} {counts[verdict]}" for verdict in VERDICTS)


def main(arguments: Sequence[str]) -> int:
    parser = command_line.parser("make fidelity", __doc__.partition("\n\n")[2])
    parser.add_argument("cassettes", nargs="*", type=Path, metavar="CASSETTE", help="a go-vcr cassette")
    parser.add_argument("--verbose", action="store_true", help="also tell what is allowed, and why")
    chosen = parser.parse_args(arguments)
    try:
        entries = allowed.read()
        recordings = [(path, cassette.read(path)) for path in chosen.cassettes or named()]
    except (CassetteError, AllowListError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except NoRecordingsError as error:
        print(f"error: {error}. Fix: make fidelity CASSETTE=PATH replays one that you have", file=sys.stderr)
        return 2
    outcomes: list[Outcome] = []
    for path, recording in recordings:
        found = replay(recording, entries)
        tell(path.name.removesuffix(".yaml").removesuffix(".cassette"), found, verbose=chosen.verbose)
        outcomes += found
    print(counted(outcomes))
    return 1 if any(outcome.wrong for outcome in outcomes) else 0


if __name__ == "__main__":
    # What the stand-in lacks is told as a difference; its own log would say it a second time.
    logging.getLogger("sandbox").setLevel(logging.CRITICAL)
    sys.exit(main(sys.argv[1:]))
