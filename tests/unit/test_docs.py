"""The generated documentation: whole, not stale, and a schema that takes the real stack files and refuses wrong ones."""

import copy
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

import cluster_rules
import outputs
import setting_rules
import settings
from docs import generate
from sections.base import Section
from sections.jobs import RunnerSettings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.mark.parametrize("name", generate.FILES)
def test_a_generated_file_says_what_the_code_says(name: str) -> None:
    written = (ROOT / name).read_text() if (ROOT / name).exists() else ""
    assert written == generate.FILES[name](), f"{name} is stale. Fix: make docs"


def test_the_command_finds_the_code_from_anywhere(tmp_path: Path) -> None:
    command = [sys.executable, str(DOCS / "generate.py"), "--check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_writes_nothing_and_names_what_mends_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check"])
    assert generate.main() == 1
    assert capsys.readouterr().err.splitlines() == [
        f"error: {name} is stale. Fix: make docs" for name in generate.FILES
    ]
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(sys, "argv", ["generate.py"])
    assert generate.main() == 0
    (tmp_path / "docs" / "outputs.md").write_text("changed by hand")
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check"])
    capsys.readouterr()
    assert generate.main() == 1
    assert capsys.readouterr().err == "error: docs/outputs.md is stale. Fix: make docs\n"


def test_make_docs_runs_although_there_is_a_folder_docs() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^\.PHONY:.* docs\b", makefile, re.M)
    assert re.search(r"^docs: .*\n\t.*docs/generate\.py$", makefile, re.M)


def every_key(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str, str]]:
    """Name, meaning and consequence of each key, from the models."""
    for field in model.model_fields.values():
        key = f"{path}{field.alias}"
        assert isinstance(field.json_schema_extra, dict)
        yield key, str(field.description), str(field.json_schema_extra["consequence"])
        for each in (field.annotation, *get_args(field.annotation)):
            if isinstance(each, type) and issubclass(each, Section):
                yield from every_key(each, key + ("[n]." if "tuple" in str(field.annotation) else "."))


def table(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [re.split(r"(?<!\\) \| ", line.removeprefix("| ").removesuffix(" |")) for line in lines]


ROWS = {row[0].strip("`"): row[1:] for row in table(generate.configuration())}


def test_every_key_has_a_row_with_all_cells() -> None:
    told = {key: (cells[3], cells[4].removesuffix(".")) for key, cells in ROWS.items()}
    assert told == {key: (meaning, consequence) for key, meaning, consequence in every_key(settings.Settings)}
    assert all(cells[0] and cells[2] for cells in ROWS.values())


@pytest.mark.parametrize(
    ("key", "kind", "allowed", "default"),
    [
        ("environment", "text", "at most 20 characters; matches `^[a-z]([a-z0-9-]*[a-z0-9])?$`", "the stack's name"),
        ("scaleway.region", "text", "`fr-par`, `nl-ams`, `pl-waw`", '`"fr-par"`'),
        ("projects", "object", "", "required"),
        ("cluster.autoUpgrade.startHour", "whole number", "0 – 23 (hour, UTC)", "`3`"),
        ("cluster.type", "text", r"matches `^kapsule(-dedicated-(4\|8\|16))?$`", '`"kapsule"`'),
        ("cluster.autoscaler.scaleDownUtilizationThreshold", "number", "0 – 1 (share)", "`0.5`"),
        ("runnerPool.size", "whole number", "0 – 100 (nodes)", "`2`"),
        ("runnerPool.rootVolumeSizeGb", "whole number", "20 – 1000 (GB)", "not set"),
        (
            "kubernetes.egressPorts",
            "list of whole number",
            "at least 1 item; 1 – 65535 (TCP port)",
            "`[22, 80, 443, 6443]`",
        ),
        ("kubernetes.deployerRules", "list of object", "at most 50 items", "`[]`"),
        ("runners[n].condition", "text", "1 – 2000 characters", "not set"),
        ("stateBackend", "object", "", "not set"),
        ("gitlab.premium", "true or false", "", "`false`"),
        ("gitlab.mailingListUserId", "whole number", "at least 1 (GitLab user id)", "required"),
        ("gitlab.promotionToken", "object", "", "of its keys"),
        (
            "gitlab.furtherProjects",
            "list of text",
            "at most 50 items; matches `^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$`",
            "`[]`",
        ),
        ("gitlab.operationsProject", "text", "matches `^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$`", "not set"),
        ("gitlab.schedules.drift.cron", "text", "minute, hour, day of the month, month and weekday", '`"23 4 * * *"`'),
        ("gitlab.variables", "object of text", "names match `^[A-Za-z_][A-Za-z0-9_]*$`", "`{}`"),
    ],
)
def test_a_row_tells_type_range_and_default(key: str, kind: str, allowed: str, default: str) -> None:
    assert ROWS[key][:3] == [kind, allowed, default]


def test_the_default_of_runners_says_what_differs_from_a_runners_own() -> None:
    default = yaml.safe_load(ROWS["runners"][2].strip("`"))
    assert tuple(RunnerSettings.model_validate(each) for each in default) == settings.DEFAULT_RUNNERS
    assert default[0] == {}


def test_a_number_without_a_unit_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"a\.newThing is a number without a unit"):
        generate.allowed("a.newThing", {"type": "integer"})


def test_the_rules_between_keys_are_those_of_the_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = [name for name in vars(setting_rules) if name.endswith("_checks") and name != "cross_checks"]
    found = list(generate.rules())
    assert len(found) == len(checks) == 12
    assert all(rule.endswith(".") and "\n" not in rule for rule in found)
    known = {key.rpartition(".")[2] for key in ROWS}
    for word in re.findall(r"`([a-z]\w*(?:\.\w+)*)`", " ".join(found)):
        assert word in ROWS or word in known or word in ("default", "kube"), word
    monkeypatch.setattr(cluster_rules.pool_checks, "__doc__", None)
    with pytest.raises(ValueError, match=r"setting_rules\.pool_checks has no docstring"):
        list(generate.rules())


def test_every_output_has_a_row_and_the_version_its_promise() -> None:
    text = generate.contract()
    rows = {row[0].strip("`"): row[1:] for row in table(text)}
    assert list(rows) == ["contractVersion", *(to_camel(each.name) for each in fields(outputs.EnvironmentOutputs))]
    assert [rows[name] for name in ("region", "gitlabProjectId", "runnerPoolSelector")] == [
        ["text", "Scaleway region of everything regional.", outputs.SETTING],
        ["whole number", "Id of the main GitLab project.", outputs.SETTING],
        ["object of text", "Node labels that job pods select.", outputs.FIXED],
    ]
    assert rows["runners"][0] == "list of objects"
    assert f"now {outputs.CONTRACT_VERSION}. An output is added freely; one that is renamed, removed" in text


# --- the schema for editors, by a validator for the keywords that it uses

SCHEMA = yaml.safe_load(generate.stack_file_schema())
ANNOTATIONS = {"$schema", "$comment", "$defs", "title", "description", "default", "examples"}
OF_MEMBERS = {"properties", "patternProperties", "additionalProperties"}
IS: dict[str, Callable[[Any], bool]] = {
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
    "null": lambda v: v is None,
}


def wrong(schema: Mapping[str, Any], value: Any, path: str = "") -> Iterator[str]:
    """The places of `value` that JSON Schema refuses."""
    kinds = schema.get("type", [])
    if kinds and not any(IS[kind](value) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        yield path
        return
    for keyword in schema.keys() - ANNOTATIONS - OF_MEMBERS - {"type"}:
        yield from KEYWORDS[keyword](schema[keyword], value, path)
    for name, each in value.items() if isinstance(value, dict) else ():
        rules = [rule for pattern, rule in schema.get("patternProperties", {}).items() if re.search(pattern, name)]
        rules += [schema["properties"][name]] if name in schema.get("properties", {}) else []
        for rule in rules:
            yield from wrong(rule, each, f"{path}/{name}")
        if not rules and schema.get("additionalProperties") is False:
            yield f"{path}/{name}"


def unless(right: Callable[[Any, Any], bool], kind: str) -> Callable[..., Iterator[str]]:
    return lambda rule, value, path: iter([path] if IS[kind](value) and not right(rule, value) else [])


KEYWORDS: dict[str, Callable[..., Iterator[str]]] = {
    "$ref": lambda rule, value, path: wrong(SCHEMA["$defs"][rule.removeprefix("#/$defs/")], value, path),
    "anyOf": lambda rule, value, path: iter([] if any(not list(wrong(each, value)) for each in rule) else [path]),
    "items": lambda rule, value, path: (
        place for index, each in enumerate(value) for place in wrong(rule, each, f"{path}/{index}")
    ),
    "required": lambda rule, value, path: (f"{path}/{name}" for name in rule if name not in value),
    "enum": lambda rule, value, path: iter([] if value in rule else [path]),
    "pattern": unless(lambda rule, value: re.search(rule, value) is not None, "string"),
    "minLength": unless(lambda rule, value: len(value) >= rule, "string"),
    "maxLength": unless(lambda rule, value: len(value) <= rule, "string"),
    "minimum": unless(lambda rule, value: value >= rule, "number"),
    "maximum": unless(lambda rule, value: value <= rule, "number"),
    "minItems": unless(lambda rule, value: len(value) >= rule, "array"),
    "maxItems": unless(lambda rule, value: len(value) <= rule, "array"),
}


@pytest.mark.parametrize("stack", ["dev", "preprod", "prod"])
def test_the_schema_takes_the_real_stack_files(stack: str) -> None:
    assert list(wrong(SCHEMA, yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text()))) == []


DEV = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
P = generate.PROJECT


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("runnerPool", {"name": "dev", "size": 101}, "/size"),
        ("runnerPool", {"name": "dev", "size": True}, "/size"),
        ("runnerPool", {"size": 2}, "/name"),
        ("cluster", {"nmae": "x"}, "/nmae"),
        ("cluster", {"autoUpgrade": {"startHour": 24}}, "/autoUpgrade/startHour"),
        ("cluster", {"version": 1.35}, "/version"),
        ("cluster", {"autoscaler": {"scaleDownUtilizationThreshold": 2}}, "/autoscaler/scaleDownUtilizationThreshold"),
        ("runners", [{"name": "Deploy"}], "/0/name"),
        ("runners", [{"permissionSets": []}], "/0/permissionSets"),
        ("kubernetes", {"egressPorts": [443, 0]}, "/egressPorts/1"),
        ("appCluster", {"namespace": 5}, ""),
        ("stateBackend", {"bucket": "acme"}, ""),
        ("environment", "a" * 21, ""),
        ("netwrok", {}, ""),
    ],
)
def test_the_schema_refuses_what_the_settings_refuse(key: str, value: Any, place: str) -> None:
    given = copy.deepcopy(DEV)
    given["config"][f"{P}:{key}"] = value
    assert list(wrong(SCHEMA, given)) == [f"/config/{P}:{key}{place}"]


def test_the_schema_lets_be_what_is_not_this_projects() -> None:
    given = copy.deepcopy(DEV)
    given |= {"secretsprovider": "passphrase", "encryptionsalt": "v1:x"}
    given["config"] |= {"scaleway:region": "nl-ams", f"{P}-other:cluster": 5}
    given["config"][f"{P}:cluster"] = {"autoscaler": {"scaleDownUtilizationThreshold": "0.25"}}
    given["config"][f"{P}:stateBackend"] = None
    assert list(wrong(SCHEMA, given)) == []


def test_the_schema_says_what_goes_wrong() -> None:
    described = SCHEMA["$defs"]["RunnerPoolSettings"]["properties"]["size"]["description"]
    assert described == "Number of nodes at first. Or else: no job can run."


@pytest.mark.parametrize(("name", "value", "places"), [("a-b", "x", 1), ("APP", 5, 1), ("APP", "x", 0)])
def test_a_variable_has_a_name_for_gitlab_and_is_text(name: str, value: Any, places: int) -> None:
    given = copy.deepcopy(DEV)
    given["config"][f"{P}:gitlab"]["variables"] = {name: value}
    assert list(wrong(SCHEMA, given)) == [f"/config/{P}:gitlab/variables/{name}"] * places
