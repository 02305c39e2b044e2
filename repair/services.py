"""Clients of the services that hold what a stack has made, each with the settings that its Pulumi provider reads.

Owns how each is reached, and what is said when that fails. Does not own what is asked (`kinds_*`, `releases`). Each client
is made when it is first used: nobody needs a token for a service that his stack has nothing of.
"""

import base64
import contextlib
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gitlab
import httpx2
import lightkube
import requests
import scaleway
import scaleway_core.api
import yaml
from lightkube.core.exceptions import ApiError, ConfigError
from scaleway.k8s.v1 import K8SV1API

from ci.errors import CiError
from ci.gitlab_client import connect

GITLAB_COM = "https://gitlab.com/api/v4/"
ANSWER_SECONDS = 60.0  # for an answer of Scaleway, and until each further part of it
MOST_GITLAB_REQUESTS = 10_000  # of one repair: about 9 for each project of an environment and each round of looking


@dataclass(frozen=True, kw_only=True)
class Services:
    """The clients. Secret: they hold the credentials of whoever runs this."""

    environment: Mapping[str, str]
    answer_seconds: float = ANSWER_SECONDS
    _open: contextlib.ExitStack
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _lists: dict[Hashable, "Future[list[Any]]"] = field(default_factory=dict)
    _clusters: dict[str, lightkube.Client] = field(default_factory=dict)

    @cached_property
    def scaleway(self) -> scaleway.Client:
        """As the provider: the variables SCW_… before Scaleway's own configuration file."""
        # Here, and not for who asks only GitLab: the limit is one of the whole process.
        self._open.enter_context(_scaleway_limit(self.answer_seconds))
        path = Path(self.environment.get("SCW_CONFIG_PATH") or Path.home() / ".config" / "scw" / "config.yaml")
        if not path.exists():
            return scaleway.Client.from_env()
        profile = self.environment.get("SCW_PROFILE") or "default"
        return scaleway.Client.from_config_file_and_env(str(path), profile)

    @cached_property
    def gitlab(self) -> gitlab.Gitlab:
        """As the provider: GITLAB_TOKEN and GITLAB_BASE_URL."""
        address = self.environment.get("GITLAB_BASE_URL") or GITLAB_COM
        return self._open.enter_context(
            connect(
                self.environment,
                url=address,
                role="Maintainer",
                variable="GITLAB_TOKEN",
                most_requests=MOST_GITLAB_REQUESTS,
            )
        )

    def cluster(self, cluster_id: str) -> lightkube.Client:
        """An administrator's client of a cluster (regional id), by the kubeconfig that Scaleway has; made once."""
        if cluster_id not in self._clusters:
            region, _, bare = cluster_id.rpartition("/")
            # The SDK has no public name for it.
            file = K8SV1API(self.scaleway)._get_cluster_kube_config(cluster_id=bare, region=region)
            config = _read_kubeconfig(cluster_id, file.content)
            self._clusters[cluster_id] = self._open.enter_context(lightkube.Client(config=config, trust_env=False))
        return self._clusters[cluster_id]

    def listed(self, what: Hashable, ask: Callable[[], Iterable[Any]]) -> list[Any]:
        """A list that several resources are looked for in: asked for once, until `forget_lists`."""
        with self._lock:
            known = self._lists.get(what)
            answer = self._lists.setdefault(what, Future())
        if known is None:
            try:
                answer.set_result(list(ask()))
            except BaseException as error:  # whoever else waits for it learns the same
                answer.set_exception(error)
        return answer.result()

    def forget_lists(self) -> None:
        self._lists.clear()


@contextlib.contextmanager
def services(environment: Mapping[str, str], answer_seconds: float = ANSWER_SECONDS) -> Iterator[Services]:
    """The clients for a block; what goes wrong in there becomes a CiError that says where, and what mends it."""
    with contextlib.ExitStack() as stack:  # what goes wrong passes through each client that is open
        found = Services(environment=environment, answer_seconds=answer_seconds, _open=stack)
        stack.enter_context(_scaleway_errors(found))
        stack.enter_context(_kubernetes_errors())
        yield found


@contextlib.contextmanager
def _scaleway_limit(seconds: float) -> Iterator[None]:
    """The SDK asks by `requests.request`, without a time limit, and has no setting for one: it would wait for ever."""
    names = vars(scaleway_core.api)
    before = names["requests"]
    names["requests"] = SimpleNamespace(request=partial(requests.request, timeout=seconds))
    try:
        yield
    finally:
        names["requests"] = before


@contextlib.contextmanager
def _scaleway_errors(found: Services) -> Iterator[None]:
    try:
        yield
    except scaleway.ScalewayException as error:
        raise CiError(
            f"Scaleway refuses a question ({error.status_code}: {error}): the credentials must see what the stack has made, "
            "or it cannot be told what exists. Fix: run again with the credentials that `pulumi up` has"
        ) from None
    except requests.RequestException as error:
        raise CiError(
            f"Scaleway cannot be asked ({type(error).__name__}): what exists there is not known, and nothing more was "
            "changed. Fix: export SCW_ACCESS_KEY=… SCW_SECRET_KEY=…, and run again when it answers"
        ) from None
    except ValueError:
        if _is_usable(found):
            raise  # it is about something else
        raise CiError(  # without the SDK's text, which quotes the key
            "the Scaleway credentials (SCW_…) are missing or not well-formed: they must be as Scaleway gave them, or it "
            "cannot be asked. Fix: export SCW_ACCESS_KEY=… SCW_SECRET_KEY=…, and run again"
        ) from None


def _is_usable(found: Services) -> bool:
    """Whether the SDK takes the credentials, as far as they were asked for: it looks at them before it sends any."""
    client = vars(found).get("scaleway")  # not made only to be looked at
    try:
        return client is None or bool(client.validate())
    except ValueError:
        return False


def _read_kubeconfig(cluster_id: str, content: str) -> lightkube.KubeConfig:
    """Scaleway has it in base64. CiError: it is none, told without its text, which holds a token."""
    try:
        return lightkube.KubeConfig.from_dict(yaml.safe_load(base64.b64decode(content)))
    except (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError):
        raise CiError(
            f"the kubeconfig that Scaleway has of the cluster {cluster_id} cannot be read: its releases must be seen, or "
            f"one that is stuck stays so. Fix: look at what it is: scw k8s kubeconfig get {cluster_id.rpartition('/')[2]}"
        ) from None


@contextlib.contextmanager
def _kubernetes_errors() -> Iterator[None]:
    try:
        yield
    except (ApiError, ConfigError) as error:
        raise CiError(
            f"the cluster refuses a question ({error}): its releases must be seen, or one that is stuck stays so. "
            "Fix: run again with credentials that may fetch the cluster's kubeconfig"
        ) from None
    except (httpx2.HTTPError, LookupError, TypeError, ValueError) as error:
        # On an answer that says it is JSON and is none, or does not say what it is, the client fails while it tells of it.
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, httpx2.HTTPError):
            cause = cause.__context__
        if cause is None:
            raise
        raise CiError(
            f"the cluster cannot be asked ({type(cause).__name__}): its releases must be seen, or one that is stuck stays "
            "so. Fix: run again when its API server answers; cluster.apiAllowedCidrs must let this machine in"
        ) from None
