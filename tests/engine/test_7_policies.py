"""The policy pack on the real engine: the program keeps every rule, and a breach of each stops a preview."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from policies.rules.pack import RULES
from tests.engine.estate import ROOT, Estate

pytestmark = pytest.mark.usefixtures("environments")

LEAK = (
    "no cloud credential may be in GitLab, or every job that sees the variable can use it outside the cloud's control.\n"
    "Fix: remove the variable; jobs find their key as a file that Kubernetes mounts"
)
ADMIN = (
    "no secret may hold an administrator's kubeconfig, or every pod that mounts it administers the cluster and reads all "
    "keys in it.\nFix: make a kubeconfig for a service account with a role of its own"
)
NODE = "or what runs there can read its node's other pods, with their keys.\n"

# What tests/policies/violations.py is refused for: rule, resource, message.
BREACHES = [
    (
        "ci-variables-hold-no-credential",
        "named",
        f"CI variable SCW_SECRET_KEY is named like a cloud credential: {LEAK}",
    ),
    ("ci-variables-hold-no-credential", "shaped", f"CI variable STEP holds a Scaleway access key: {LEAK}"),
    ("ci-variables-come-from-no-credential", "made", f"CI variable DEPLOY is made from key: {LEAK}"),
    (
        "secret-ci-variables-are-kept",
        "shown",
        "CI variable PROMOTION_TOKEN is named like a secret and not hidden: it must be masked, hidden and protected, "
        "or a job's log or the settings page shows it.\n"
        "Fix: set masked=True, hidden=True, or rename a variable that is no secret",
    ),
    (
        "outputs-hold-no-secret",
        "violations-violations",
        "stack output deployKubeconfig is a kubeconfig: no output may be a secret, or everybody who may read the stack "
        "can decrypt it.\nFix: remove the output; export the name of the secret instead",
    ),
    (
        "runner-pools-are-tainted",
        "pool",
        "node pool open has no taint: every pool but `system` must have one with effect NoSchedule or NoExecute in "
        "`taints`, or any pod of the cluster lands beside jobs that hold cloud keys.\n"
        'Fix: set taints=[{"key": "gitlab-runner-jobs-ENV-reserved", "value": "true", "effect": "NoSchedule"}]',
    ),
    (
        "runners-are-bound",
        "runner",
        "runner loose is not locked: locked must be true, or a maintainer elsewhere can enable it for another project.\n"
        "Fix: set locked=True",
    ),
    (
        "writing-runners-are-protected",
        "runner",
        "runner loose is not protected and its key may write (IAMManager): only a runner whose permission sets all end in "
        "ReadOnly or Read may run jobs of any branch, or whoever can push a branch can use the key.\n"
        'Fix: set accessLevel="ref_protected", or give it permission sets that only read',
    ),
    (
        "api-keys-expire",
        "key",
        "API key eternal never ends: keys must end within 183 days, or a key that leaked is good for long.\n"
        "Fix: set expiresAt to a time (RFC 3339) within 183 days",
    ),
    (
        "iam-policies-are-for-projects",
        "policy",
        "rule 0 of IAM policy everything is for the whole organization: rules must be for projects, or one leaked key "
        "opens every environment.\nFix: replace organizationId with projectIds",
    ),
    (
        "releases-are-pinned",
        "release",
        "Helm release floating has no version: the chart must be pinned to one exact version, or the next run installs "
        "what nobody has reviewed.\nFix: set version to an exact one, such as 0.86.0",
    ),
    (
        "secret-mounts-are-read-only",
        "release",
        "config.toml of Helm release floating mounts secret key writable: secrets must be mounted with read_only = true, "
        "or a job can change the key that the next one finds.\n"
        "Fix: set read_only = true in [[runners.kubernetes.volumes.secret]]",
    ),
    (
        "nothing-is-privileged",
        "release",
        f"securityContext.privileged is true in values of Helm release floating: nothing may run privileged, {NODE}"
        "Fix: set securityContext.privileged to false",
    ),
    (
        "nothing-is-privileged",
        "release",
        "runners[0].kubernetes.allow_privilege_escalation is true in config.toml of Helm release floating: "
        f"nothing may run privileged, {NODE}"
        "Fix: set runners[0].kubernetes.allow_privilege_escalation to false",
    ),
    (
        "nothing-is-privileged",
        "pod",
        f"allowPrivilegeEscalation is not said for container main of Pod mighty: nothing may run privileged, {NODE}"
        "Fix: set securityContext.allowPrivilegeEscalation to false",
    ),
    (
        "branches-stay-protected",
        "branch",
        "branch main may be force-pushed: allowForcePush must be false, or reviewed history can be replaced, and a job "
        "with the key runs what came instead.\nFix: set allowForcePush=False",
    ),
    (
        "namespaces-enforce-pod-security",
        "namespace",
        "namespace open enforces no Pod Security level: label pod-security.kubernetes.io/enforce must be baseline or "
        "restricted, or a pod there can take over its node.\n"
        "Fix: set metadata.labels['pod-security.kubernetes.io/enforce'] to 'baseline'",
    ),
    (
        "secrets-hold-no-admin-kubeconfig",
        "admin",
        f"key config of secret admin is the kubeconfig of user kapsule-admin: {ADMIN}",
    ),
    (
        "secrets-come-from-no-cluster",
        "taken",
        f"stringData of secret taken is made from the new cluster cluster and may be its kubeconfig: {ADMIN}; "
        "for the cluster's address, create the cluster first: "
        "pulumi up --target 'urn:pulumi:violations::violations::scaleway:kubernetes/cluster:Cluster::cluster'",
    ),
]


def command(estate: Estate, flags: str) -> str:
    """A preview with the pack, whose path must be absolute: the sandbox's `pulumi` runs in a folder of its own."""
    pack = shlex.quote(str(estate.checkout / "policies"))
    return f"pulumi preview --color never --policy-pack {pack} {flags} 2>&1"


def breaches(printed: str) -> set[tuple[str, str, str]]:
    """Rule, resource and message of each violation that a preview printed."""
    found = re.findall(
        r"^ +- \[mandatory\] +(\S+) +\(\S+: (\S+)\)\n +[^\n]+\n((?: {10}[^\n]+\n)+)", printed, flags=re.MULTILINE
    )
    return {(rule, name, "\n".join(line.strip() for line in text.splitlines())) for rule, name, text in found}


def test_an_environment_keeps_every_rule(environment: str, estate: Estate) -> None:
    result = estate.shell(command(estate, f"--stack {environment} --expect-no-changes"))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "✅ kapsule-devops@v1.0.0" in result.stdout
    assert "can't run policy" not in result.stdout


def test_a_stricter_life_of_keys_refuses_the_same_environment(estate: Estate, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"api-keys-expire": {"maxKeyDays": 1}}))
    result = estate.shell(command(estate, f"--stack dev --policy-pack-config {shlex.quote(str(config))}"))
    assert result.returncode != 0
    found = breaches(result.stdout)
    assert {rule for rule, _, _ in found} == {"api-keys-expire"}, result.stdout
    assert all("keys must end within 1 days" in message for _, _, message in found)


@pytest.fixture(scope="module")
def refused(
    estate: Estate, environments: object, tmp_path_factory: pytest.TempPathFactory
) -> subprocess.CompletedProcess[str]:
    """A preview of a program that breaks every rule, as a stack of its own beside the environments."""
    project = tmp_path_factory.mktemp("violations")
    options = {"virtualenv": str(estate.checkout / ".venv")}
    (project / "Pulumi.yaml").write_text(
        yaml.safe_dump({"name": "violations", "runtime": {"name": "python", "options": options}})
    )
    shutil.copy(ROOT / "tests" / "policies" / "violations.py", project / "__main__.py")
    cluster = estate.outputs("dev")["clusterId"].rpartition("/")[2]
    go = f"cd {shlex.quote(str(project))}\n"
    kubeconfig = str(estate.folder / "clusters" / cluster / "admin.kubeconfig")
    made = estate.shell(f"{go}pulumi stack init violations")
    assert made.returncode == 0, made.stdout + made.stderr
    try:
        return estate.shell(go + command(estate, "--stack violations"), CLUSTER=kubeconfig)
    finally:
        removed = estate.shell(f"{go}pulumi stack rm --yes violations")
        assert removed.returncode == 0, removed.stdout + removed.stderr


def test_the_preview_is_refused_for_the_rules_alone(refused: subprocess.CompletedProcess[str]) -> None:
    assert refused.returncode != 0
    assert "❌ kapsule-devops@v1.0.0" in refused.stdout
    errors = [line.strip() for line in refused.stdout.partition("\nDiagnostics:\n")[2].splitlines() if "error" in line]
    assert errors == ["error: preview failed"], refused.stdout


@pytest.mark.parametrize(("rule", "name", "message"), BREACHES)
def test_each_breach_is_said(refused: subprocess.CompletedProcess[str], rule: str, name: str, message: str) -> None:
    assert (rule, name, message) in breaches(refused.stdout), refused.stdout


def test_every_rule_is_broken(refused: subprocess.CompletedProcess[str]) -> None:
    every = {rule.name for rule in RULES}
    assert {rule for rule, _, _ in BREACHES} == {rule for rule, _, _ in breaches(refused.stdout)} == every


def test_a_chart_version_that_the_provider_has_looked_up_is_not_seen(refused: subprocess.CompletedProcess[str]) -> None:
    """What the engine does not show, a rule cannot refuse; see policies/rules/releases.py."""
    assert "helm.sh/v3:Release resolved create" in refused.stdout
    assert not [name for _, name, _ in breaches(refused.stdout) if name == "resolved"]
