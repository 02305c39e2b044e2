"""The environment in which `pulumi` and other clients meet the sandbox instead of the real services.

Everything that could reach a user's own settings points into the sandbox's folder: ~/.pulumi, ~/.config/scw, ~/.kube and
Helm's are neither read nor written. The values hold the sandbox's own keys, which are worth nothing elsewhere.
"""

import os
import shlex
from collections.abc import Mapping

from sandbox import gitlab, loopback, scaleway
from sandbox.folder import Folder
from sandbox.running import Running
from sandbox.store import Store

# What would win over, or mix with, the variables below.
UNSET = (
    "PULUMI_ACCESS_TOKEN",
    "PULUMI_CONFIG_PASSPHRASE",
    "PULUMI_BACKEND",
    "PULUMI_STACK",
    "SCW_PROFILE",
    "SCW_DEFAULT_REGION",
    "SCW_DEFAULT_ZONE",
    "GITLAB_CONFIG_FILE",
    "HELM_KUBECONTEXT",
    "HELM_NAMESPACE",
    "HELM_PLUGINS",
    "HELM_REGISTRY_CONFIG",
    "HELM_REPOSITORY_CACHE",
    "HELM_REPOSITORY_CONFIG",
)


def variables(folder: Folder, running: Running, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables by name, for a shell that has `environment`. Secret: SCW_SECRET_KEY and GITLAB_TOKEN are among them."""
    store = Store(folder.records)
    try:
        cloud, git = scaleway.seed(store), gitlab.seed(store)
    finally:
        store.close()
    path = [str(folder.bin), *(p for p in environment.get("PATH", "").split(os.pathsep) if p != str(folder.bin))]
    direct = _direct(environment)
    return {
        "PATH": os.pathsep.join(path),
        "NO_PROXY": direct,
        "no_proxy": direct,
        "PULUMI_HOME": str(folder.pulumi_home),
        "PULUMI_BACKEND_URL": f"file://{folder.backend}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(folder.passphrase),
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",  # the copies of the stack files name none
        # Only the sandbox's plugins count: one on PATH would win over them, with a warning into every diff.
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "SCW_API_URL": running.scaleway,
        "SCW_ACCESS_KEY": cloud.access_key,
        "SCW_SECRET_KEY": cloud.secret_key,
        "SCW_DEFAULT_ORGANIZATION_ID": cloud.organization_id,
        "SCW_DEFAULT_PROJECT_ID": cloud.project_id,
        "SCW_CONFIG_PATH": str(folder.root / "scw-config.yaml"),
        "GITLAB_BASE_URL": f"{running.gitlab}/api/v4/",
        "GITLAB_TOKEN": git.token,
        "GITLAB_RUNNER_CHART_REPOSITORY": f"{running.gitlab}/charts",
        "HELM_CACHE_HOME": str(folder.helm / "cache"),
        "HELM_CONFIG_HOME": str(folder.helm / "config"),
        "HELM_DATA_HOME": str(folder.helm / "data"),
        "KUBECONFIG": str(folder.root / "kubeconfig"),
    }


def _direct(environment: Mapping[str, str]) -> str:
    """What is asked without a proxy: what the caller's environment says, in whichever case, and this machine's loopback."""
    given = f"{environment.get('no_proxy', '')},{environment.get('NO_PROXY', '')}".split(",")
    hosts = [host.strip() for host in given if host.strip()]
    if "*" in hosts:  # everything; Python takes it only where it stands alone
        return "*"
    return ",".join(dict.fromkeys([*hosts, *loopback.HOSTS]))


def merged(folder: Folder, running: Running) -> dict[str, str]:
    """This process's environment with the sandbox's variables over it, for a child process."""
    return {k: v for k, v in os.environ.items() if k not in UNSET} | variables(folder, running)


def shell(folder: Folder, running: Running) -> str:
    """Lines for `eval "$(python -m sandbox env)"`."""
    lines = [f"unset {' '.join(UNSET)}"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in variables(folder, running).items()]
    return "\n".join(lines)
