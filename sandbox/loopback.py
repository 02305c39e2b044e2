"""Requests to what listens on this machine's loopback: directly, whatever proxy the environment names.

A proxy does not reach it, and must not see the tokens that such requests carry.
"""

import ssl
import urllib.request
from http.client import HTTPResponse
from typing import cast

# What clients that go by the environment are told of it.
HOSTS = ("127.0.0.1", "localhost")


def opened(request: urllib.request.Request, *, seconds: float, context: ssl.SSLContext | None = None) -> HTTPResponse:
    """The answer, which the caller closes. `seconds`: without a byte. Raises OSError, as urllib does."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    return cast(HTTPResponse, direct.open(request, timeout=seconds))
