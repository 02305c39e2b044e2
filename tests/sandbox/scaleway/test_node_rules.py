"""The rules about nodes that hold for any name and any tag."""

import re

from hypothesis import given
from hypothesis import strategies as st

from sandbox.control_plane import Taint
from sandbox.scaleway.catalog import NODE_TYPES, VERSIONS, numbers, upgrades
from sandbox.scaleway.k8s_nodes import from_tags, node_name

HEX = "753fa7c1-5748-46cf-89de-0ec31e0b5ccf"
NAMES = st.text(alphabet="abcXYZ019-_. ", min_size=1, max_size=80)


def test_node_names_are_those_of_the_recordings() -> None:
    short = node_name("test-pool-minimal", "test-pool-minimal", HEX)
    assert short == "scw-test-pool-minimal-test-pool-minimal-753fa7"
    long = node_name("test-pool-minimal", "test-pool-minimal-2", HEX)
    assert long == "scw-test-pool-minima-test-pool-minimal--753fa7"


@given(NAMES, NAMES)
def test_a_node_name_is_a_dns_label(cluster: str, pool: str) -> None:
    name = node_name(cluster, pool, HEX)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", name)
    assert len(name) <= 63


def test_tags_become_labels_and_taints() -> None:
    labels, taints = from_tags(["a=b", "alone", "noprefix=c=d", "taint=e=f:NoSchedule", "taint=noprefix=g=h:NoExecute"])
    assert labels == {"k8s.scaleway.com/a": "b", "k8s.scaleway.com/alone": "", "c": "d"}
    assert taints == [Taint("k8s.scaleway.com/e", "f", "NoSchedule"), Taint("g", "h", "NoExecute")]


def test_tags_that_kubernetes_would_refuse_are_left_out() -> None:
    refused = [
        "a=b c",
        "=x",
        "taint=a=b:Never",
        "taint=a=b",
        "taint=noprefix=:NoSchedule",
        "x" * 64,
        "noprefix=a/b/c=d",
    ]
    assert from_tags(refused) == ({}, [])


@given(st.lists(st.text(max_size=90) | st.builds("taint={}={}:NoSchedule".format, NAMES, NAMES), max_size=5))
def test_any_tag_gives_keys_and_values_that_kubernetes_takes(tags: list[str]) -> None:
    labels, taints = from_tags(tags)
    for key, value in [*labels.items(), *((t.key, t.value) for t in taints)]:
        assert re.fullmatch(r"([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", key)
        assert re.fullmatch(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?", value)


def test_node_types() -> None:
    known = {
        "GP1-XS": (4, 16),
        "GP1-S": (8, 32),
        "DEV1-M": (3, 4),
        "DEV1-L": (4, 8),
        "PLAY2-NANO": (2, 4),
        "PLAY2-MICRO": (4, 8),
        "PRO2-XXS": (2, 8),
        "PRO2-XS": (4, 16),
        "POP2-HC-2C-4G": (2, 4),
    }
    assert {name: (NODE_TYPES[name].cpu, NODE_TYPES[name].memory_gib) for name in known} == known


def test_no_version_is_skipped_by_an_upgrade() -> None:
    assert upgrades("1.33.1") == ["1.34.6", "1.33.10"]
    assert upgrades("1.35.3") == []
    newest_first = sorted(VERSIONS, key=numbers, reverse=True)
    assert list(VERSIONS) == newest_first
