"""What of a state is shown: every resource once, in the frame of its component, and which frame needs which."""

from collections import Counter

import pytest

from graph.model import OUTSIDE, graph_of, service, short_type
from repair.resources import of_export
from tests.graph.states import component, declared, resource, rows, state, urn


@pytest.mark.parametrize("stack", ["dev", "preprod", "prod"])
def test_every_resource_of_an_environment_shows_once(stack: str) -> None:
    whole = declared(stack)
    graph = graph_of(whole)
    custom = [each for each in whole.resources if each.custom]
    assert graph.resources == len(custom) > 50
    assert Counter(row.type for row in rows(graph)) == Counter(short_type(each.type) for each in custom)
    assert {frame.name for frame in graph.frames} >= {"projects", "cluster", "gitlab", "runner-deploy", "runner-pool"}


def test_what_is_in_a_component_of_a_component_is_a_section_of_its_frame() -> None:
    runner = next(frame for frame in graph_of(declared("dev")).frames if frame.name == "runner-deploy")
    assert runner.type == "Runner"
    sections = {section.title: [(row.name, row.type) for row in section.rows] for section in runner.sections}
    assert ("key-b", "ApiKey") in sections["credentials"]
    assert ("release", "Release") in sections["gitlab@acme-platform"]
    assert sections[""] == []


def test_arrows_follow_dependencies_and_providers_between_frames() -> None:
    arrows = graph_of(declared("dev")).arrows
    assert ("projects", "cluster") in arrows  # its project's id
    assert ("cluster", "managers") in arrows  # its provider
    assert ("gitlab", "cluster") not in arrows
    assert not [name for name, other in arrows if name == other]


def test_a_protected_resource_says_so() -> None:
    assert [row.protected for row in rows(graph_of(state(resource("a", protect=True), resource("b"))))] == [True, False]
    assert any(row.protected for row in rows(graph_of(declared("prod"))))


def test_what_is_in_no_component_has_a_frame_of_its_own() -> None:
    (frame,) = graph_of(state(resource("owner", "pulumi:pulumi:StackReference"))).frames
    assert frame.name == OUTSIDE


def test_the_engines_own_providers_are_left_out_and_declared_ones_are_not() -> None:
    own = resource("default_1_56_1", "pulumi:providers:scaleway")
    declared_one = resource("cluster-provider", "pulumi:providers:kubernetes")
    key = resource("key", provider=f"{own.urn}::id")
    assert [(row.name, row.type, row.service) for row in rows(graph_of(state(own, declared_one, key)))] == [
        ("cluster-provider", "Provider", "kubernetes"),
        ("key", "ApiKey", "scaleway"),
    ]


def test_a_resource_that_is_to_be_deleted_still_shows_once() -> None:
    assert len(rows(graph_of(state(resource("key"), resource("key", id="2"))))) == 1


def test_a_need_that_the_state_does_not_hold_is_no_arrow() -> None:
    box = component("box")
    inside = resource("box-a", parent=box.urn, dependencies=(urn("nowhere"),), provider="nothing")
    assert graph_of(state(box, inside)).arrows == frozenset()


def test_a_need_of_a_whole_component_is_one_of_its_frame() -> None:
    first, then = component("first"), component("then")
    key = resource("then-key", parent=then.urn, dependencies=(first.urn,))
    graph = graph_of(state(first, resource("first-a", parent=first.urn), then, key))
    assert graph.arrows == {("first", "then")}


def test_a_component_without_resources_has_no_frame_and_no_arrow() -> None:
    empty, then = component("empty"), component("then")
    key = resource("then-key", parent=then.urn, dependencies=(empty.urn,))
    graph = graph_of(state(empty, then, key))
    assert ([frame.name for frame in graph.frames], graph.arrows) == (["then"], frozenset())


def test_dependencies_and_protection_are_read_of_an_export() -> None:
    raw = {"urn": urn("key"), "type": "scaleway:iam/apiKey:ApiKey", "custom": True, "dependencies": [urn("a")]}
    (found,) = of_export({"deployment": {"resources": [raw | {"protect": True}]}}).resources
    assert (found.dependencies, found.protect) == ((urn("a"),), True)
    (plain,) = of_export({"deployment": {"resources": [raw | {"dependencies": None}]}}).resources
    assert (plain.dependencies, plain.protect) == ((), False)


@pytest.mark.parametrize(
    ("token", "kind", "whose"),
    [
        ("kubernetes:core/v1:Secret", "Secret", "kubernetes"),
        ("scaleway:iam/apiKey:ApiKey", "ApiKey", "scaleway"),
        ("pulumi:providers:kubernetes", "Provider", "kubernetes"),
        ("pulumi:pulumi:StackReference", "StackReference", "pulumi"),
    ],
)
def test_types_are_named_shortly(token: str, kind: str, whose: str) -> None:
    assert (short_type(token), service(token)) == (kind, whose)
