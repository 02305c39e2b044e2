"""The types that control planes answer with are ready before there are threads: a half-made one ends the process."""

import subprocess
import sys

import pytest

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
