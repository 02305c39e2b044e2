"""The rule of each key: what it takes at its limits, and what a user reads one step past them."""

import copy
import json
import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

import settings
from config_error import ConfigError
from sections.base import Section

PATTERNS = {
    "<label>": "must match ^[a-z]([a-z0-9-]*[a-z0-9])?$",
    "<project>": "must match ^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$",
    "<uuid>": "must match ^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    "<node>": "must match ^[A-Z0-9]+(-[A-Z0-9]+)+$",
    "<image>": "must match ^[A-Za-z0-9_./-]+(:[A-Za-z0-9_.-]+)?(@sha256:[0-9a-f]{64})?$",
    "<duration>": "must match ^[0-9]+[smh]$",
    "<cpu>": "must match ^[0-9]+m?$",
    "<memory>": "must match ^[0-9]+(Mi|Gi)$",
    "<days>": "must be one of any, monday, tuesday, wednesday, thursday, friday, saturday, sunday",
    "<empty>": "",
    "<bucket>": "must match ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
    "<network>": "must be the address of a network, without bits of a host",
    "<cidr>": "must be the address of a network with its length in bits, like 10.0.0.0/8",
    "<path>": "must match ^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$",
    "<zone>": "must match ^[A-Za-z][A-Za-z0-9_+/-]*$",
    "<fields>": "must have five fields: minute, hour, day of the month, month and weekday",
    "<every day>": "must be for every day: its last three fields must be *",
    "<late>": "no run falls into the overlap, and jobs in flight lose their key",
    "<purpose>": "must match ^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
    "<tags>": "must match ^[A-Za-z0-9_.*/-]+$",
    "<until>": 'request.time < timestamp("2030-01-01T00:00:00Z")',
    "<helper>": "registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v18.9.0",
}
LONG = {"<20>": "a" * 20, "<30>": "a" * 30, "<40>": "a" * 40, "<63>": "a" * 63, "<64>": "a" * 64, "<2000>": "a" * 2000}
DIGEST = "alpine@sha256:" + "0" * 64

# Key; a value that is wrong (JSON); the rule; the consequence; the value that the fix sets.
WRONG = r"""
environment; "Dev"; <label>; its resources cannot be named; dev
environment; "<20>a"; must have at most 20 characters; its resources cannot be named; dev
account.organizationId; "acme"; <uuid>; the environment is made in another organization; 11111111-2222-3333-4444-555555555555
account.projectId; "app"; <uuid>; the environment is made with another project's credentials; 11111111-2222-3333-4444-555555555555
protection; "perhaps"; must be true or false; a mistake deletes the environment; true
scaleway.region; "fr-lyon"; must be one of fr-par, nl-ams, pl-waw; Scaleway refuses every request; fr-par
scaleway.zone; "fr-par"; must match ^[a-z]{2}-[a-z]{3}-[1-9]$; Scaleway refuses to create the pools; fr-par-1
projects.devops.name; "-x"; <project>; Scaleway refuses to create the project; app-dev
projects.target.id; "app"; <uuid>; Scaleway finds no such project; 11111111-2222-3333-4444-555555555555
network.ipv4Subnet; "10.0.0.0/16"; must match ^([0-9]{1,3}\.){3}[0-9]{1,3}/2[0-8]$; nodes get no address; 172.16.0.0/22
network.ipv4Subnet; "10.0.0.1/24"; <network>; nodes get no address; 172.16.0.0/22
network.ipv4Subnet; "300.0.0.0/24"; <network>; nodes get no address; 172.16.0.0/22
cluster.mode; "mine"; must be one of dedicated, shared; it is not clear where runners run; dedicated
cluster.ownerStack; "a/b/c/d"; must match ^([A-Za-z0-9_.-]+/){0,2}[A-Za-z0-9_.-]+$; there is no cluster to join; dev
appCluster.clusterId; "11111111-2222-3333-4444-555555555555"; must match ^[a-z]{2}-[a-z]{3}/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$; there is no such cluster; fr-par/11111111-2222-3333-4444-555555555555
appCluster.stack; "a b"; must match ^([A-Za-z0-9_.-]+/){0,2}[A-Za-z0-9_.-]+$; there is no such cluster; acme/app-cluster/dev
appCluster.namespace; "Apps"; <label>; Kubernetes refuses it; apps
cluster.name; "Kapsule"; <label>; Scaleway refuses it; kapsule-devops
cluster.name; "<40>a"; must have at most 40 characters; Scaleway refuses it; kapsule-devops
cluster.version; "1.9"; must match ^1\.[0-9]{2}(\.[0-9]+)?$; Kapsule has no such version; 1.35
cluster.version; "1.٣٥"; must match ^1\.[0-9]{2}(\.[0-9]+)?$; Kapsule has no such version; 1.35
cluster.type; "mutualized"; must match ^kapsule(-dedicated-(4|8|16))?$; Scaleway refuses the cluster; kapsule
cluster.cni; "flannel"; must be one of cilium, calico; network policies do nothing; cilium
cluster.deleteAdditionalResources; "perhaps"; must be true or false; they stay and are billed; true
cluster.apiAllowedCidrs[0]; "203.0.113.1/24"; <network>; nobody reaches the cluster; 203.0.113.0/24
cluster.apiAllowedCidrs[0]; "office"; <network>; nobody reaches the cluster; 203.0.113.0/24
cluster.apiAllowedCidrs[0]; "2001:db8::/32"; <network>; nobody reaches the cluster; 203.0.113.0/24
cluster.apiAllowedCidrs[0]; "203.0.113.7"; <cidr>; nobody reaches the cluster; 203.0.113.0/24
cluster.autoUpgrade.enabled; "perhaps"; must be true or false; known holes stay open; true
cluster.autoUpgrade.day; "Sunday"; <days>; Scaleway refuses the cluster; any
cluster.autoUpgrade.startHour; 24; must be at most 23; Scaleway refuses the cluster; 23
cluster.autoUpgrade.startHour; -1; must be at least 0; Scaleway refuses the cluster; 0
cluster.autoscaler.scaleDownDelayAfterAdd; "10"; <duration>; the autoscaler ignores it; 10m
cluster.autoscaler.scaleDownUnneededTime; "10 m"; <duration>; the autoscaler ignores it; 10m
cluster.autoscaler.scaleDownUtilizationThreshold; 1.5; must be at most 1; no node is ever idle; 1
cluster.autoscaler.scaleDownUtilizationThreshold; -0.1; must be at least 0; no node is ever idle; 0
cluster.autoscaler.scaleDownUtilizationThreshold; NaN; must be at most 1; no node is ever idle; 1
cluster.autoscaler.scaleDownUtilizationThreshold; "half"; must be a number; no node is ever idle; 0.5
cluster.autoscaler.maxGracefulTerminationSec; -1; must be at least 0; jobs are cut off; 0
cluster.autoscaler.maxGracefulTerminationSec; 86401; must be at most 86400; jobs are cut off; 86400
cluster.autoscaler.maxGracefulTerminationSec; Infinity; must be a whole number; jobs are cut off; 600
cluster.autoscaler.expander; "cheap"; must be one of random, most_pods, least_waste, priority, price; Scaleway refuses the cluster; least_waste
systemPool.name; "Default"; <label>; Scaleway refuses it; system
systemPool.name; "<30>a"; must have at most 30 characters; Scaleway refuses it; system
systemPool.nodeType; "play2_nano"; <node>; Scaleway refuses the pool; PLAY2-NANO
systemPool.size; 0; must be at least 1; system pods stay pending; 1
systemPool.size; 11; must be at most 10; system pods stay pending; 10
systemPool.autohealing; "perhaps"; must be true or false; a broken node stays; true
runnerPool.name; "Dev"; <label>; Scaleway refuses it; dev
runnerPool.name; "<30>a"; must have at most 30 characters; Scaleway refuses it; dev
runnerPool.nodeType; "GP1"; <node>; Scaleway refuses the pool; GP1-XS
runnerPool.size; -1; must be at least 0; no job can run; 0
runnerPool.size; 101; must be at most 100; no job can run; 100
runnerPool.size; "two"; must be a whole number; no job can run; 2
runnerPool.size; true; must be a whole number; no job can run; 2
runnerPool.rootVolumeSizeGb; true; must be a whole number; images do not fit; 50
kubernetes.egressPorts[0]; true; must be a whole number; jobs reach nothing; 22
cluster.autoscaler.scaleDownUtilizationThreshold; true; must be a number; no node is ever idle; 0.5
runnerPool.size; 1000000000000000000000000000000; must be at most 100; no job can run; 100
runnerPool.autoscaling; 2; must be true or false; minSize and maxSize mean nothing; false
runnerPool.minSize; -1; must be at least 0; Scaleway refuses it; 0
runnerPool.minSize; 101; must be at most 100; Scaleway refuses it; 100
runnerPool.maxSize; 0; must be at least 1; Scaleway refuses it; 1
runnerPool.maxSize; 101; must be at most 100; Scaleway refuses it; 100
runnerPool.autohealing; "perhaps"; must be true or false; a broken node stays; true
runnerPool.rootVolumeSizeGb; 19; must be at least 20; images do not fit; 20
runnerPool.rootVolumeSizeGb; 1001; must be at most 1000; images do not fit; 1000
runnerPool.rootVolumeSizeGb; 20.5; must be a whole number; images do not fit; 50
kubernetes.serviceAccount; "app_deployer"; <label>; Kubernetes refuses it; app-deployer
kubernetes.serviceAccount; "<63>a"; must have at most 63 characters; Kubernetes refuses it; app-deployer
kubernetes.deployerRules[0].apiGroups[0]; 5; must be text (put numbers in quotes); it allows nothing; <empty>
kubernetes.deployerRules[0].resources[0]; 5; must be text (put numbers in quotes); it allows nothing; deployments
kubernetes.deployerRules[0].verbs[0]; 5; must be text (put numbers in quotes); it allows nothing; get
kubernetes.containerMemoryLimit; "8GB"; <memory>; one job can starve a node; 8Gi
kubernetes.egressPorts[0]; 0; must be at least 1; jobs reach nothing; 1
kubernetes.egressPorts[0]; 65536; must be at most 65535; jobs reach nothing; 65535
kubernetes.egressPorts[0]; "https"; must be a whole number; jobs reach nothing; 22
kubernetes.egressBlockedCidrs[0]; "169.254.42.42/16"; <network>; a job reads its node's credentials; 169.254.0.0/16
kubernetes.egressBlockedCidrs[0]; "169.254.0.0/255.255.0.0"; <cidr>; a job reads its node's credentials; 169.254.0.0/16
kubernetes.egressBlockedCidrs[0]; "169.254.42.42"; <cidr>; a job reads its node's credentials; 169.254.0.0/16
runners[0].name; "Deploy"; <purpose>; its resources have no name of their own; deploy
runners[0].name; "a--b"; <purpose>; its resources have no name of their own; deploy
runners[0].name; "<20>a"; must have at most 20 characters; its resources have no name of their own; deploy
runners[0].givenKey; "perhaps"; must be true or false; it is not clear who makes the key; false
runners[0].projects[0]; "app"; must match ^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$; jobs of other projects find its key; acme/platform
runners[0].tag; "K8s"; must match ^[a-z0-9][a-z0-9-]{0,62}$; no job finds it; k8s-dev-runner
runners[0].protected; "perhaps"; must be true or false; any branch could use its key; true
runners[0].concurrent; 0; must be at least 1; the runner does not start; 1
runners[0].concurrent; 501; must be at most 500; the runner does not start; 500
runners[0].jobTimeoutSeconds; 599; must be at least 600; GitLab refuses the runner; 600
runners[0].jobTimeoutSeconds; 86401; must be at most 86400; GitLab refuses the runner; 86400
runners[0].pollTimeoutSeconds; 29; must be at least 30; jobs fail while a node starts; 30
runners[0].pollTimeoutSeconds; 3601; must be at most 3600; jobs fail while a node starts; 3600
runners[0].image; "alpine:"; <image>; such jobs fail; alpine:3.22
runners[0].helperImage; "{{ image }}"; <image>; jobs fail before they start; <helper>
runners[0].cpuRequest; "0.5"; <cpu>; Kubernetes refuses job pods; 500m
runners[0].memoryRequest; "1GB"; <memory>; Kubernetes refuses job pods; 1Gi
runners[0].serviceCpuRequest; "0.5"; <cpu>; Kubernetes refuses job pods; 100m
runners[0].serviceMemoryRequest; "1GB"; <memory>; Kubernetes refuses job pods; 128Mi
runners[0].helperCpuRequest; "0.5"; <cpu>; Kubernetes refuses job pods; 100m
runners[0].helperMemoryRequest; "1GB"; <memory>; Kubernetes refuses job pods; 128Mi
runners[0].permissionSets[0]; 5; must be text (put numbers in quotes); every job is refused by Scaleway; ContainerRegistryFullAccess
runners[0].appClusterRules[0].apiGroups[0]; 5; must be text (put numbers in quotes); it allows nothing; <empty>
runners[0].appClusterRules[0].resources[0]; 5; must be text (put numbers in quotes); it allows nothing; deployments
runners[0].appClusterRules[0].verbs[0]; 5; must be text (put numbers in quotes); it allows nothing; get
runners[0].condition; ""; must have at least 1 character; Scaleway refuses the policy; <until>
runners[0].condition; "<2000>a"; must have at most 2000 characters; Scaleway refuses the policy; <until>
rotation.days; 1; must be at least 2; keys live too long; 2
rotation.days; 91; must be at most 90; keys live too long; 90
rotation.overlapDays; 0; must be at least 1; jobs in flight lose their key; 1
rotation.overlapDays; 31; must be at most 30; jobs in flight lose their key; 30
rotation.serial; -1; must be at least 0; the leaked key lives on; 0
rotation.serial; 1000001; must be at most 1000000; the leaked key lives on; 1000000
rotation.serial; "new"; must be a whole number; the leaked key lives on; 0
stateBackend.bucket; "ab"; <bucket>; pipelines find no state; acme-pulumi-state
stateBackend.bucket; "<63>a"; <bucket>; pipelines find no state; acme-pulumi-state
stateBackend.bucket; "s3://acme"; <bucket>; pipelines find no state; acme-pulumi-state
stateBackend.projectId; "acme"; <uuid>; the key may not read the state; 11111111-2222-3333-4444-555555555555
stateBackend.region; "eu-west-1"; must be one of fr-par, nl-ams, pl-waw; pipelines find no state; fr-par
runnerChart.version; "0.86"; must match ^[0-9]+\.[0-9]+\.[0-9]+$; an update changes it unseen; 0.86.0
runnerChart.repository; "charts.gitlab.io"; must match ^https?://[^\s]+$; Helm finds no chart; https://charts.gitlab.io
gitlab.project; "app"; must match ^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$; GitLab finds no project; acme/app
gitlab.project; 42; must be text (put numbers in quotes); GitLab finds no project; acme/app
gitlab.furtherProjects[0]; "platform"; <path>; their jobs find no runner; acme/platform
gitlab.furtherProjects[0]; 42; must be text (put numbers in quotes); their jobs find no runner; acme/platform
gitlab.operationsProject; "platform"; <path>; nothing runs `pulumi up` in time; acme/platform
gitlab.schedules.rotation.enabled; "perhaps"; must be true or false; nothing starts it; true
gitlab.schedules.rotation.timezone; "Europe Paris"; <zone>; GitLab refuses the schedule; Europe/Paris
gitlab.schedules.rotation.cron; "@daily"; <fields>; <late>; 23 2 * * *
gitlab.schedules.rotation.cron; "0 3 * * 0"; <every day>; <late>; 23 2 * * *
gitlab.schedules.rotation.cron; "0 3 1 * *"; <every day>; <late>; 23 2 * * *
gitlab.schedules.rotation.cron; "0 24 * * *"; must have *, numbers from 0 to 23, ranges or steps as its hour; <late>; 23 2 * * *
gitlab.schedules.drift.enabled; "perhaps"; must be true or false; nothing starts it; true
gitlab.schedules.drift.timezone; ""; <zone>; GitLab refuses the schedule; Europe/Paris
gitlab.schedules.drift.cron; "0 3 * *"; <fields>; GitLab refuses the schedule; 23 4 * * *
gitlab.schedules.drift.cron; "60 3 * * *"; must have *, numbers from 0 to 59, ranges or steps as its minute; GitLab refuses the schedule; 23 4 * * *
gitlab.schedules.drift.cron; "0 5-3 * * *"; must have *, numbers from 0 to 23, ranges or steps as its hour; GitLab refuses the schedule; 23 4 * * *
gitlab.schedules.drift.cron; "0 3 0 * *"; must have *, numbers from 1 to 31, ranges or steps as its day of the month; GitLab refuses the schedule; 23 4 * * *
gitlab.schedules.drift.cron; "0 3 * */0 *"; must have *, numbers from 1 to 12, ranges or steps as its month; GitLab refuses the schedule; 23 4 * * *
gitlab.schedules.drift.cron; "0 3 * * mon"; must have *, numbers from 0 to 7, ranges or steps as its weekday; GitLab refuses the schedule; 23 4 * * *
gitlab.enterprise; "perhaps"; must be true or false; GitLab's provider refuses the branch protection; true
gitlab.premium; "perhaps"; must be true or false; GitLab refuses the protected environment; false
gitlab.deployment.kind; "prod"; must be one of development, testing, staging, production, other; GitLab refuses the environment; development
gitlab.deployment.deployAccessLevel; "no one"; must be one of developer, maintainer; GitLab refuses the protection; maintainer
gitlab.deployment.requiredApprovals; -1; must be at least 0; GitLab refuses the rule; 0
gitlab.deployment.requiredApprovals; 6; must be at most 5; GitLab refuses the rule; 5
gitlab.deployment.requiredApprovals; "two"; must be a whole number; GitLab refuses the rule; 0
gitlab.releaseTags; ""; <tags>; anybody who may push makes a release; v*
gitlab.releaseTags; "v 1"; <tags>; anybody who may push makes a release; v*
gitlab.url; "https://gitlab.com"; must match ^https?://[^\s]+/$; runners find no GitLab; https://gitlab.com/
gitlab.branch.name; "-main"; must match ^[\w][\w./-]*$; nothing is protected; main
gitlab.branch.mergeAccessLevel; "owner"; must be one of no one, developer, maintainer; GitLab refuses the protection; maintainer
gitlab.branch.pushAccessLevel; "owner"; must be one of no one, developer, maintainer; GitLab refuses the protection; no one
gitlab.mailingListUserId; 0; must be at least 1; nobody hears of them; 1
gitlab.promotionToken.enabled; "maybe"; must be true or false; GitLab refuses the token; true
gitlab.promotionToken.accessLevel; "no one"; must be one of developer, maintainer; GitLab refuses it; developer
gitlab.promotionToken.expirationDays; 6; must be at least 7; GitLab refuses it; 7
gitlab.promotionToken.expirationDays; 366; must be at most 365; GitLab refuses it; 365
gitlab.promotionToken.rotateBeforeDays; 0; must be at least 1; it ends between two runs; 1
gitlab.promotionToken.rotateBeforeDays; 181; must be at most 180; it ends between two runs; 180
"""  # noqa: E501 - a row is a line

# Key; values at its limits (JSON).
RIGHT = """
environment; "d"; "<20>"; "a1"
scaleway.region; "fr-par"
projects.devops.name; "A"; "<64>"; "My project 1.0"
network.ipv4Subnet; "10.0.0.0/20"; "192.168.1.240/28"
cluster.name; "k"; "<40>"
cluster.version; "1.36"
cluster.type; "kapsule-dedicated-4"; "kapsule-dedicated-8"; "kapsule-dedicated-16"
cluster.cni; "calico"
cluster.apiAllowedCidrs[0]; "203.0.113.7/32"; "0.0.0.0/0"
cluster.autoUpgrade.day; "monday"; "saturday"
cluster.autoUpgrade.startHour; 0; 23
cluster.autoscaler.scaleDownDelayAfterAdd; "0s"; "90m"; "1h"
cluster.autoscaler.scaleDownUtilizationThreshold; 0; 1; 0.25
cluster.autoscaler.maxGracefulTerminationSec; 0; 86400
cluster.autoscaler.expander; "random"; "most_pods"; "priority"; "price"
systemPool.name; "d"; "<30>"
systemPool.nodeType; "PRO2-XXS"; "GP1-XS"
systemPool.size; 1; 10
runnerPool.name; "d"; "<30>"
runnerPool.size; 0; 100
runnerPool.minSize; 0; 100
runnerPool.maxSize; 1; 100
runnerPool.rootVolumeSizeGb; 20; 1000
kubernetes.serviceAccount; "<63>"
kubernetes.deployerRules[0]; {"apiGroups": ["apps", ""], "resources": ["deployments"], "verbs": ["get", "patch"]}
kubernetes.containerMemoryLimit; "512Mi"; "64Gi"
kubernetes.egressPorts; [1, 65535]; [443]
kubernetes.egressBlockedCidrs; ["10.0.0.0/8", "169.254.0.0/16"]; ["0.0.0.0/1", "128.0.0.0/1"]; ["169.254.0.0/16"]
runners[0].name; "d"; "<20>"; "preview"; "a-1-b"
runners[0].permissionSets; ["ContainersReadOnly"]
runners[0].concurrent; 1; 500
runners[0].jobTimeoutSeconds; 600; 86400
runners[0].pollTimeoutSeconds; 30; 3600
runners[0].image; "alpine"; "registry.example/a_b/c:1.2-x"; "<digest>"
runners[0].cpuRequest; "1"; "1500m"
runners[0].memoryRequest; "512Mi"; "16Gi"
runners[0].condition; "x"; "<2000>"; "inIpRange(request.ip, '203.0.113.0/24')"
rotation.days; 2; 90
rotation.overlapDays; 1; 29
rotation.serial; 0; 1000000
stateBackend.bucket; "abc"; "<63>"; "acme.pulumi-state"
stateBackend.region; "nl-ams"; "pl-waw"
runnerChart.repository; "http://127.0.0.1:8080/charts"
gitlab.project; "a/b"; "group/sub.group/app_1"
gitlab.furtherProjects[0]; "a/b"; "group/sub.group/app_1"
gitlab.operationsProject; "acme/app"; null
gitlab.schedules.rotation.enabled; false
gitlab.schedules.rotation.timezone; "Europe/Paris"; "Etc/GMT+1"
gitlab.schedules.rotation.cron; "0 0 * * *"; "59 23 * * *"; "*/15 1-5,22 * * *"
gitlab.schedules.drift.enabled; false
gitlab.schedules.drift.cron; "* * * * *"; "0 6 1,15 1-12 1-5"; "0-30/10 */2 31 12 7"
gitlab.premium; true; false
gitlab.deployment.kind; "development"; "testing"; "staging"; "production"; "other"
gitlab.deployment.deployAccessLevel; "developer"; "maintainer"
gitlab.deployment.requiredApprovals; 0; 5
gitlab.releaseTags; "v*"; "release/1.*"; "a_b-c"; null
gitlab.url; "http://127.0.0.1:8080/"
gitlab.branch.name; "main"; "release/1.0"; "entwicklung-ü"
gitlab.branch.mergeAccessLevel; "no one"; "developer"; "maintainer"
gitlab.branch.pushAccessLevel; "no one"; "developer"; "maintainer"
gitlab.promotionToken.enabled; true; false
gitlab.promotionToken.accessLevel; "maintainer"
gitlab.promotionToken.expirationDays; 31; 365
gitlab.promotionToken.rotateBeforeDays; 1; 89
gitlab.variables; {"APP_NAME": "a $b", "_x1": ""}
"""


def rows(table: str) -> Iterator[list[str]]:
    for line in table.strip().splitlines():
        for macro, text in {**PATTERNS, **LONG, "<digest>": DIGEST}.items():
            line = line.replace(macro, text)
        yield line.split("; ")


def path_of(key: str) -> str:
    """conftest's way to write a key."""
    return re.sub(r"\[(\d+)\]", r".\1", key)


# What must be there around a key before it can be set.
AROUND: dict[str, dict[str, Any]] = {
    "runners[0].projects": {"runners": [{"projects": ["acme/app"]}]},
    "runners[0].appClusterRules": {
        "runners": [{"appClusterRules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}]
    },
    "runners": {"runners": [{"permissionSets": ["x"]}]},
    "cluster.apiAllowedCidrs": {"cluster.apiAllowedCidrs": ["0.0.0.0/0"]},
    "kubernetes.deployerRules": {
        "kubernetes.deployerRules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    },
    "kubernetes.egressPorts": {"kubernetes.egressPorts": [443]},
    "kubernetes.egressBlockedCidrs": {"kubernetes.egressBlockedCidrs": ["169.254.0.0/16"]},
    "gitlab.deployment.requiredApprovals": {"gitlab.premium": True},
    "gitlab.furtherProjects": {"gitlab.furtherProjects": ["acme/x"], "gitlab.operationsProject": None},
    "rotation.days": {"rotation.overlapDays": 1},
    "stateBackend": {
        "stateBackend": {"bucket": "state", "projectId": "11111111-2222-3333-4444-555555555555", "region": "fr-par"}
    },
}


def changes(key: str, value: Any) -> dict[str, Any]:
    around: dict[str, Any] = next((copy.deepcopy(a) for start, a in AROUND.items() if key.startswith(start)), {})
    return around | {path_of(key): value}


@pytest.mark.parametrize("row", list(rows(WRONG)), ids=lambda row: f"{row[0]}={row[1][:20]}")
def test_a_wrong_value_is_told_with_the_way_to_mend_it(problems: Callable[..., list[str]], row: list[str]) -> None:
    key, wrong, rule, consequence, right = row
    value = json.loads(wrong)
    shown = repr(value) if isinstance(value, str) else wrong
    if len(shown) > 60:
        shown = shown[:59] + "…"
    fix = f"pulumi config set --path {shlex.quote(key)} {shlex.quote(right)}"
    assert problems(changes(key, value)) == [f"{key} = {shown} (Pulumi.dev.yaml): {rule}, or {consequence}. Fix: {fix}"]


@pytest.mark.parametrize("row", list(rows(WRONG)), ids=lambda row: f"{row[0]}={row[1][:20]}")
def test_the_value_that_the_fix_sets_is_right(parse: Any, row: list[str]) -> None:
    key, _, rule, _, right = row
    told: list[str] = []
    try:
        parse(changes(key, right))
    except ConfigError as error:  # another rule may not hold yet: the fix of one key knows no other
        told = [problem.rule for problem in error.problems]
    assert rule not in told


@pytest.mark.parametrize("row", list(rows(RIGHT)), ids=lambda row: row[0])
def test_values_at_the_limits_are_taken(parse: Any, row: list[str]) -> None:
    key, *rights = row
    for right in rights:
        value = json.loads(right)
        found = parse(changes(key, value)).model_dump(mode="json", by_alias=True)
        for part in path_of(key).split("."):
            found = found[int(part) if part.isdigit() else part]
        assert found == value


def test_every_key_is_in_the_table_of_wrong_values() -> None:
    """A new key without a row here fails."""

    def leaves(model: type[BaseModel], path: str) -> Iterator[str]:
        for field in model.model_fields.values():
            inner = [
                c
                for c in (field.annotation, *get_args(field.annotation))
                if isinstance(c, type) and issubclass(c, Section)
            ]
            if inner:
                yield from leaves(inner[0], f"{path}{field.alias}.")
            else:
                yield f"{path}{field.alias}"

    tried = {re.sub(r"\[\d+\]", "", row[0]) for row in rows(WRONG)}
    # Each project has both keys; one of each is enough. Variables are free; see test_settings_errors.py.
    tried |= {f"projects.{p}.{k}" for p in ("devops", "target", "credentials") for k in ("name", "id")}
    assert set(leaves(settings.Settings, "")) - tried == {"gitlab.variables"}
    assert tried <= set(leaves(settings.Settings, ""))


def test_a_permission_set_is_the_least_that_a_runner_has(problems: Callable[..., list[str]]) -> None:
    assert problems({"runners": [{"permissionSets": []}]}) == [
        "runners[0].permissionSets (Pulumi.dev.yaml): must have at least 1 item, or every job is refused by Scaleway. "
        "Fix: pulumi config set-all --path"
        " --plaintext 'runners[0].permissionSets[0]=ContainerRegistryFullAccess'"
        " --plaintext 'runners[0].permissionSets[1]=KubernetesFullAccess'"
        " --plaintext 'runners[0].permissionSets[2]=PrivateNetworksFullAccess'"
        " --plaintext 'runners[0].permissionSets[3]=VPCFullAccess'"
    ]
