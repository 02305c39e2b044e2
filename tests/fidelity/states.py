"""Which states a recording shows of each thing, and whether the stand-in goes through the same ones.

Owns the rule: the distinct states must come in the same order. How often a state is seen says only how fast each side
was, so the stand-in may be ahead of the recording, when it has shown what the recording still shows; where it is behind,
the replay asks again.
"""

from collections.abc import Sequence

from tests.fidelity.cassette import Interaction
from tests.fidelity.compare import things
from tests.fidelity.mapping import ids_in


def observed(interaction: Interaction) -> dict[str, str]:
    """The states in a recorded answer, by id. Also that there is no such thing (any more) is a state of it."""
    found = dict(things(interaction.answer))
    thing = subject(interaction)
    if interaction.reads and thing:
        found.setdefault(thing, code_state(interaction.code))
    return found


def subject(interaction: Interaction) -> str:
    """The recorded id of what a request is about: the one that its path ends with."""
    last = interaction.path.rpartition("/")[2]
    return last if ids_in(last) == [last] else ""


def code_state(code: int) -> str:
    return f"HTTP {code}"


class States:
    """The states that the recording shows, and those that the stand-in has shown so far."""

    def __init__(self, recording: Sequence[Interaction]) -> None:
        self._recorded: dict[str, list[tuple[int, str]]] = {}
        self._changed: dict[str, list[int]] = {}
        self._shown: dict[str, str] = {}
        self._passed: dict[str, set[str]] = {}
        for interaction in recording:
            for thing, state in observed(interaction).items():
                self._recorded.setdefault(thing, []).append((interaction.number, state))
            if not interaction.reads:
                for thing in {*ids_in(interaction.path), *ids_in(interaction.body)}:
                    self._changed.setdefault(thing, []).append(interaction.number)

    def show(self, thing: str, state: str) -> None:
        """The stand-in has shown a state of the thing whose recorded id this is."""
        previous = self._shown.get(thing)
        if previous is not None and previous != state:
            self._passed.setdefault(thing, set()).add(previous)
        self._shown[thing] = state

    def ahead(self, thing: str, number: int, recorded: str, answered: str) -> bool:
        """Whether the stand-in has passed the recorded state, and is in one that the recording comes to by itself."""
        if recorded != self._shown.get(thing) and recorded not in self._passed.get(thing, ()):
            return False
        change = min((n for n in self._changed.get(thing, ()) if n > number), default=None)
        later = [s for n, s in self._recorded.get(thing, ()) if n > number and (change is None or n < change)]
        return answered in later
