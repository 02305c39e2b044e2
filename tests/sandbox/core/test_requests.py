"""The request log: every exchange, in order, and no secret in it."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sandbox.requests import MASK, RequestLog, masked

SECRET_FIELDS = (
    "secret_key",
    "token",
    "runners_token",
    "data",
    "value",
    "content",
    "password",
    "passphrase",
    "private_token",
    "access_token",
    "trigger_token",
    "kubeconfig",
    "ci_job_token",
)
TOKENS = ("glpat", "glrt", "gldt", "glcbt", "glptt")

secrets = st.text("abcdefghij0123456789-", min_size=12, max_size=20).map(lambda text: f"S3CR3T-{text}")
tokens = st.builds(
    lambda kind, text: f"{kind}-{text}", st.sampled_from(TOKENS), st.from_regex(r"\A[0-9A-Za-z_-]{20,30}\Z")
)
around = st.text("abc ,:\"'/\\\n{}", max_size=5)


def exchanges(secret: str, token: str, before: str, after: str) -> st.SearchStrategy[Any]:
    """JSON with the secret under secret fields only, and the token anywhere."""
    text = before + token + after
    leaf = st.sampled_from([None, 1, True, "plain", "", text, token])
    hidden = st.sampled_from([secret, [secret], {"deep": secret}, text])
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(["name", "id", text]), inner, max_size=3),
            st.dictionaries(st.sampled_from(SECRET_FIELDS), hidden, min_size=1, max_size=3),
        ),
        max_leaves=8,
    )


@given(data=st.data(), secret=secrets, token=tokens, before=around, after=around)
def test_no_secret_reaches_the_file(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, secret: str, token: str, before: str, after: str
) -> None:
    exchange = exchanges(secret, token, before, after)
    request, reply = data.draw(exchange), data.draw(exchange)
    file = tmp_path_factory.mktemp("log") / "requests.jsonl"
    log = RequestLog(file)
    log.add(
        service="gitlab",
        operation="o",
        method="POST",
        path=f"/tokens/{token}/rotate",
        query=f"page=1&private_token={secret}&search={token}",
        status=200,
        request=json.dumps(request).encode(),
        reply=reply,
    )
    log.close()
    for text in (file.read_text(), json.dumps(log.entries())):
        assert secret not in text
        assert token not in text
        assert token.partition("-")[2] not in text
        assert "page=1&private_token=[secret]&search=[secret]" in text


@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda i: st.lists(i, max_size=3)))
def test_what_is_not_secret_stays_as_it_is(value: Any) -> None:
    assume("gl" not in json.dumps(value))  # the beginning of a token
    assert masked({"name": value}) == {"name": value}


@pytest.mark.parametrize("field", SECRET_FIELDS)
def test_a_secret_field_is_masked_unless_it_is_empty(field: str) -> None:
    assert masked({"a": [{field: "x"}]}) == {"a": [{field: MASK}]}
    assert masked({field: None}) == {field: None}
    assert masked({field: ""}) == {field: ""}
    assert masked({field: {"x": "y"}}) == {field: MASK}


@pytest.mark.parametrize("kind", TOKENS)
def test_a_gitlab_token_is_masked_inside_of_text(kind: str) -> None:
    token = f"{kind}-abcdEFGH1234_-xyz"
    assert masked({"note": f"use {token}!", token: 1}) == {"note": f"use {MASK}!", MASK: 1}


def test_names_much_like_secrets_are_not_masked() -> None:
    plain = {"token_id": 1, "secret_id": "s", "access_key": "SCW123", "name": "glpat-", "data_source": "d"}
    assert masked(plain) == plain


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "requests.jsonl"


def add(log: RequestLog, request: bytes = b"", reply: Any = None, **entry: Any) -> None:
    log.add(**({"operation": "o", "query": "", "request": request, "reply": reply} | entry))


def test_entries_are_numbered_in_memory_and_in_the_file(log_file: Path) -> None:
    log = RequestLog(log_file)
    add(log, operation="unknown")
    add(log, b'{"a": 1}', [1])
    log.close()
    lines = [json.loads(line) for line in log_file.read_text().splitlines()]
    assert lines == log.entries()
    assert [line["n"] for line in lines] == [1, 2]
    assert [line["unknown"] for line in lines] == [True, False]
    assert (lines[1]["request"], lines[1]["reply"]) == ({"a": 1}, [1])
    assert log.entries(after=1) == lines[1:]
    assert log.entries(after=5) == []


@pytest.mark.parametrize(("raw", "shown"), [(b"", None), (b"{secret", MASK), (b"\xff", MASK), (b"5", 5)])
def test_a_body_that_cannot_be_read_is_not_shown(log_file: Path, raw: bytes, shown: Any) -> None:
    log = RequestLog(log_file)
    add(log, raw)
    assert log.entries()[0]["request"] == shown
    log.close()


@pytest.mark.parametrize("reply", ["text", b"bytes", None, 5])
def test_a_reply_that_is_no_json_is_not_shown(log_file: Path, reply: Any) -> None:
    log = RequestLog(log_file)
    add(log, reply=reply)
    assert log.entries()[0]["reply"] is None
    log.close()


def test_the_file_grows_over_a_restart_and_only_its_owner_reads_it(log_file: Path) -> None:
    for _ in range(2):
        log = RequestLog(log_file)
        add(log)
        log.close()
    assert [json.loads(line)["n"] for line in log_file.read_text().splitlines()] == [1, 1]
    assert stat.S_IMODE(log_file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("token=abc&page=2", "token=[secret]&page=2"),
        ("page=2&password=a%20b", "page=2&password=[secret]"),
        ("my_token=abc&tokens=1&token=", "my_token=abc&tokens=1&token="),
    ],
)
def test_a_secret_of_the_query_is_masked(log_file: Path, query: str, shown: str) -> None:
    log = RequestLog(log_file)
    add(log, query=query)
    assert log.entries()[0]["query"] == shown
    log.close()
