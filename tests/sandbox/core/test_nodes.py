"""Nodes: when they join; and that the types which control planes answer with are ready before there are threads."""

import subprocess
import sys

import pytest

from sandbox.control_plane import NodeSpec
from sandbox.nodes import joined

# Eight clusters come up in the same moment; the short interval makes threads change places inside the first use.
AT_ONCE = """
import sys, threading
import sandbox.nodes
from lightkube.core.decoders import decode_list, decode_object, decode_status
from lightkube.resources.core_v1 import Node, Pod

sys.setswitchinterval(1e-6)
together = threading.Barrier(8)
NODE = b'{"metadata": {"ownerReferences": []}, "spec": {"taints": []}, "status": {"conditions": []}}'
FIRST_USES = {
    "list": lambda: (decode_list(b'{"items": [' + NODE + b"]}", Node), decode_list(b'{"items": []}', Pod)),
    "object": lambda: (decode_object(NODE, Node), decode_object(b"{}", Pod)),
    "status": lambda: decode_status(b'{"details": {"causes": []}}'),
}

def use() -> None:
    together.wait()
    FIRST_USES[sys.argv[1]]()

threads = [threading.Thread(target=use) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("done")
"""


@pytest.mark.parametrize("use", ["list", "object", "status"])
def test_a_types_first_use_in_many_threads_at_once(use: str) -> None:
    for _ in range(3):  # without the preparation each run crashes four times out of five
        result = subprocess.run([sys.executable, "-c", AT_ONCE, use], capture_output=True, text=True, timeout=60)
        assert (result.returncode, result.stdout) == (0, "done\n"), result.stderr


def test_a_node_joins_when_its_time_has_come() -> None:
    desired = {
        "first": [NodeSpec(name="a"), NodeSpec(name="b", joins_at=20.0)],
        "second": [NodeSpec(name="c", joins_at=10.0)],
    }
    names = {moment: joined(desired, moment) for moment in (5.0, 10.0, 20.0)}
    assert [
        ({p: [n.name for n in nodes] for p, nodes in there.items()}, following) for there, following in names.values()
    ] == [
        ({"first": ["a"], "second": []}, 10.0),
        ({"first": ["a"], "second": ["c"]}, 20.0),
        ({"first": ["a", "b"], "second": ["c"]}, None),
    ]
    assert joined({}, 0.0) == ({}, None)
