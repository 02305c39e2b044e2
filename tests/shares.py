"""Which tests run one after another in the same process, and which of these chains begin first. Pure.

A chain shares what is dear to make: a sandbox with environments in it, or what a module has read. Chains run side by side,
each with a sandbox of its own; what they share beyond it is the toolchain's cache, which is whole before the first begins.
"""

from pathlib import PurePosixPath
from typing import Final

# `environments` brings up all three, and takes them down in the end; `changes` edits dev in a sandbox in which it is alone.
_CHAINS: Final = {
    "environments": (
        "test_1_environments", "test_2_cluster", "test_2_costs", "test_2_doctor", "test_2_gitlab", "test_2_graph",
        "test_2_manifests", "test_3_secrets", "test_5_isolation", "test_6_consumer", "test_6_keys", "test_6_plugin",
        "test_7_policies", "test_8_protection", "test_8_state_s3", "test_9_destroy",
    ),
    "changes": (
        "test_4_changes", "test_6_app_cluster", "test_6_scw", "test_8_account", "test_8_gitlab", "test_8_renames",
    ),
    "pipelines": ("test_flow", "test_app_flow"),
    "program": ("test_program", "test_gitlab_kinds"),
}  # fmt: skip
_OF_MODULE: Final = {module: chain for chain, modules in _CHAINS.items() for module in modules}
# The longest first, so that none of them is left when the others have ended.
_FIRST: Final = (
    "changes", "environments", "test_8_faults", "pipelines", "test_8_runbooks_incidents", "test_left_behind",
    "test_8_runbooks", "test_8_shared", "test_8_runbooks_import", "test_sandbox", "program", "test_sdks",
)  # fmt: skip


def chain_of(nodeid: str) -> str:
    """The chain of a test: that of its module, which by itself is one (`tests/unit/test_naming.py`)."""
    path = PurePosixPath(nodeid.partition("::")[0])
    return _OF_MODULE.get(path.stem, path.stem if path.stem in _FIRST else str(path))


def turn_of(nodeid: str) -> int:
    """When its chain begins, as a key to sort by; the order inside a chain is that of the files."""
    chain = chain_of(nodeid)
    return _FIRST.index(chain) if chain in _FIRST else len(_FIRST)


def kind_of(nodeid: str) -> str:
    """What is told about how long tests take is told by kind: the folder below `tests`."""
    return PurePosixPath(nodeid.partition("::")[0]).parts[1]
