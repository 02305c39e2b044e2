"""How the sandbox's commands find the sandbox that runs: a small file that it writes when it is ready."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Running:
    """What a running sandbox says of itself: its process id and where the stand-ins answer."""

    pid: int
    scaleway: str
    gitlab: str

    @staticmethod
    def read(file: Path) -> "Running | None":
        """None where none runs: the file is removed at the end, and a killed sandbox's process is gone or another's."""
        try:
            running = Running(**json.loads(file.read_text()))
            os.kill(running.pid, 0)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return None
        return running

    def write(self, file: Path) -> None:
        """Appears whole or not at all."""
        unfinished = file.with_suffix(".new")
        unfinished.write_text(json.dumps(asdict(self)))
        unfinished.replace(file)
