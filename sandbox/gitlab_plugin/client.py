"""GitLab's API for the plugin: one request at a time, errors in words, bounded retries.

Owns the connection (python-gitlab, imported only when it is needed: it doubles the plugin's start-up time) and the wording
of errors. A request that may have changed something is not sent again, unless GitLab said that it refused it (429).
"""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from sandbox.gitlab_plugin.errors import PluginError

RETRIES = 4
TIMEOUT_SECONDS = 30.0


class RequestError(PluginError):
    """GitLab refused a request; the message names method, path, status and GitLab's own words."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """Requests below `/api/v4`. `base_url` is the provider's `baseUrl`, which ends in `/api/v4/`."""

    def __init__(self, base_url: str, token: str) -> None:
        import gitlab
        import requests

        host = base_url.rstrip("/").removesuffix("/api/v4")
        session = requests.Session()
        if urlsplit(host).hostname in ("127.0.0.1", "localhost", "::1"):
            session.trust_env = False  # a proxy of the environment cannot reach this machine's loopback
        self._token = token
        self._api = gitlab.Gitlab(host, oauth_token=token, session=session, timeout=TIMEOUT_SECONDS)
        self._errors = (gitlab.exceptions.GitlabError, requests.RequestException)

    def close(self) -> None:
        self._api.session.close()

    async def request(
        self, method: str, path: str, *, query: dict[str, Any] | None = None, body: dict[str, Any] | None = None
    ) -> Any:
        """The answer's JSON, or None where there is none. Raises RequestError."""
        return await asyncio.to_thread(self._request, method, path, query, body)

    def _request(self, method: str, path: str, query: dict[str, Any] | None, body: dict[str, Any] | None) -> Any:
        try:
            response = self._api.http_request(
                method,
                f"/{path}",
                query_data=query,
                post_data=body,
                retry_transient_errors=method != "post",
                max_retries=RETRIES,
            )
        except self._errors as error:
            status = getattr(error, "response_code", None) or 0
            said = getattr(error, "error_message", None) or str(error)
            if isinstance(said, bytes):
                said = said.decode(errors="replace")
            said = str(said).replace(self._token, "[secret]")
            what = f"{status} {said}" if status else f"no answer: {said}"
            raise RequestError(f"{method.upper()} /{path}: {what}", status) from None
        return response.json() if response.content else None

    async def find(self, path: str, *, query: dict[str, Any] | None = None) -> Any:
        """Like a GET request, but None when there is no such thing."""
        try:
            return await self.request("get", path, query=query)
        except RequestError as failure:
            if failure.status == 404:
                return None
            raise

    async def enterprise(self) -> bool:
        metadata = await self.request("get", "metadata")
        return bool(metadata.get("enterprise"))
