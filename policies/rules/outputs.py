"""Stack outputs: everybody who may read the stack reads them, secret or not."""

import re
from collections.abc import Iterator, Sequence

from .base import UNKNOWN, Resource, StackRule, Violation, leaves, problem
from .secret_values import credential_in, secrets_of, taken_from

STACK = "pulumi:pulumi:Stack"
_SECRET_NAME = re.compile(r"(secret_?key|private_?key|passwords?|tokens?|kubeconfigs?|credentials?)$", re.I)
_INDEX = re.compile(r"\[\d+\]")


def hold_no_secret(resources: Sequence[Resource]) -> Iterator[Violation]:
    """By value, shape and name.

    The policy API gives a policy pack in Python no secret marks and the stack's outputs no dependencies, so an output is
    compared with every known secret output of the stack's resources, and with what credentials look like. One that is
    unknown is judged by its name.
    """
    secrets = list(secrets_of(resources))
    for stack in (r for r in resources if r.type == STACK):
        for path, value in leaves(stack.props):
            name = _INDEX.sub("", path)
            found = None
            if isinstance(value, str):
                found = taken_from(value, secrets) or credential_in(value)
            if found is None and (value is UNKNOWN or value) and _SECRET_NAME.search(name):
                found = "what is named like a secret"
            if found is not None:
                message = problem(
                    f"stack output {path} is {found}",
                    "no output may be a secret",
                    "everybody who may read the stack can decrypt it",
                    "remove the output; export the name of the secret instead",
                )
                yield Violation(stack.urn, message)


RULES = (
    StackRule(
        name="outputs-hold-no-secret",
        description="No stack output is a secret.",
        check=hold_no_secret,
    ),
)
