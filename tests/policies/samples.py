"""What tests of several rules give them."""

import base64
from collections.abc import Callable, Iterable
from typing import Any

UUID = "11111111-2222-3333-4444-555555555555"
KUBECONFIG = "apiVersion: v1\nkind: Config\nusers: [{name: %s, user: {token: t}}]\n"

Check = Callable[[dict[str, Any]], Iterable[str]]


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
