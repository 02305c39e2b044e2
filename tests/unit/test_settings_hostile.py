"""Settings that nobody writes: huge, deep, twice, of half characters. They are settings, or an error names each key."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import config_error
import settings
from config_error import ConfigError
from tests.unit.test_settings_property import TOP_LEVEL, check, parsed

pytestmark = pytest.mark.hostile

Values = Callable[[str], dict[str, Any]]
Told = Callable[..., ConfigError]


def texts(values: Values) -> dict[str, str]:
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in values("dev").items()}


@pytest.fixture
def told(values: Values) -> Told:
    """The error where a section of `dev` has this text, in the place of its own."""

    def refused(section: str, text: str) -> ConfigError:
        given_values = texts(values) | {section: text}
        with pytest.raises(ConfigError) as caught:
            settings.parse(given_values, "dev")
        check(caught.value, given_values)
        return caught.value

    return refused


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, inner in entries for place in places(inner, (*path, key)))]


def with_value(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    made = value.copy()
    made[path[0]] = with_value(value[path[0]], path[1:], new)
    return made


def nested(depth: int) -> Any:
    value: Any = "x"
    for n in range(depth):
        value = [value] if n % 2 else {"name": value}
    return value


WRONG = [
    *(None, True, -1, 0, 2**63, int("9" * 4_299), 1e308, float("nan"), float("inf"), float("-inf"), "", "9" * 5_000),
    *("\ud800", "\x00\x1b[31m\u202e", "a\nb", "x" * 9_000, [], {}, [[]], [None] * 300, {"": 1}, {"\ud800": 1}),
    *(nested(90), nested(300), nested(900), "BEGIN " * 9_000, "²", "1,1,1", "-----BEGIN PRIVATE KEY"),
]  # fmt: skip


@given(data=st.data(), wrong=st.sampled_from(WRONG))
def test_anything_in_any_place_of_the_real_settings(values: Values, data: Any, wrong: Any) -> None:
    stack = data.draw(st.sampled_from(["dev", "preprod", "prod"]))
    whole = values(stack)
    place = data.draw(st.sampled_from([place for place in places(whole) if place]))
    changed = with_value(whole, place, wrong)
    check(parsed(changed), changed)


@given(
    section=st.sampled_from(TOP_LEVEL), text=st.text(max_size=30) | st.text(alphabet='{}[],:"\\u0d8e1 ', max_size=30)
)
def test_any_text_for_a_section(values: Values, section: str, text: str) -> None:
    given_values = texts(values) | {section: text}
    check(parsed(given_values), given_values)


# --- characters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["\ud800", "a\udfffb"])
def test_a_key_of_half_a_character_is_no_setting(told: Told, key: str) -> None:
    (problem,) = told(key, "1").problems
    assert problem.key == json.dumps(key).join("[]")
    assert problem.text("f").startswith(f"  {problem.key} (f): is not a setting, or it would be silently ignored.")
    str(told(key, "1")).encode()


def test_what_could_move_the_cursor_is_escaped(told: Told) -> None:
    error = told("runnerPool", '{"name": "\\u001b[2J\\u202e", "\\u001b[2J": 1}')
    assert len(error.problems) == 2
    assert not [line for line in str(error).split("\n") if not line.isprintable()]


# --- keys that are named twice ----------------------------------------------------------------------------------------


def test_a_key_that_json_names_twice_is_told(told: Told) -> None:
    error = told("runnerPool", '{"name": "dev", "size": 200, "size": 1}')
    assert [problem.text("Pulumi.dev.yaml") for problem in error.problems] == [
        "  runnerPool (Pulumi.dev.yaml): must name size once in each object, or one of the two would be silently ignored.\n"
        "    Fix: pulumi config rm --path runnerPool   # and set its keys anew"
    ]


def test_each_such_key_is_told_with_all_that_is_wrong(told: Told) -> None:
    error = told("runners", '[{"name": "a", "name": "b"}, {"tag": "c", "tag": "d", "image": 5}]')
    assert [(problem.key, problem.rule) for problem in error.problems] == [
        ("runners", "must name name once in each object"),
        ("runners", "must name tag once in each object"),
        ("runners[1].image", "must be text (put numbers in quotes)"),
    ]


# --- sizes ------------------------------------------------------------------------------------------------------------


def test_settings_of_just_the_limit_and_one_character_more(values: Values) -> None:
    given_values = values("dev")
    given_values["gitlab"]["variables"] = {"LONG": ""}
    room = settings.MAX_CHARACTERS - sum(len(k) + len(v) for k, v in texts(lambda _: given_values).items())
    given_values["gitlab"]["variables"]["LONG"] = "x" * room
    assert isinstance(parsed(given_values), settings.Settings)
    given_values["gitlab"]["variables"]["LONG"] += "x"
    error = parsed(given_values)
    size = len(json.dumps(given_values["gitlab"])) + len("gitlab")
    assert isinstance(error, ConfigError)
    assert [problem.text("f") for problem in error.problems] == [
        f"  gitlab (f): must be shorter than its {size:,} characters: all settings together have 100,001, of at most "
        "100,000, or the engine cannot hand them to the program.\n    Fix: pulumi config rm --path gitlab"
    ]


def test_the_limit_is_below_what_the_engine_can_hand_over(values: Values) -> None:
    """As one environment variable of JSON in which each value is JSON: quotes become two characters each."""
    given_values = values("dev")
    given_values["gitlab"]["variables"] = {f"VARIABLE_{n}": "x" * 80 for n in range(950)}
    handed_over = {f"kapsule-devops:{key}": value for key, value in texts(lambda _: given_values).items()}
    assert 0.9 < sum(map(len, handed_over.values())) / settings.MAX_CHARACTERS < 1
    assert isinstance(parsed(given_values), settings.Settings)
    assert len("PULUMI_CONFIG=" + json.dumps(handed_over)) < 131_072


def test_more_problems_than_anybody_reads_are_counted(told: Told) -> None:
    error = told("kubernetes", json.dumps({"egressPorts": ["x"] * 5_000}))
    assert len(error.problems) == 5_000
    text = str(error)
    assert text.startswith("5000 settings are wrong; nothing was created or changed.\n")
    assert "kubernetes.egressPorts[199] = 'x'" in text
    assert "egressPorts[200]" not in text
    assert text.endswith("\n  … and 4,800 more. Fix: mend these, and run it again\n")
    assert config_error.MAX_TOLD == 200


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("runners", [{"nam": 1, "permissionSets": []}] * 190),
        ("runners", [{"name": "r", "tag": "x"}] * 190),
        ("cluster", {f"versio{n}": 0 for n in range(5_000)}),
        ("kubernetes", {"egressBlockedCidrs": ["x"] * 5_000}),
        ("gitlab", {"variables": {"A": "BEGIN " * 15_000}}),
    ],
)
def test_nothing_below_the_limit_takes_long(values: Values, section: str, value: Any) -> None:
    """A guard against a hang, with a hundred times the room that is needed."""
    given_values = values("dev") | {section: value}
    started = time.monotonic()
    check(parsed(given_values), given_values)
    assert time.monotonic() - started < 60
