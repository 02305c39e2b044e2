"""The request log: what was asked of the stand-ins and how they answered, with every secret masked.

Owns a JSON Lines file (mode 0600) that grows with each request, and the same entries in memory for `/_sandbox/requests`.
"""

import json
import re
import threading
import time
from pathlib import Path
from typing import Any

from sandbox import files

MASK = "[secret]"

# Field names whose values are secret in one of the two APIs, whatever the operation.
_SECRET_FIELDS = frozenset(
    {
        "secret_key", "token", "runners_token", "data", "value", "content", "password", "passphrase",
        "private_token", "access_token", "trigger_token", "kubeconfig", "ci_job_token",
    }
)  # fmt: skip
_SECRET_QUERY = re.compile(rf"(?<![^&])({'|'.join(sorted(_SECRET_FIELDS))})=[^&]+")
_SECRET_TEXT = re.compile(r"gl(?:pat|rt|dt|cbt|ptt)-[0-9A-Za-z_.-]{8,}")


def masked(value: Any) -> Any:
    """The same JSON with the values of secret fields, and GitLab tokens anywhere, replaced by `[secret]`."""
    if isinstance(value, dict):
        return {masked(k): MASK if k in _SECRET_FIELDS and v not in (None, "") else masked(v) for k, v in value.items()}
    if isinstance(value, list):
        return [masked(v) for v in value]
    if isinstance(value, str):
        return _SECRET_TEXT.sub(MASK, value)
    return value


class RequestLog:
    """Entries in the order of the answers: n, time (Unix seconds), service, operation, method, path, query, status, …"""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = files.appending(path)
        self._entries: list[dict[str, Any]] = []

    def add(self, *, request: bytes, reply: Any, **entry: Any) -> None:
        """Adds one exchange. `request` is the raw body; `reply` is what is sent, before it becomes JSON."""
        with self._lock:
            entry = {"n": len(self._entries) + 1, "time": round(time.time(), 3)} | masked(entry)
            entry["query"] = _SECRET_QUERY.sub(rf"\1={MASK}", entry["query"])
            entry["unknown"] = entry["operation"] == "unknown"
            entry["request"] = masked(_parsed(request))
            entry["reply"] = masked(reply) if isinstance(reply, dict | list) else None
            self._entries.append(entry)
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()

    def entries(self, after: int = 0) -> list[dict[str, Any]]:
        """The entries whose number is greater than `after`."""
        with self._lock:
            return self._entries[after:]

    def close(self) -> None:
        with self._lock:
            self._file.close()


def _parsed(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return MASK  # an unreadable body could hold anything
