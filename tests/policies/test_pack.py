"""The pack as a whole: the program keeps it, it knows nothing of the program, and it reads the engine's view."""

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi_policy import ResourceValidationArgs, ResourceValidationPolicy, StackValidationArgs, StackValidationPolicy
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policies.rules.base import UNKNOWN, Resource, ResourceRule, StackRule
from policies.rules.iam import POLICY
from policies.rules.outputs import STACK
from policies.rules.pack import RULES, plain, policies
from policies.rules.secret_values import API_KEY, CLUSTER
from tests.quick_yaml import quick_yaml

ROOT = Path(__file__).parents[2]
EXPECTED = sorted((ROOT / "tests" / "program" / "expected").glob("*.yaml"))
PACK = {policy.name: policy for policy in policies()}


def declared(file: Path) -> list[Resource]:
    """What the program declares; a secret is unknown, and every property depends on all that its resource waits for."""

    def shown(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shown(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [shown(inner) for inner in value]
        return UNKNOWN if value == "[secret]" else value

    document = quick_yaml(file.read_text())
    resources = [
        Resource(
            type=each["type"],
            name=name,
            urn=name,
            props=shown(each.get("inputs", {})),
            parent=each["parent"],
            dependencies=dict.fromkeys(each.get("inputs", {}), each.get("depends_on", ())),
            secret_outputs=each.get("secret_outputs", ()),
        )
        for name, each in document["resources"].items()
    ]
    return [*resources, Resource(type=STACK, name="stack", urn="stack", props=document["outputs"])]


@pytest.mark.parametrize("file", EXPECTED, ids=lambda file: file.stem)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_program_keeps_the_rule(rule: ResourceRule | StackRule, file: Path) -> None:
    resources = declared(file)
    if isinstance(rule, StackRule):
        assert list(rule.check(resources)) == []
        return
    checked = [r for r in resources if r.type in rule.types]
    assert checked, f"the program declares none of {rule.types}"
    assert [message for resource in checked for message in rule.check(resource.props)] == []


def test_the_stack_rules_meet_what_they_look_for() -> None:
    assert len(EXPECTED) == 3
    for file in EXPECTED:
        assert {API_KEY, CLUSTER, POLICY, STACK} <= {r.type for r in declared(file)}


def test_names_are_unique_and_every_rule_is_a_policy() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES) == len(PACK)


def test_policies_import_nothing_of_the_program() -> None:
    allowed = {"pulumi_policy", "yaml", "rules"}
    ours = {path.stem if path.suffix == ".py" else path.name for path in ROOT.iterdir()}
    assert {"settings", "components"} <= ours
    for file in sorted((ROOT / "policies").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            assert {name.partition(".")[0] for name in names} & ours <= allowed, file


def test_unknown_values_are_told_apart() -> None:
    given = {"a": UNKNOWN_STRING_VALUE, "b": ["x", UNKNOWN_STRING_VALUE], "c": {"d": 1.0, "e": None}}
    assert plain(unknown_checking_proxy(given)) == {"a": UNKNOWN, "b": ["x", UNKNOWN], "c": {"d": 1.0, "e": None}}


class Reports:
    """What a policy reports to the engine: message and URN."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str | None]] = []

    def report(self, message: str, urn: str | None = None) -> None:
        self.all.append((message, urn))


def reported(kind: str, props: dict[str, Any], policy: str, **config: Any) -> list[tuple[str, str | None]]:
    """What a resource policy reports, called as the engine does."""
    found = Reports()
    checked = PACK[policy]
    assert isinstance(checked, ResourceValidationPolicy)
    options: Any = SimpleNamespace()
    args = ResourceValidationArgs(kind, unknown_checking_proxy(props), "urn", "name", options, None, config)
    checked.validate(args, found.report)
    return found.all


def test_a_resource_policy_looks_at_its_types_only() -> None:
    assert len(reported(API_KEY, {}, "api-keys-expire")) == 1
    assert reported(CLUSTER, {}, "api-keys-expire") == []
    assert reported(API_KEY, {"expiresAt": UNKNOWN_STRING_VALUE}, "api-keys-expire") == []


def test_the_configuration_reaches_the_rule() -> None:
    props = {"expiresAt": "2999-01-01T00:00:00Z"}
    assert len(reported(API_KEY, props, "api-keys-expire")) == 1
    assert reported(API_KEY, props, "api-keys-expire", maxKeyDays=1_000_000.0) == []
    schema = PACK["api-keys-expire"].config_schema
    assert schema is not None
    assert schema.properties["maxKeyDays"]["default"] == 183


def test_a_stack_policy_names_the_resource() -> None:
    def given(kind: str, urn: str, props: dict[str, Any], *secrets: str, **dependencies: Any) -> Any:
        return SimpleNamespace(
            resource_type=kind,
            name=urn,
            urn=urn,
            props=unknown_checking_proxy(props),
            parent=SimpleNamespace(urn="parent"),
            property_dependencies=dependencies,
            opts=SimpleNamespace(additional_secret_outputs=list(secrets)),
        )

    key = given(API_KEY, "key", {"secretKey": UNKNOWN_STRING_VALUE}, "secretKey")
    variable = given(
        "gitlab:index/projectVariable:ProjectVariable", "variable", {"value": UNKNOWN_STRING_VALUE}, value=[key]
    )
    found = Reports()
    policy = PACK["ci-variables-come-from-no-credential"]
    assert isinstance(policy, StackValidationPolicy)
    policy.validate(StackValidationArgs([key, variable]), found.report)
    ((message, urn),) = found.all
    assert message.startswith("CI variable is made from key: ")
    assert urn == "variable"
