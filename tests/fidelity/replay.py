"""Replays a recording: sends each recorded request to the stand-in and judges each answer.

Owns the order of things: what is sent when, when it is asked again, and the verdict on each interaction. Does not own what
differs (`compare`), which state may follow which (`states`), nor what is allowed (`allowed`).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from tests.fidelity.allowed import Allowed, reason_for
from tests.fidelity.cassette import Interaction, parsed
from tests.fidelity.compare import Comparison, Difference, compare, identity, state_of, things
from tests.fidelity.given import Given, given, on_offer
from tests.fidelity.mapping import Ids, ids_in
from tests.fidelity.stand_in import Reply, StandIn, stand_in
from tests.fidelity.states import States, code_state, subject

HOST = re.compile(r"(api\.scaleway\.com|localhost|127\.0\.0\.1)(:\d+)?")
# How often one recorded request is sent: every state is one or two answers away once its cause is finished.
TRIES = 5
_FOR_LATER = (409, 412, 429)  # what a client tries again after a while, besides 5xx
_TIMELY = ("code", "state", "elements")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One interaction: what differs and is wrong, and what differs and is allowed."""

    interaction: Interaction
    wrong: tuple[Difference, ...] = ()
    allowed: tuple[tuple[Difference, Allowed], ...] = ()

    @property
    def verdict(self) -> str:
        return "wrong" if self.wrong else "allowed" if self.allowed else "matched"


@dataclass
class _Try:
    """One answer and what is to be said of it."""

    reply: Reply
    comparison: Comparison = field(default_factory=Comparison)
    wrong: list[Difference] = field(default_factory=list)
    allowed: list[tuple[Difference, Allowed]] = field(default_factory=list)


def replay(
    recording: Sequence[Interaction],
    allowed: Sequence[Allowed] = (),
    start: Callable[[Given], AbstractContextManager[StandIn]] = stand_in,
) -> list[Outcome]:
    """The outcome of each interaction, in turn, against a new stand-in."""
    account = given(recording)
    with start(account) as server:
        return list(_Replay(recording, allowed, server, account).outcomes())


class _Replay:
    def __init__(
        self, recording: Sequence[Interaction], allowed: Sequence[Allowed], server: StandIn, account: Given
    ) -> None:
        self._recording, self._allowed, self._server = recording, allowed, server
        self._ids, self._states = Ids(), States(recording)
        self._early: dict[tuple[object, ...], Reply] = {}
        if account.access_key is not None:
            self._ids.learn([], made=(account.access_key, server.account.access_key))
        for version, stands in on_offer(account.versions, self._offered()).items():
            self._ids.assume(version, stands)

    def _offered(self) -> list[str]:
        answer = parsed(self._server.send("GET", "/k8s/v1/regions/fr-par/versions", [], "", "").text)
        return [version["name"] for version in answer["versions"]]

    def outcomes(self) -> Iterator[Outcome]:
        for interaction in self._recording:
            if not HOST.fullmatch(interaction.host):
                yield self._elsewhere(interaction)
                continue
            best = self._best(interaction)
            self._remember(interaction, best)
            yield Outcome(interaction=interaction, wrong=tuple(best.wrong), allowed=tuple(best.allowed))

    def _elsewhere(self, interaction: Interaction) -> Outcome:
        """Another server than Scaleway's API, such as Object Storage: it is not asked."""
        answered = "is Scaleway's API only, not asked"
        found = Difference(field="host", what="host", recorded=interaction.host, answered=answered)
        reason = reason_for(self._allowed, interaction, found)
        if reason is None:
            return Outcome(interaction=interaction, wrong=(found,))
        return Outcome(interaction=interaction, allowed=((found, reason),))

    def _best(self, interaction: Interaction) -> _Try:
        """The answer; asked again while the stand-in is behind the recording and something has only begun."""
        early = self._early.pop(interaction.request, None)
        best = self._judged(interaction, early or self._send(interaction))
        if early is not None:
            return best
        for _ in range(TRIES - 1):
            if not any(difference.what in _TIMELY for difference in best.wrong):
                break
            if not interaction.reads and not self._only_too_early(interaction, best.reply):
                break
            self._server.planes.finish()
            again = self._judged(interaction, self._send(interaction))
            if len(again.wrong) <= len(best.wrong):
                best = again
        return best

    @staticmethod
    def _only_too_early(interaction: Interaction, reply: Reply) -> bool:
        """Whether something that changes may be sent again: it was refused, for what the recording had waited for."""
        return interaction.code < 400 and reply.code in (409, 412)

    def _send(self, interaction: Interaction) -> Reply:
        return self._server.send(
            interaction.method,
            self._ids.path(interaction.path),
            self._ids.query(interaction.query),
            self._ids.body(interaction.body, interaction.content_type, interaction.recorded_on)
            if interaction.body
            else "",
            interaction.content_type,
        )

    # Judging an answer.

    def _judged(self, interaction: Interaction, reply: Reply) -> _Try:
        found = _Try(reply)
        if interaction.code != reply.code:
            differences = self._codes(interaction, reply)
        else:
            found.comparison = self._bodies(interaction, reply)
            differences = [d for d in found.comparison.differences if not self._passed(interaction, d)]
        for difference in differences:
            reason = reason_for(self._allowed, interaction, difference)
            if reason is None:
                found.wrong.append(difference)
            else:
                found.allowed.append((difference, reason))
        return found

    def _codes(self, interaction: Interaction, reply: Reply) -> list[Difference]:
        if interaction.reads:
            recorded = state_of(interaction.answer) or code_state(interaction.code)
            answered = (state_of(parsed(reply.text)) if reply.code < 400 else None) or code_state(reply.code)
            if self._states.ahead(subject(interaction), interaction.number, recorded, answered):
                return []
        elif reply.code < 400 and self._tried_again(interaction):
            self._early[interaction.request] = reply
            return []
        message = parsed(reply.text)
        said = message.get("message") if isinstance(message, dict) and reply.code >= 400 else None
        answered = f"{reply.code} ({said})" if said else str(reply.code)
        return [Difference(field="status code", what="code", recorded=str(interaction.code), answered=answered)]

    def _tried_again(self, interaction: Interaction) -> bool:
        """Whether a recorded refusal was one for the moment: the same request succeeded later."""
        if interaction.code not in _FOR_LATER and interaction.code < 500:
            return False
        later = self._recording[interaction.number + 1 :]
        return any(other.request == interaction.request and other.code < 400 for other in later)

    def _bodies(self, interaction: Interaction, reply: Reply) -> Comparison:
        answered = parsed(reply.text)
        if (interaction.answer is None or answered is None) and interaction.answer_text != reply.text:
            if interaction.answer is None and answered is None and interaction.answer_text and reply.text:
                return Comparison()  # neither is JSON: there is nothing to compare by
            recorded, found = _body_kind(interaction.answer_text), _body_kind(reply.text)
            return Comparison([Difference(field="body", what="type", recorded=recorded, answered=found)])
        about = [*ids_in(interaction.path), *(found for _, value in interaction.query for found in ids_in(value))]
        ours = any(self._ids.known(found) for found in about) or any(
            self._ids.text(value) != value for _, value in interaction.query
        )
        return compare(interaction.answer, answered, self._ids, others=not ours, partial=_has_more(interaction))

    def _passed(self, interaction: Interaction, difference: Difference) -> bool:
        return (
            difference.what == "state"
            and interaction.reads
            and self._states.ahead(difference.thing, interaction.number, difference.recorded, difference.answered)
        )

    def _remember(self, interaction: Interaction, found: _Try) -> None:
        """The ids, and the states that the stand-in has shown, by the recorded ids."""
        answered = parsed(found.reply.text)
        made = None
        if interaction.code < 400 and found.reply.code < 400:
            recorded_id, answered_id = identity(interaction.answer), identity(answered)
            if interaction.method == "POST" and recorded_id and answered_id:
                made = (recorded_id, answered_id)
        self._ids.learn(found.comparison.leaves, made=made)
        recorded = {self._ids.known(thing) or thing: thing for thing, _ in things(interaction.answer)}
        for thing, state in things(answered):
            self._states.show(recorded.get(thing, thing), state)
        if interaction.reads and subject(interaction):
            shown = state_of(answered) if found.reply.code < 400 else None
            self._states.show(subject(interaction), shown or code_state(found.reply.code))


def _body_kind(text: str) -> str:
    return "no body" if not text else "text" if parsed(text) is None else "JSON"


def _has_more(interaction: Interaction) -> bool:
    """Whether a recorded list is one page of several."""
    answer = interaction.answer
    if not isinstance(answer, dict):
        return False
    listed = max((len(value) for value in answer.values() if isinstance(value, list)), default=0)
    total = answer.get("total_count")
    return dict(interaction.query).get("page", "1") != "1" or (isinstance(total, int) and total > listed)
