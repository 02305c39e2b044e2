"""The stand-ins' memory: records by table and key, kept over a restart.

Owns one SQLite file (mode 0600). A record is a JSON object; a table is a string such as `k8s.clusters`. SQLite, because a
sandbox that is killed in the middle of a write must find whole records when it starts again.

Does not own what a record means, nor references between records: the module of each product does.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Store:
    """Records by table and key. Safe to use from several threads; `transaction` serialises what must not interleave."""

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite would create it readable by everybody
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # Survives a kill, not a power cut: enough for a sandbox. First, or the next one waits for the disk.
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS records"
            " (n INTEGER PRIMARY KEY AUTOINCREMENT, tab TEXT, key TEXT, body TEXT, UNIQUE (tab, key))"
        )
        self._db.execute("CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER)")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: what was written inside is undone when the block raises. May be nested."""
        with self._lock:
            inner = f"level{self._depth}" if self._depth else ""
            self._db.execute(f"SAVEPOINT {inner}" if inner else "BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._db.execute(f"ROLLBACK TO {inner}" if inner else "ROLLBACK")
                raise
            else:
                self._db.execute(f"RELEASE {inner}" if inner else "COMMIT")
            finally:
                self._depth -= 1

    def get(self, table: str, key: str | int) -> Record | None:
        with self._lock:
            row = self._db.execute("SELECT body FROM records WHERE tab = ? AND key = ?", (table, str(key))).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, table: str, key: str | int, record: Record) -> Record:
        """Writes the record, new or not, and returns it. An existing record keeps its place in the order."""
        with self._lock:
            self._db.execute(
                "INSERT INTO records (tab, key, body) VALUES (?, ?, ?)"
                " ON CONFLICT (tab, key) DO UPDATE SET body = excluded.body",
                (table, str(key), json.dumps(record, allow_nan=False)),  # which no JSON has, and no index takes
            )
        return record

    def delete(self, table: str, key: str | int) -> bool:
        """True when there was such a record."""
        with self._lock:
            return self._db.execute("DELETE FROM records WHERE tab = ? AND key = ?", (table, str(key))).rowcount > 0

    def all(self, table: str, **equal: Any) -> list[Record]:
        """The table's records in the order of their creation, those only whose fields equal the given values.

        Fields that are asked for have an index, so that it costs as much among thousands of records as among a few.
        """
        asked = {f"json_extract(body, '$.{name}')": value for name, value in equal.items() if _is_indexed(value)}
        conditions = "".join(f" AND {field} IS ?" for field in asked)
        with self._lock:
            if asked:
                fields = ", ".join(asked)
                self._db.execute(f'CREATE INDEX IF NOT EXISTS "{fields}" ON records (tab, {fields})')
            rows = self._db.execute(
                f"SELECT body FROM records WHERE tab = ?{conditions} ORDER BY n",  # noqa: S608 - names of our own
                (table, *asked.values()),
            ).fetchall()
        records: list[Record] = [json.loads(body) for (body,) in rows]
        return [r for r in records if all(r.get(name) == value for name, value in equal.items())]

    def tables(self) -> list[str]:
        with self._lock:
            return [t for (t,) in self._db.execute("SELECT DISTINCT tab FROM records ORDER BY tab")]

    def next_id(self, counter: str) -> int:
        """1, 2, 3 …; a number is never given twice, not even after a restart or a deletion."""
        with self._lock:
            return int(
                self._db.execute(
                    "INSERT INTO counters VALUES (?, 1)"
                    " ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
                    (counter,),
                ).fetchone()[0]
            )

    def clear(self, keep: tuple[str, ...] = ()) -> None:
        """Forgets every table but those in `keep`. Counters go on."""
        with self.transaction():
            for table in self.tables():
                if table not in keep:
                    self._db.execute("DELETE FROM records WHERE tab = ?", (table,))


def _is_indexed(value: Any) -> bool:
    """Whether SQLite compares it as Python does; anything else is looked for among all records."""
    if isinstance(value, str):
        return (
            value.isprintable()
        )  # without half of a surrogate pair, which it refuses, and the character 0, which ends its text
    return value is None or (isinstance(value, int) and abs(value) < 2**53)
