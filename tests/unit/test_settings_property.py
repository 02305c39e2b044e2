"""Whatever JSON is in a stack file: the settings, or an error that names keys and can be acted on."""

import json
import re
import shlex
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import settings
from config_error import ConfigError, commands_of, key_of
from sections.base import Section

Values = Callable[[str], dict[str, Any]]

TOP_LEVEL = [str(field.alias) for field in settings.Settings.model_fields.values()]
REQUIRED = ("projects", "runnerPool", "gitlab")
KEYS = sorted(
    {
        str(field.alias)
        for model in (settings.Settings, *cast(Any, Section.__subclasses__()))
        for field in model.model_fields.values()
    }
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**30, max_value=10**300),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["dev", "fr-par", "1.35", "true", "2", "{}", "[]", "x\ny", "'", '"', "$(id)"]),
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=8)), inner, max_size=4),
    ),
    max_leaves=12,
)


def parsed(given_values: dict[str, Any]) -> settings.Settings | ConfigError:
    text = {k: v if isinstance(v, str) else json.dumps(v) for k, v in given_values.items()}
    try:
        return settings.parse(text, "dev")
    except ConfigError as error:
        return error


def check(found: settings.Settings | ConfigError, given_values: dict[str, Any]) -> None:
    if isinstance(found, settings.Settings):
        return
    text = str(found)
    assert not re.search(r"pydantic|Traceback|errors\.|validation error|Settings\(|<class", text)
    assert found.problems
    starts = tuple(key_of([key]) for key in {*given_values, *REQUIRED, "environment"})
    for problem in found.problems:
        assert problem.key.startswith(starts)
        assert problem.rule.startswith(("must ", "is ", "its name "))
        for command in commands_of(problem.fix)[0]:
            words = shlex.split(command)
            assert words[:2] == ["pulumi", "config"]
            assert words[2:4] in (["set", "--path"], ["set-all", "--path"], ["rm", "--path"])
            assert words[4] in (problem.key, "--plaintext") or words[4].startswith(problem.key)


@given(section=st.sampled_from(TOP_LEVEL), value=anything)
@example(section="scaleway", value=float("nan"))
@example(section="runners", value=[[]])
@example(section="runners", value={"0": 1})
@example(section="runnerPool", value={"name": "dev", "size": 10**300})
@example(section="gitlab", value={"variables": {"[key]": None}})
@example(section="projects", value={"devops": {"": 0}})
@example(section="cluster", value={"apiAllowedCidrs": ["x"]})
@example(section="kubernetes", value={"deployerRules": [5]})
@example(section="kubernetes", value={"deployerRules": [{"resources": [5], "verbs": []}]})
@example(section="runners", value=[{"condition": ""}])
@example(section="rotation", value={"days": 2, "overlapDays": 30})
@example(section="stateBackend", value={"bucket": None})
def test_any_section_gives_settings_or_an_error_that_names_keys(values: Values, section: str, value: Any) -> None:
    given_values = values("dev") | {section: value}
    check(parsed(given_values), given_values)


@given(keys=st.dictionaries(st.text(max_size=10), anything, max_size=3))
@example(keys={"": 1})
@example(keys={"a.b[0]": 1})
@example(keys={"[key]": 1})
@example(keys={"it's && ": None, "   # ": None})
def test_any_top_level_key_gives_settings_or_an_error_that_names_keys(values: Values, keys: dict[str, Any]) -> None:
    given_values = values("dev") | keys
    found = parsed(given_values)
    check(found, given_values)
    unknown = {key_of([key]) for key, value in keys.items() if key not in TOP_LEVEL and not is_unset(value)}
    assert unknown <= ({problem.key for problem in found.problems} if isinstance(found, ConfigError) else set())


def is_unset(value: Any) -> bool:
    """Pulumi.yaml's defaults, and text that is JSON for one."""
    return value in ("", {}, []) or (isinstance(value, str) and value.strip() in ('""', "{}", "[]"))


@given(whole=st.dictionaries(st.sampled_from(TOP_LEVEL), anything))
def test_any_settings_give_settings_or_an_error_that_names_keys(whole: dict[str, Any]) -> None:
    check(parsed(whole), whole)


@given(
    path=st.lists(st.one_of(st.integers(0, 9), st.text(min_size=1, max_size=6)), min_size=1, max_size=4).filter(
        lambda path: isinstance(path[0], str)
    )
)
def test_a_key_can_be_taken_apart_again(path: list[int | str]) -> None:
    """As Pulumi does: `.name`, `[0]`, `["any text"]`."""
    text = key_of(path)
    assert "\n" not in text
    found: list[int | str] = []
    for quoted, index, plain in re.findall(r'\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]|\.?([A-Za-z_][\w-]*)', text):
        found.append(json.loads(quoted) if quoted else int(index) if index else plain)
    assert found == path


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_properties_are_not_empty(values: Values, stack: str) -> None:
    assert isinstance(parsed(values(stack)), settings.Settings)
