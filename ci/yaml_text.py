"""Reads YAML that somebody else has written, in the time and the memory that its size asks for.

Owns that whatever is wrong with it is a yaml.YAMLError, and that merge keys (`<<`) stay as they stand: a few lines in which
each merges the one before twice would fill the memory. Aliases are one object each; whoever walks through the result must
not walk through one of them twice.
"""

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merges nothing."""

    def construct_merge(self, node: yaml.ScalarNode) -> str:
        return str(self.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:merge", _Loader.construct_merge)


def parse_yaml(text: str) -> Any:
    """What the first document says. Raises yaml.YAMLError, and nothing else."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError:
        raise
    except Exception as error:  # a value that Python cannot hold fails as it does there: `!!bool x` by a KeyError
        raise yaml.YAMLError(f"{type(error).__name__} in a value") from None
