"""The store: records in order, transactions, counters, and what another process sees."""

import json
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.store import Store

CHECKOUT = Path(__file__).parents[3]
JSON = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.lists(st.integers())
)


class BrokenError(Exception):
    pass


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(path)
    yield store
    store.close()


def test_a_record_is_found_under_its_table_and_key(store: Store) -> None:
    assert store.put("t", 1, {"name": "a"}) == {"name": "a"}
    assert store.get("t", 1) == store.get("t", "1") == {"name": "a"}
    assert store.get("t", 2) is None
    assert store.get("u", 1) is None


def test_records_keep_the_order_of_their_creation(store: Store) -> None:
    for key in ("c", "a", "b"):
        store.put("t", key, {"key": key})
    store.put("t", "c", {"key": "c", "changed": True})
    assert store.all("t") == [{"key": "c", "changed": True}, {"key": "a"}, {"key": "b"}]


def test_only_records_with_equal_fields_are_given(store: Store) -> None:
    store.put("t", 1, {"a": 1, "b": 1})
    store.put("t", 2, {"a": 1, "b": None})
    store.put("t", 3, {"b": 1})
    assert store.all("t", a=1) == [{"a": 1, "b": 1}, {"a": 1, "b": None}]
    assert store.all("t", a=1, b=1) == [{"a": 1, "b": 1}]
    assert store.all("t", a=None) == [{"b": 1}]


@pytest.mark.parametrize(
    "value", ["text", "", "ünï 'quoted'", "two\nlines", "a\0b", "\ud800", 0, -1, 2**60, 1.5, True, False, None]
)
def test_any_value_is_found_that_json_holds(store: Store, value: object) -> None:
    values: list[object] = ["other", 7, None, "true", [], value]
    for key, each in enumerate(values):
        store.put("t", key, {"field": each, "key": key})
    found = [record["key"] for record in store.all("t", field=value)]
    assert found == [key for key, each in enumerate(values) if each == value]


@given(record=st.dictionaries(st.sampled_from("ab"), JSON), a=JSON, b=JSON)
def test_equal_is_what_python_calls_equal(
    tmp_path_factory: pytest.TempPathFactory, record: dict[str, object], a: object, b: object
) -> None:
    store = Store(tmp_path_factory.mktemp("store") / "records.db")
    store.put("t", 1, record)
    assert bool(store.all("t", a=a)) == (record.get("a") == a)
    assert bool(store.all("t", a=a, b=b)) == (record.get("a") == a and record.get("b") == b)
    store.close()


def test_only_what_is_asked_for_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many requests each look for one record: the time of all must not grow with the square of their number."""
    for key in range(500):
        store.put("t", key, {"name": f"n{key}", "kind": key % 2})
    read: list[str] = []
    loads = json.loads

    def counted(text: str) -> Any:
        read.append(text)
        return loads(text)

    monkeypatch.setattr("sandbox.store.json.loads", counted)
    assert store.all("t", name="n77", kind=1) == [{"name": "n77", "kind": 1}]
    assert len(read) == 1


def test_an_index_that_a_failure_undid_is_made_again(store: Store) -> None:
    write(store, "a")

    def ask_and_fail() -> None:
        with store.transaction():
            store.all("t", key="a")
            raise BrokenError

    with pytest.raises(BrokenError):
        ask_and_fail()
    assert store.all("t", key="a") == [{"key": "a"}]


def test_a_number_that_no_json_has_is_no_record(store: Store) -> None:
    with pytest.raises(ValueError, match="JSON"):
        store.put("t", 1, {"number": float("inf")})
    assert store.all("t") == []


def test_a_record_can_be_deleted_once(store: Store) -> None:
    store.put("t", 1, {})
    assert store.delete("t", 1) is True
    assert store.delete("t", 1) is False
    assert store.tables() == []


def test_what_is_given_is_a_copy(store: Store) -> None:
    store.put("t", 1, {"list": [1]})
    found = store.get("t", 1)
    assert found is not None
    found["list"].append(2)
    assert store.get("t", 1) == {"list": [1]}


def test_clear_forgets_all_tables_but_those_to_keep_and_goes_on_counting(store: Store) -> None:
    store.put("a", 1, {})
    store.put("b", 1, {})
    assert store.next_id("n") == 1
    store.clear(keep=("b", "c"))
    assert store.tables() == ["b"]
    assert store.next_id("n") == 2


def write(store: Store, key: str) -> None:
    store.put("t", key, {"key": key})


def keys(store: Store) -> list[str]:
    return [record["key"] for record in store.all("t")]


def failing(store: Store, *written: str) -> None:
    """A transaction that writes and fails."""
    with store.transaction():
        for key in written:
            write(store, key)
        raise BrokenError


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    write(store, "before")
    with pytest.raises(BrokenError):
        failing(store, "a", "b")
    assert keys(store) == ["before"]
    write(store, "after")
    assert keys(store) == ["before", "after"]


def test_a_transaction_that_fails_deletes_and_counts_nothing(store: Store) -> None:
    write(store, "a")

    def delete() -> None:
        with store.transaction():
            store.clear()
            store.next_id("n")
            raise BrokenError

    with pytest.raises(BrokenError):
        delete()
    assert keys(store) == ["a"]
    assert store.next_id("n") == 1


def test_the_outer_transaction_undoes_the_inner_one(store: Store) -> None:
    def outer() -> None:
        with store.transaction():
            with store.transaction():
                write(store, "inner")
            raise BrokenError

    with pytest.raises(BrokenError):
        outer()
    assert keys(store) == []


def test_an_inner_transaction_undoes_itself_only(store: Store) -> None:
    with store.transaction():
        write(store, "outer")
        with pytest.raises(BrokenError):
            failing(store, "inner")
        write(store, "outer again")
    assert keys(store) == ["outer", "outer again"]


@given(plan=st.recursive(st.just("write"), lambda inner: st.tuples(st.booleans(), st.lists(inner, max_size=3))))
def test_nested_transactions_keep_what_no_failure_undid(
    tmp_path_factory: pytest.TempPathFactory, plan: str | tuple[bool, list[object]]
) -> None:
    """Against a list that is cut back where a block fails."""
    store = Store(tmp_path_factory.mktemp("store") / "records.db")
    expected: list[str] = []
    counter = iter(range(1000))

    def run(part: object) -> None:
        if isinstance(part, str):
            key = str(next(counter))
            write(store, key)
            expected.append(key)
            return
        assert isinstance(part, tuple)
        fails, parts = part
        length = len(expected)
        try:
            with store.transaction():
                for each in parts:
                    run(each)
                if fails:
                    raise BrokenError
        except BrokenError:
            del expected[length:]

    run(plan)
    assert keys(store) == expected
    store.close()


def test_another_thread_does_not_see_the_inside_of_a_transaction(store: Store) -> None:
    inside, seen = threading.Event(), []

    def read() -> None:
        inside.wait()
        seen.append(keys(store))

    reader = threading.Thread(target=read)
    reader.start()
    with store.transaction():
        write(store, "a")
        inside.set()
        write(store, "b")
    reader.join()
    assert seen == [["a", "b"]]


def test_threads_share_the_counter(store: Store) -> None:
    numbers: list[int] = []
    threads = [threading.Thread(target=lambda: numbers.extend(store.next_id("n") for _ in range(50))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 201))


def test_counters_count_apart_and_never_back(store: Store) -> None:
    assert [store.next_id("a"), store.next_id("b"), store.next_id("a")] == [1, 1, 2]
    store.put("a", 2, {})
    store.delete("a", 2)
    assert store.next_id("a") == 3


def test_all_is_there_again_after_a_restart(path: Path) -> None:
    store = Store(path)
    write(store, "b")
    write(store, "a")
    assert store.next_id("n") == 1
    store.close()
    again = Store(path)
    assert keys(again) == ["b", "a"]
    assert again.next_id("n") == 2
    write(again, "c")
    assert keys(again) == ["b", "a", "c"]
    again.close()


def test_a_closed_store_takes_nothing(path: Path) -> None:
    store = Store(path)
    store.close()
    with pytest.raises(sqlite3.ProgrammingError):
        write(store, "a")


def test_nobody_else_may_read_the_files(store: Store, path: Path) -> None:
    write(store, "a")
    files = list(path.parent.iterdir())
    assert {f.name for f in files} >= {"records.db", "records.db-wal"}
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}


OTHER = """
import sys
from pathlib import Path
from sandbox.store import Store
store = Store(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
with store.transaction():
    store.put("t", "other", {"key": "other"})
print(*(store.next_id("n") for _ in range(100)))
store.close()
"""


def test_two_processes_share_records_and_counters(store: Store, path: Path) -> None:
    write(store, "ours")
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, str(path)],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        with store.transaction():
            write(store, "also ours")
            assert other.stdin is not None
            other.stdin.write("go\n")
            other.stdin.flush()
        ours = [store.next_id("n") for _ in range(100)]
        theirs = [int(number) for number in other.stdout.read().split()]
    assert other.returncode == 0
    assert sorted(ours + theirs) == list(range(1, 201))
    assert keys(store) == ["ours", "also ours", "other"]


def test_a_process_that_is_killed_leaves_whole_records(store: Store, path: Path) -> None:
    killed = (
        "import os, sys; from pathlib import Path; from sandbox.store import Store\n"
        "store = Store(Path(sys.argv[1])); store.put('t', 'whole', {'key': 'whole'})\n"
        "with store.transaction():\n"
        "    store.put('t', 'half', {'key': 'half'}); os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", killed, str(path)], cwd=CHECKOUT).returncode == 9
    assert keys(store) == ["whole"]
