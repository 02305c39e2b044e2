"""What a user reads when the shape of the settings is wrong: every problem, its place, and a command that mends it."""

import json
import re
import shlex
from collections.abc import Callable
from typing import Any, get_args

import pulumi
import pytest
from pydantic import ValidationError

import settings
from config_error import ConfigError, Problem, key_of, remove_command, set_command
from sections.base import Section

Problems = Callable[..., list[str]]
Values = Callable[[str], dict[str, Any]]


def rules(texts: list[str]) -> list[str]:
    return [text.replace(" (Pulumi.dev.yaml)", "") for text in texts]


IGNORED = "or it would be silently ignored"


@pytest.mark.parametrize(
    ("wrong", "key", "right"),
    [
        ("netwrok", "netwrok", "network"),
        ("runner_pool", "runner_pool", "runnerPool"),
        ("cluster.nmae", "cluster.nmae", "name"),
        ("runnerPool.node_type", "runnerPool.node_type", "nodeType"),
        ("cluster.autoUpgrade.starthour", "cluster.autoUpgrade.starthour", "startHour"),
        ("gitlab.branch.mergeLevel", "gitlab.branch.mergeLevel", "mergeAccessLevel"),
    ],
)
def test_a_misspelt_key_is_told_with_the_key_that_was_meant(
    problems: Problems, wrong: str, key: str, right: str
) -> None:
    assert rules(problems({wrong: 5})) == [
        f"{key}: is not a setting; did you mean {right}?, {IGNORED}. Fix: pulumi config rm --path {key}"
    ]


def test_an_unknown_key_of_a_runner_names_the_runner(problems: Problems) -> None:
    assert rules(problems({"runners": [{}, {"name": "preview", "protcted": False}]})) == [
        f"runners[1].protcted: is not a setting; did you mean protected?, {IGNORED}. "
        "Fix: pulumi config rm --path 'runners[1].protcted'"
    ]


def test_a_key_that_is_like_no_other_gets_no_guess(problems: Problems) -> None:
    assert rules(problems({"zzz": 1})) == [f"zzz: is not a setting, {IGNORED}. Fix: pulumi config rm --path zzz"]


def test_the_value_of_an_unknown_key_is_not_shown(problems: Problems) -> None:
    """Nobody knows what it is: it may be a key for the cloud."""
    (text,) = problems({"scaleway": {"secretKey": "11111111-2222-3333-4444-555555555555"}})
    assert "11111111" not in text


def test_keys_are_quoted_for_the_shell_and_for_pulumi(values: Values) -> None:
    given = {k: v if isinstance(v, str) else json.dumps(v) for k, v in values("dev").items()}
    given["it's a key"] = "1"
    given["cluster"] = json.dumps({'a.b"c': 1})
    with pytest.raises(ConfigError) as caught:
        settings.parse(given, "dev")
    fixes = [shlex.split(problem.fix) for problem in caught.value.problems]
    assert fixes == [
        ["pulumi", "config", "rm", "--path", r'cluster["a.b\"c"]'],
        ["pulumi", "config", "rm", "--path", '["it\'s a key"]'],
    ]


WRITE = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]}
JOINED = {"mode": "shared", "ownerStack": "dev"}


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"cluster": {**JOINED, "nam": "x"}, "projects.devops": ...}, "cluster.nam"),
        ({"cluter": JOINED, "cluster": ..., "projects.devops": ...}, "cluter"),
        ({"cluster": {**JOINED, "nam": "x"}, "projects.devops": ..., "runnerPool.name": "system"}, "cluster.nam"),
        ({"appCluster": {"stak": "x"}, "runners.0.appClusterRules": [WRITE]}, "appCluster.stak"),
        ({"appClutser": {"stack": "x"}, "runners.0.appClusterRules": [WRITE]}, "appClutser"),
        ({"appCluster": {"stack": "x"}, "runners": [{"appClusterRules": [WRITE], "nam": "x"}]}, "runners[0].nam"),
        ({"systemPool": {"sizee": 2}, "runnerPool.name": "system"}, "systemPool.sizee"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_that_would_follow_from_its_default(
    problems: Problems, given: dict[str, Any], wrong: str
) -> None:
    (text,) = rules(problems(given, stack="preprod"))
    assert text.startswith(f"{wrong} (Pulumi.preprod.yaml): is not a setting")


def test_what_does_not_need_the_wrong_section_is_told_too(problems: Problems) -> None:
    everything = {"resources": ["*"], "verbs": ["*"]}
    told = problems({"appCluster": {"stak": "x"}, "runners.0.appClusterRules": [everything]})
    assert [text.partition(" ")[0] for text in told] == ["appCluster.stak", "runners[0].appClusterRules[0]"]
    told = problems({"appCluster": {"namespace": "web"}, "runners.0.nam": "x"})
    assert [text.partition(" ")[0] for text in told] == ["runners[0].nam", "appCluster"]
    told = problems({"cluster.nam": "x", "projects.target.id": "11111111-2222-3333-4444-555555555555"})
    assert [text.partition(" ")[0] for text in told] == ["cluster.nam", "projects.target"]


GITLAB = (
    "pulumi config set-all --path --plaintext gitlab.project=acme/app --plaintext gitlab.branch.name=main "
    "--plaintext gitlab.mailingListUserId=2"
)
PROJECTS = (
    "pulumi config set-all --path --plaintext projects.devops.name=devops-dev --plaintext projects.target.name=app-dev "
    "--plaintext projects.credentials.name=credentials-dev"
)
REQUIRED = {
    "projects": ("nothing can be made", PROJECTS),
    "projects.target": ("the key has no scope", "pulumi config set --path projects.target.name app-dev"),
    "runnerPool": ("no job runs", "pulumi config set --path runnerPool.name dev"),
    "runnerPool.name": ("Scaleway refuses it", "pulumi config set --path runnerPool.name dev"),
    "gitlab": ("no pipeline runs", GITLAB),
    "gitlab.branch": ("nothing is protected", "pulumi config set --path gitlab.branch.name main"),
    "gitlab.mailingListUserId": ("nobody hears of them", "pulumi config set --path gitlab.mailingListUserId 2"),
}


@pytest.mark.parametrize("key", REQUIRED)
def test_what_is_required_is_told_with_an_example(problems: Problems, key: str) -> None:
    consequence, fix = REQUIRED[key]
    assert rules(problems({key: ...})) == [f"{key}: is required, or {consequence}. Fix: {fix}"]


@pytest.mark.parametrize("key", ["projects", "runnerPool", "gitlab"])
def test_an_empty_section_is_a_missing_one(problems: Problems, key: str) -> None:
    assert problems({key: {}}) == problems({key: ...})


@pytest.mark.parametrize("key", ["projects", "projects.target", "gitlab", "gitlab.branch", "runnerPool"])
@pytest.mark.parametrize("wrong", [5, "text", ["x"], None, True])
def test_something_else_than_a_required_section_is_replaced(problems: Problems, key: str, wrong: Any) -> None:
    consequence, fix = REQUIRED[key]
    assert rules(problems({key: wrong})) == [
        f"{key}: must be an object, or {consequence}. Fix: pulumi config rm --path {key} && {fix}"
    ]


SECTIONS = {
    "scaleway": "nothing can be made",
    "network": "nothing can be made",
    "cluster": "nothing can be made",
    "cluster.autoUpgrade": "known holes stay open",
    "cluster.autoscaler": "pools do not shrink",
    "systemPool": "nothing runs",
    "kubernetes": "no job runs",
    "rotation": "keys never expire",
    "runnerChart": "no runner starts",
    "gitlab.deployment": "deployments are not recorded",
    "gitlab.promotionToken": "no promotion opens",
    "gitlab.variables": "GitLab refuses them",
}


@pytest.mark.parametrize("key", SECTIONS)
@pytest.mark.parametrize("wrong", [5, "text", ["x"], None, True])
def test_something_else_than_an_optional_section_is_removed(problems: Problems, key: str, wrong: Any) -> None:
    assert rules(problems({key: wrong})) == [
        f"{key}: must be an object, or {SECTIONS[key]}. Fix: pulumi config rm --path {key}"
    ]


@pytest.mark.parametrize("wrong", [5, "text", ["x"], True])
def test_something_else_than_a_state_backend_is_removed(problems: Problems, wrong: Any) -> None:
    assert rules(problems({"stateBackend": wrong})) == [
        "stateBackend: must be an object, or pipelines have no state. Fix: pulumi config rm --path stateBackend"
    ]


def test_a_state_backend_may_be_none(parse: Any) -> None:
    assert parse({"stateBackend": None}).state_backend is None
    assert parse({"stateBackend": {}}).state_backend is None


def test_half_a_state_backend_is_told_what_it_lacks(problems: Problems) -> None:
    assert rules(problems({"stateBackend": {"region": "fr-par"}})) == [
        "stateBackend.bucket: is required, or pipelines find no state. "
        "Fix: pulumi config set --path stateBackend.bucket acme-pulumi-state",
        "stateBackend.projectId: is required, or the key may not read the state. "
        "Fix: pulumi config set --path stateBackend.projectId 11111111-2222-3333-4444-555555555555",
    ]


@pytest.mark.parametrize("wrong", [5, "text", ["x"], None, True])
def test_a_wrong_rule_of_the_deployer_is_told_once(problems: Problems, wrong: Any) -> None:
    assert rules(problems({"kubernetes.deployerRules": [wrong]})) == [
        "kubernetes.deployerRules[0]: must be an object, or Kubernetes refuses the role. "
        "Fix: pulumi config rm --path 'kubernetes.deployerRules[0]'"
    ]


def test_an_empty_rule_of_the_deployer_is_told_what_it_lacks(problems: Problems) -> None:
    key = "kubernetes.deployerRules[0]"
    assert rules(problems({"kubernetes.deployerRules": [{}]})) == [
        f"{key}.resources: is required, or it allows nothing. "
        f"Fix: pulumi config set --path '{key}.resources[0]' deployments",
        f"{key}.verbs: is required, or it allows nothing. Fix: pulumi config set --path '{key}.verbs[0]' get",
    ]


@pytest.mark.parametrize("wrong", [5, "text", {"a": 1}, None])
@pytest.mark.parametrize(
    ("key", "consequence"),
    [
        ("cluster.apiAllowedCidrs", "nobody reaches the cluster"),
        ("kubernetes.deployerRules", "Kubernetes refuses the role"),
        ("kubernetes.egressPorts", "jobs reach nothing"),
        ("kubernetes.egressBlockedCidrs", "a job reads its node's credentials"),
    ],
)
def test_something_else_than_a_list_is_removed(problems: Problems, key: str, consequence: str, wrong: Any) -> None:
    # What is to be an object, or to hold them, is not shown.
    shown = f" = {wrong!r}" if isinstance(wrong, int | str) and key != "kubernetes.deployerRules" else ""
    assert rules(problems({key: wrong})) == [
        f"{key}{shown}: must be a list, or {consequence}. Fix: pulumi config rm --path {key}"
    ]


@pytest.mark.parametrize("wrong", [5, "text", {"name": "deploy"}, None])
def test_something_else_than_the_list_of_runners_is_removed(problems: Problems, wrong: Any) -> None:
    assert rules(problems({"runners": wrong})) == [
        "runners: must be a list, or no job runs. Fix: pulumi config rm --path runners"
    ]


def test_a_wrong_runner_is_told_once(problems: Problems) -> None:
    """Pydantic adds that the list is too short, because it does not count what is wrong."""
    assert rules(problems({"runners": [5]})) == [
        "runners[0]: must be an object, or no job runs. Fix: pulumi config rm --path 'runners[0]'"
    ]
    assert rules(problems({"runners": [{"permissionSets": "all"}]})) == [
        "runners[0].permissionSets = 'all': must be a list, or every job is refused by Scaleway. "
        "Fix: pulumi config rm --path 'runners[0].permissionSets'"
    ]


def test_problems_of_all_sections_are_told_at_once(problems: Problems) -> None:
    texts = problems(
        {
            "runnerPool.size": 101,
            "runnerPool.sise": 1,
            "cluster.cni": "flannel",
            "runners": [{"concurrent": 0}, {"name": "X"}],
            "gitlab.branch": ...,
            "netwrok": {},
            "zone": "fr-par-1",
        }
    )
    assert {re.split(r" = |:? \(", text)[0] for text in texts} == {
        "runnerPool.size",
        "runnerPool.sise",
        "cluster.cni",
        "runners[0].concurrent",
        "runners[1].name",
        "gitlab.branch",
        "zone",
    }


@pytest.mark.parametrize("value", [5, True, None, ["SECRET"], {"a": "SECRET"}])
def test_a_variable_is_text_and_its_value_is_not_shown(problems: Problems, value: Any) -> None:
    assert rules(problems({"gitlab.variables": {"APP": value}})) == [
        "gitlab.variables.APP: must be text (put numbers in quotes), or GitLab refuses them. "
        "Fix: pulumi config set --path gitlab.variables.APP VALUE"
    ]


@pytest.mark.parametrize("name", ["1A", "a-b", "a b", "it's", "ü", ""])
def test_a_variables_name_is_one_for_gitlab(problems: Problems, name: str) -> None:
    (problem,) = problems({"gitlab.variables": {name: "SECRET"}})
    key = key_of(["gitlab", "variables", name])
    assert rules([problem]) == [
        f"{key}: its name must match ^[A-Za-z_][A-Za-z0-9_]*$, or GitLab refuses them. Fix: {remove_command(key)}"
    ]


NUMBERS = [
    (section, str(field.alias))
    for section in Section.__subclasses__()
    for field in section.model_fields.values()
    if {int, float} & {field.annotation, *get_args(field.annotation)}
]


@pytest.mark.parametrize(("section", "key"), NUMBERS, ids=lambda each: each if isinstance(each, str) else each.__name__)
def test_true_is_no_number(section: type[Section], key: str) -> None:
    """Pydantic takes it for 1."""
    with pytest.raises(ValidationError) as caught:
        section.model_validate({key: True})
    assert {e["type"] for e in caught.value.errors() if e["loc"] == (key,)} <= {"int_type", "float_type"}
    assert (key,) in [e["loc"] for e in caught.value.errors()]


def test_there_are_numbers_in_every_part() -> None:
    assert len(NUMBERS) >= 15


def test_the_engine_shows_the_message_and_no_traceback(parse: Any) -> None:
    """It prints a RunError as it is; what pydantic says is not behind it."""
    with pytest.raises(pulumi.RunError) as caught:
        parse({"runnerPool.size": 101})
    assert caught.value.__cause__ is None
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize("text", ["[" * 50_000, "1" * 5000, '{"name": "\\ud800"}', "{", "'", "\x00", "fr-par"])
def test_text_that_is_no_usable_json_is_not_an_object(values: Values, text: str) -> None:
    given = {k: v if isinstance(v, str) else json.dumps(v) for k, v in values("dev").items()}
    with pytest.raises(ConfigError) as caught:
        settings.parse(given | {"cluster": text}, "dev")
    assert [(p.key, p.rule, p.value) for p in caught.value.problems] == [("cluster", "must be an object", None)]


@pytest.mark.parametrize(
    ("value", "command"),
    [
        ("dev", "pulumi config set --path a.b dev"),
        ("two words", "pulumi config set --path a.b 'two words'"),
        ("it's", "pulumi config set --path a.b 'it'\"'\"'s'"),
        ("$HOME;rm", "pulumi config set --path a.b '$HOME;rm'"),
        ("", "pulumi config set --path a.b ''"),
        (True, "pulumi config set --path a.b true"),
        (5, "pulumi config set --path a.b 5"),
        ({"c": {"d": 1}}, "pulumi config set --path a.b.c.d 1"),
        (("x", "y z"), "pulumi config set-all --path --plaintext 'a.b[0]=x' --plaintext 'a.b[1]=y z'"),
    ],
)
def test_a_fix_is_a_command_that_a_shell_takes(value: object, command: str) -> None:
    assert set_command("a.b", value) == command
    assert shlex.split(command)[:4] in (
        ["pulumi", "config", "set", "--path"],
        ["pulumi", "config", "set-all", "--path"],
    )


def test_a_long_value_is_cut() -> None:
    problem = Problem(key="k", rule="r", consequence="c", fix="f", value="x" * 100)
    assert problem.text("F") == f"  k = '{'x' * 58}… (F): r, or c.\n    Fix: f"
    assert len(problem.text("F").partition(" = ")[2].partition(" (F)")[0]) == 60
