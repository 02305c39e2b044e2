"""Secrets that are known, however they are written; what looks like a secret; and what is none."""

import base64
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ci import redaction
from ci.known_secrets import known_secrets
from ci.redaction import Redactor, clean, says_secret

SECRET = 'pa"ss/wörd<&>+ \\x'
GITLAB = "glpat-" + "Zz19_-abcdEFGHijkl"
UUID = "3f1d9a52-7c1e-4f1e-9d0a-0123456789ab"


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" for c in text)


WRITTEN = {
    "as it is": SECRET,
    "in JSON": json.dumps(SECRET)[1:-1],
    "in JSON without ASCII's rest": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "in JSON in JSON": json.dumps(json.dumps(SECRET))[1:-1],
    "in JSON in JSON in JSON": json.dumps(json.dumps(json.dumps(SECRET)))[1:-1],
    "every character escaped": escaped(SECRET),
    "with a slash escaped, as PHP does": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    "in a URL": quote(SECRET, safe=""),
    "in a form": quote_plus(SECRET),
    "in a URL in JSON": json.dumps({"url": quote(SECRET)}),
    "in HTML": SECRET.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&#34;").replace("ö", "&ouml;"),
    "cut by a line end": SECRET[:5] + "\n" + SECRET[5:],
    "cut by an escaped line end": SECRET[:5] + "\\n" + SECRET[5:].replace("\\", "\\\\"),
    "coloured": SECRET[:4] + "\x1b[31m" + SECRET[4:] + "\x1b[0m",
    "with invisible characters": "\u200b".join(SECRET),
    "in hexadecimal": SECRET.encode().hex(),
    "in base64": base64.b64encode(SECRET.encode()).decode(),
    "in base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "in base64 after one byte": base64.b64encode(b"x" + SECRET.encode() + b"tail").decode(),
    "in base64 after two bytes": base64.b64encode(b"xy" + SECRET.encode() + b"t").decode(),
    "in base64 of 20 columns": base64.encodebytes(b"user:" + SECRET.encode()).decode()[:20]
    + "\n"
    + base64.encodebytes(b"user:" + SECRET.encode()).decode()[20:],
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("around", ["{}", "before {} after", '{{"a": "{}"}}'])
def test_a_known_secret_however_it_is_written(written: str, around: str) -> None:
    shown = Redactor([SECRET]).text(around.format(written))
    assert "[secret]" in shown
    assert shown.replace("[secret]", "").strip(' {}":abfortexul\\\n\x1b') == ""


def test_a_secret_is_never_shown_in_part() -> None:
    redactor = Redactor([GITLAB])
    for limit in range(40):
        for start in range(12):
            shown = redactor.text("0123456789" + GITLAB + "9876543210" * 3, limit, start)
            left = shown.partition("…")[0].replace("[secret]", "")
            assert not set(left) - set("0123456789"), (limit, start, shown)


def test_what_is_cut_is_counted() -> None:
    assert Redactor().text("abcdefghij", 4) == "abcd… (+6 characters)"
    assert Redactor().text("abcdefghij", 4, 3) == "defg… (+3 characters)"
    assert Redactor().text("abcd", 4) == "abcd"


def test_lines_of_a_long_secret_are_secrets() -> None:
    pem = "-----BEGIN X-----\n" + "A1b2" * 12 + "\n" + "C3d4" * 12 + "\nshort\n-----END X-----"
    redactor = Redactor([pem])
    assert redactor.text("only " + "C3d4" * 12) == "only [secret]"
    assert redactor.text("-----BEGIN X----- short") == "-----BEGIN X----- short"


def test_short_values_are_no_secrets() -> None:
    assert Redactor(["true", "1234567"]).text("true 1234567") == "true 1234567"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"token {GITLAB}.", "token [secret]"),
        ("glrt-t1_abcdefghijklmnopqrst", "[secret]"),
        ("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlIn0.c2ln", "[secret]"),
        ("x-eyJhbGciOiJI.eyJpc3MiOiJr.c2ln-eyJ, eyJhbGciOiJI.eyJpc3MiOiJr", "x-[secret], [secret]"),
        ("a\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nb", "a\n[secret]\nb"),
        ("-----BEGIN PRIVATE KEY-----\\nMII\\nand no end", "[secret]"),
        ("pul-" + "0a" * 20, "[secret]"),
        ("postgres://user:pass@host/db", "postgres://user:[secret]@host/db"),
        ("Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer [secret]"),
        (f"SCWKBATIKAN7ISCGYC1W {UUID}", "SCWKBATIKAN7ISCGYC1W [secret]"),
        (f"secret_key: {UUID}", "secret_key: [secret]"),
        (f'{{"secretKey": "{UUID}"}}', '{"secretKey": "[secret]"}'),
        (f'{{\\"secret-key\\": \\"{UUID}\\"}}', '{\\"secret-key\\": \\"[secret]\\"}'),
        ("DB_PASSWORD=hunter2hunter2", "DB_PASSWORD=[secret]"),
    ],
)
def test_what_looks_like_a_secret(text: str, shown: str) -> None:
    assert Redactor().text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "SCWKBATIKAN7ISCGYC1W",
        f"application {UUID}",
        "CI variable SCW_SECRET_KEY is named like a cloud credential: no cloud credential may be in GitLab",
        "password: authentication failed",
        "urn:pulumi:dev::p::scaleway:iam/apiKey:ApiKey::runner-deploy-credentials-key-b1",
        "kapsule-devops/token-sha256: 5d7aace4747c879d",
        "global-network-policy-of-the-runners",
        "http://user@host/ and https://host:8080/a@b",
        "100% of C:\\users and AT&T; \\u00",
    ],
)
def test_what_does_not(text: str) -> None:
    assert Redactor(["hunter2-hunter2"]).text(text) == text


def test_terminal_codes_and_what_cannot_be_seen() -> None:
    text = "\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07 <{%fg 1%}>a<{%reset%}> "
    text += "\u202eb\u200b\x00\x9b31mc\r\nd\ud800"
    assert clean(text) == "red link a bc\nd\ufffd"


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("PRIVATE_TOKEN", True), ("CI_JOB_TOKEN", True), ("SCW_SECRET_KEY", True), ("DB_PASSWORD", True), ("KEY", True),
        ("PULUMI_CONFIG_PASSPHRASE", True), ("DbPassword", True), ("SSH_KEY", True), ("GH_PAT", True),
        ("SCW_ACCESS_KEY", False), ("AWS_ACCESS_KEY_ID", False), ("SECRET_NAME", False), ("PWD", False), ("KEYBOARD", False),
        ("CI_PROJECT_ID", False), ("MONKEY", False), ("PATH", False),
    ],
)  # fmt: skip
def test_names_that_say_secret(name: str, secret: bool) -> None:
    assert says_secret(name) is secret


def test_where_secrets_are_looked_for(tmp_path: Path) -> None:
    for path, content in {
        ".config/scw/config.yaml": "access_key: SCWKBATIKAN7ISCGYC1W\nsecret_key: scw-default\n"
        "profiles: {other: {secret_key: scw-in-profile}}\n",
        ".aws/credentials": "[default]\naws_access_key_id = AKIAAAAAAAAA\naws_secret_access_key = aws%secret\n",
        ".kube/config": "users: [{name: u, user: {token: kube-token, client-key-data: a2V5LWRhdGE=, exec: "
        "{env: [{name: X_TOKEN, value: exec-token}, {name: REGION, value: fr-par-1}]}}}]\n",
        ".pulumi/credentials.json": '{"current": "https://a.b", "accessTokens": {"https://a.b": "pulumi-token"}}',
        "file-variable": "content-of-file\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    environ = {
        "A_TOKEN": "from-environment",
        "B_TOKEN": "short",
        "C_KEY": str(tmp_path / "file-variable"),
        "D": "no-secret",
    }
    found, warnings = known_secrets(environ, tmp_path)
    assert warnings == []
    assert found >= {
        "from-environment", "content-of-file", "scw-default", "scw-in-profile", "aws%secret", "kube-token",
        "a2V5LWRhdGE=", "exec-token", "pulumi-token",
    }  # fmt: skip
    assert not found & {"SCWKBATIKAN7ISCGYC1W", "AKIAAAAAAAAA", "fr-par-1", "no-secret", "short", "https://a.b"}


def test_files_that_variables_name_and_files_that_cannot_be_read(tmp_path: Path) -> None:
    scw, aws, kube = (tmp_path / name for name in ("scw.yaml", "aws", "kube"))
    scw.write_text("secret_key: from-named-file")
    aws.write_text("no section")
    kube.write_text("users: [")
    environ = {"SCW_CONFIG_PATH": str(scw), "AWS_SHARED_CREDENTIALS_FILE": str(aws), "KUBECONFIG": f"{kube}:/nowhere"}
    found, warnings = known_secrets(environ, tmp_path)
    assert "from-named-file" in found
    assert [w.partition(" (")[0] for w in warnings] == [f"{aws} cannot be read", f"{kube} cannot be read"]


# --- property ---------------------------------------------------------------------------------------------------------

# No control characters but these: no token, password or key holds any, and what a terminal makes of them is not defined.
letters = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), include_characters="\n\r\t")
secrets = st.text(letters, min_size=8, max_size=24).filter(lambda s: len(clean(s).strip()) >= 8)
ways = st.sampled_from(
    [
        lambda s: s,
        lambda s: json.dumps(s)[1:-1],
        lambda s: json.dumps(json.dumps(s, ensure_ascii=False))[1:-1],
        lambda s: quote(s, safe=""),
        quote_plus,
        lambda s: base64.b64encode(s.encode()).decode(),
        lambda s: base64.b64encode(b"ab" + s.encode() + b"c").decode(),
        lambda s: s.encode().hex(),
    ]
)


@given(secret=secrets, way=ways, before=st.text(max_size=12), after=st.text(max_size=12), limit=st.integers(0, 60))
def test_no_secret_comes_through(secret: str, way: object, before: str, after: str, limit: int) -> None:
    assert callable(way)
    written = way(secret)
    # What is around may become one with it ("\\" before an escape), so it is set off by a space.
    text = f"{before} {written} {after}"
    redactor = Redactor([secret])
    for shown in (redactor.text(text), redactor.text(text, limit), redactor.text(text, limit, 3)):
        assume(clean(secret) not in "[secret]… (+0123456789 characters)" + before + after)
        assert secret not in shown
        assert clean(secret).strip() not in shown
        assert written not in shown or written in before + after


# Without a letter of each word that a secret's shape has (and the Kelvin sign, which is a k to it), and without escapes.
harmless = st.characters(codec="utf-8", exclude_characters="bgjkpwBGJKPW\u212a-:\\%&")


@given(text=st.text(harmless, max_size=300))
def test_a_text_without_secrets_is_shown_as_it_is(text: str) -> None:
    assert Redactor(["hunter2-hunter2"]).text(text) == clean(text)


@given(text=st.text(harmless, max_size=80).map(clean), limit=st.integers(0, 100))
def test_of_a_text_without_secrets_only_the_end_is_cut(text: str, limit: int) -> None:
    more = len(text) - limit
    shown = Redactor(["hunter2-hunter2"]).text(text, limit)
    assert shown == text[:limit] + (f"… (+{more} characters)" if more > 0 else "")


@given(text=st.text(max_size=80), limit=st.integers(0, 100))
def test_a_limit_is_kept(text: str, limit: int) -> None:
    assert len(Redactor().text(text, limit).partition("…")[0]) <= max(limit, len("[secret]")) or "…" in text


@given(
    text=st.lists(st.sampled_from([*'\\"nrtbu/x%&;#a1 ', "amp", "quot", "lt", "#39", "\\u00e9", "&amp;", "\\\\"])).map(
        "".join
    )
)
def test_the_quick_way_to_undo_escapes_is_the_exact_one(text: str) -> None:
    for sign, pattern in redaction._ESCAPES:
        exact = pattern.sub(redaction._known_escapes.of, text)
        assert redaction._undone(text, sign, pattern) == exact
        assert len(redaction._decoded_places(text, pattern)) == len(exact)
