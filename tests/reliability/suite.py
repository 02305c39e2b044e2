"""The long suite's cases, played on several sandboxes side by side; each result is kept as soon as there is one."""

import json
import re
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.engine.estate import Estate
from tests.reliability.kills import play_kill
from tests.reliability.matrix import Case, Outcome, Reference, play, reference


class Results:
    """What was played, by name: a line of JSON each, those of earlier runs included. `commit` is what is played now."""

    def __init__(self, file: Path, commit: str) -> None:
        self._file, self._commit, self._lock = file, commit, threading.Lock()
        lines = file.read_text().splitlines() if file.exists() else []
        self.played: dict[str, dict[str, Any]] = {record.pop("name"): record for record in map(json.loads, lines)}

    def add(self, name: str, result: dict[str, Any]) -> None:
        record = {"commit": self._commit, **result}
        with self._lock, self._file.open("a") as file:
            file.write(json.dumps({"name": name, **record}) + "\n")
            self.played[name] = record


class Suite:
    """`names` are those of all cases, also of what was played before or is left out."""

    def __init__(self, estates: Sequence[Estate], results: Results, *, kills: int) -> None:
        self._estates, self._results = estates, results
        self._ended = threading.Event()
        with ThreadPoolExecutor(len(estates)) as pool:
            # All live at the same time: what an update takes then is what it takes while the cases are played.
            self._normal = list(pool.map(reference, estates))
        self._cases: dict[str, Case | int] = {str(case): case for case in self._normal[0].cases()}
        self._cases |= {f"kill {seed}": seed for seed in range(kills)}
        self.names = list(self._cases)

    def play(self, only: re.Pattern[str]) -> None:
        """Plays what matches and was not played yet. Interrupted, it forgets what was being played just then."""
        todo = [name for name in self.names if name not in self._results.played and only.search(name)]
        turns = Turns(todo)
        with ThreadPoolExecutor(len(self._estates)) as pool:
            try:
                list(pool.map(lambda estate, normal: self._work(turns, estate, normal), self._estates, self._normal))
            finally:
                self._ended.set()

    def _work(self, turns: "Turns", estate: Estate, normal: Reference) -> None:
        for number, name in turns:
            result = self._one(self._cases[name], estate, normal)
            if self._ended.is_set():
                return
            self._results.add(name, result)
            print(f"[{number}/{turns.total}] {name}: {'; '.join(result['wrong']) or 'ok'}", flush=True)

    def _one(self, case: Case | int, estate: Estate, normal: Reference) -> dict[str, Any]:
        if isinstance(case, int):
            return asdict(play_kill(estate, case, normal))
        try:
            return asdict(play(estate, case, normal))
        except AssertionError as error:  # the environment could not be had as it is before the phase
            return asdict(Outcome(case=case, survived=False, named=(), wrong=(f"not played: {error}"[:2000],)))


class Turns:
    """Hands each name to one of several threads, with its number."""

    def __init__(self, names: Sequence[str]) -> None:
        self.total, self._lock = len(names), threading.Lock()
        self._left = iter(list(enumerate(names, 1)))

    def __iter__(self) -> Iterator[tuple[int, str]]:
        while True:
            with self._lock:
                turn = next(self._left, None)
            if turn is None:
                return
            yield turn
