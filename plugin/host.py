"""How other Pulumi programs reach `RunnerEnvironment`: as a component of the package `kapsule-devops`.

Owns the package's name, and that wrong arguments are told without a traceback. Does not own the component
(`components/runner_environment.py`), nor the schema, which the SDK reads off its types.
"""

from typing import Final

import pulumi
from pulumi.provider import ConstructResult
from pulumi.provider.experimental import component_provider_host, host
from pulumi.provider.experimental.component import ComponentProvider

from components.runner_environment import RunnerEnvironment, settings_of

PACKAGE: Final = "kapsule-devops"
# No release names it: who takes the plugin from a repository names a tag of that.
VERSION: Final = "0.0.0"


class Provider(ComponentProvider):
    """The SDK's, but that arguments are checked as they come.

    The SDK leaves out keys that it does not know, and takes nothing for what is known later; and what a component raises it
    takes for a mistake in the component, and shows its lines.
    """

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: pulumi.Inputs,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        settings_of(name, inputs, pulumi.get_stack())
        return super().construct(name, resource_type, inputs, options)


def provider() -> Provider:
    return Provider([RunnerEnvironment], PACKAGE, version=VERSION)


def serve() -> None:
    """Answers the engine until it is gone."""
    host.ComponentProvider = Provider  # type: ignore[attr-defined] # the SDK's host makes its own, and takes no other
    component_provider_host(components=[RunnerEnvironment], name=PACKAGE, version=VERSION)
