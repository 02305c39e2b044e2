"""The mounted config.yaml and other files of keys, with anything in them: read, or told in one line; the tool goes on."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ci import known_secrets as known
from ci import preview_report, publish_plan
from ci.known_secrets import known_secrets
from ci.yaml_text import parse_yaml
from tests.ci.conftest import SAMPLES
from tests.ci.wrong_values import paths, put, wrong_values

pytestmark = pytest.mark.hostile

# By the variable that names the file.
FILES = {
    "SCW_CONFIG_PATH": "config.yaml",
    "AWS_SHARED_CREDENTIALS_FILE": "credentials",
    "KUBECONFIG": "kubeconfig",
    "PULUMI_HOME": "credentials.json",
}


class Keys:
    """A job whose files of keys a test writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"HOME": str(folder)} | {
            name: str(folder if name == "PULUMI_HOME" else folder / file) for name, file in FILES.items()
        }

    def found(self, content: bytes | str, *names: str) -> tuple[frozenset[str], list[str]]:
        """The secrets and the warnings, where these files (all) hold this."""
        for name, file in FILES.items():
            raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
            (self.folder / file).write_bytes(raw if not names or name in names else b"")
        return known_secrets(self.environ, self.folder)

    def say(self) -> tuple[int, str]:
        """What a tool says of them: its code, and its standard error."""
        err = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
            code = preview_report.main([f"--preview=dev={SAMPLES / 'same.json'}"], self.environ)
            code += publish_plan.main([str(SAMPLES / "plan.json"), str(self.folder / "o")], self.environ)
        return code, err.getvalue()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


CONFIG: dict[str, Any] = {
    "access_key": "SCWKBATIKAN7ISCGYC1W",
    "secret_key": "3f1d9a52-7c1e-4f1e-9d0a-0123456789ab",
    "profiles": {"other": {"secret_key": "other-secret"}},
    "users": [{"user": {"token": "kube-token", "exec": {"env": [{"name": "X_TOKEN", "value": "exec-token"}]}}}],
}


@given(place=st.sampled_from(list(paths(CONFIG))), wrong=wrong_values)
def test_anything_in_any_place(keys: Keys, place: Any, wrong: Any) -> None:
    keys.found(json.dumps(put(CONFIG, place, wrong)))
    keys.found(yaml.safe_dump(put(CONFIG, place, str(wrong))))


_SYNTAX = st.sampled_from(
    [
        *"[]{},:-?&*!|>'\"%@`#~ \n\t=<",
        "- ",
        ": ",
        "\n  ",
        "&a ",
        "*a",
        "<<: ",
        "!!int ",
        "!!bool ",
        "token: ",
        "\0",
        "\ufeff",
    ]
)


@given(content=st.binary(max_size=60) | st.lists(_SYNTAX | st.text(max_size=4), max_size=20).map("".join))
def test_any_bytes(keys: Keys, content: bytes | str) -> None:
    _, warnings = keys.found(content)
    assert all(warning.isprintable() for warning in warnings)


VALUES = ["!!int ''", "!!int x", "!!bool x", "!!float x", "!!timestamp x", "2026-13-45", "0000-00-00", "9" * 9_000]
VALUES += [
    "2001-12-14t21:59:43.10-99:99",
    "0x" + "f" * 9_000,
    "!!python/object:os.system {}",
    "!!binary x",
    "[" * 500,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value[:30])
def test_a_value_that_cannot_be_is_told_and_the_tool_goes_on(keys: Keys, value: str) -> None:
    _, warnings = keys.found(f"secret_key: {value}\n", "SCW_CONFIG_PATH")
    (warning,) = warnings
    assert warning.startswith(f"{keys.folder / 'config.yaml'} cannot be read (")
    assert warning.endswith("): what it holds cannot be told from others.")
    assert keys.say() == (0, f"warning: {warning}\n" * 2)


def test_aliases_of_aliases_are_walked_through_once(keys: Keys) -> None:
    """Of these forty lines, one would be a secret a million million times."""
    levels = "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    found, warnings = keys.found(f"a0: &a0 [laughing]\n{levels}token: *a39\n", "SCW_CONFIG_PATH")
    assert (found, warnings) == (frozenset({"laughing"}), [])


def test_an_alias_of_itself_ends(keys: Keys) -> None:
    found, warnings = keys.found("token: &a [*a, in-a-circle]\n", "SCW_CONFIG_PATH")
    assert (found, warnings) == (frozenset({"in-a-circle"}), [])


def test_merge_keys_are_not_undone_and_what_they_name_is_known(keys: Keys) -> None:
    levels = "".join(f"a{n}: &a{n}\n  <<: [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    found, warnings = keys.found(f"a0: &a0 {{secret_key: merged-secret}}\n{levels}", "SCW_CONFIG_PATH")
    assert (found, warnings) == (frozenset({"merged-secret"}), [])


def test_what_yaml_says_else_is_read_as_ever() -> None:
    assert parse_yaml("a: {b: [1, x, null, true, 1.5]}\nc: 2026-01-01\n") == yaml.safe_load(
        "a: {b: [1, x, null, true, 1.5]}\nc: 2026-01-01\n"
    )


def test_a_file_of_just_the_limit_and_one_byte_more(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    content = "secret_key: of-just-this-size\n"
    monkeypatch.setattr(known, "MAX_BYTES", len(content))
    assert keys.found(content, "SCW_CONFIG_PATH") == (frozenset({"of-just-this-size"}), [])
    found, (warning,) = keys.found(content + "#", "SCW_CONFIG_PATH")
    assert found == frozenset()
    assert warning == (
        f"{keys.folder / 'config.yaml'} is larger than 30 bytes (31): to read it could take all memory of the job; "
        "what it holds cannot be told from others."
    )


def test_a_variable_that_names_a_file_over_the_limit_is_a_secret_itself(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = keys.folder / "named"
    file.write_text("in-the-file")
    keys.found("")
    environ = keys.environ | {"A_TOKEN": str(file)}
    assert known_secrets(environ, keys.folder)[0] == {"in-the-file"}
    monkeypatch.setattr(known, "MAX_BYTES", 10)
    assert known_secrets(environ, keys.folder)[0] == {str(file)}


@pytest.mark.parametrize("content", ["name: [", "name: 5", "- a", "!!bool x", "[" * 500, "\0", "name: &a [*a]"])
def test_a_pulumi_yaml_that_names_no_project(
    keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    keys.found("")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text(content)
    preview = tmp_path / "preview.json"
    preview.write_text('{"diagnostics": []}')
    for more in ("", "#" * preview_report.MAX_PROGRAM_BYTES):
        (tmp_path / "Pulumi.yaml").write_text(content + more)
        assert preview_report.main([f"--preview=dev={preview}"], keys.environ) == 0
        assert capsys.readouterr().out.startswith("Preview of dev: no changes")
