"""Runners' managers, of which no container runs in the sandbox: what they hold, and that they ask GitLab for jobs."""

import base64

from lightkube import Client
from lightkube.resources.core_v1 import Secret

from tests.engine.estate import Estate

NAMESPACE = "dev-runners"


def held_token(client: Client) -> str:
    """The runner token that the manager of `deploy` holds."""
    found = client.get(Secret, "dev-runner-tokens", namespace=NAMESPACE).data or {}
    return base64.b64decode(found["runner-token"]).decode()


def contact(estate: Estate, token: str) -> None:
    """What a manager does first: from then on the runner is online."""
    estate.gitlab("POST", "runners/verify", token=token)
