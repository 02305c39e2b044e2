"""Which pools an environment pays for, and what it pays beside them."""

from typing import Any

import pytest

from costs.pools import Pool, not_in_it, pools_of
from tests.costs.conftest import SettingsOf

SHARED = {"mode": "shared", "ownerStack": "acme/kapsule-devops/preprod"}


def test_dev_has_a_system_pool_and_one_of_its_own(settings_of: SettingsOf) -> None:
    assert pools_of(settings_of()) == [
        Pool(name="system", key="systemPool.nodeType", node_type="PLAY2-NANO", least=1, most=1),
        Pool(name="dev", key="runnerPool.nodeType", node_type="GP1-XS", least=2, most=2),
    ]


@pytest.mark.parametrize(
    ("keys", "nodes"),
    [
        ({"size": 0}, (0, 0)),
        ({"size": 3, "minSize": 1, "maxSize": 9}, (3, 3)),  # which mean nothing without autoscaling
        ({"size": 3, "minSize": 0, "maxSize": 9, "autoscaling": True}, (0, 9)),
    ],
)
def test_how_many_nodes_there_may_be(settings_of: SettingsOf, keys: dict[str, Any], nodes: tuple[int, int]) -> None:
    _, runner = pools_of(settings_of(runnerPool=keys))
    assert (runner.least, runner.most) == nodes


def test_a_guest_pays_for_its_own_pool_only(settings_of: SettingsOf) -> None:
    guest = settings_of(cluster=SHARED, projects={"devops": None})
    assert [pool.name for pool in pools_of(guest)] == ["dev"]
    assert not_in_it(guest).startswith("cluster and system pool of acme/kapsule-devops/preprod, disks, ")


def test_a_dedicated_control_plane_is_named_among_what_is_not_in_it(settings_of: SettingsOf) -> None:
    assert not_in_it(settings_of()) == "disks, addresses, secrets, traffic, taxes"
    dedicated = settings_of(cluster={"type": "kapsule-dedicated-8"})
    assert not_in_it(dedicated) == "control plane kapsule-dedicated-8, disks, addresses, secrets, traffic, taxes"
