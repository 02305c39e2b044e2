"""What Scaleway sells, as far as the stand-in knows it: Kubernetes versions, cluster types and node types.

Owns the tables only; the products ask it. Not a price list: prices are left at zero, because nothing reads them.
"""

from dataclasses import dataclass

_KUBELET_ARGS = {
    "containerLogMaxFiles": "uint16",
    "containerLogMaxSize": "quantity",
    "cpuCFSQuota": "bool",
    "cpuCFSQuotaPeriod": "duration",
    "cpuManagerPolicy": "enum:none|static",
    "cpuManagerPolicyOptions": "map[string]string",
    "enableDebuggingHandlers": "bool",
    "evictionHard": "map[string]string",
    "evictionMinimumReclaim": "map[string]string",
    "imageGCHighThresholdPercent": "uint32",
    "imageGCLowThresholdPercent": "uint32",
    "maxParallelImagePulls": "int32",
    "maxPods": "uint16",
    "registryBurst": "int32",
    "registryPullQPS": "int32",
    "serializeImagePulls": "bool",
}
_FEATURE_GATES = ["HPAScaleToZero", "CPUManagerPolicyAlphaOptions", "ImageVolume", "MutatingAdmissionPolicy"]
_OLDER_FEATURE_GATES = [
    "HPAScaleToZero",
    "DRAAdminAccess",
    "DynamicResourceAllocation",
    "PodLevelResources",
    "CPUManagerPolicyAlphaOptions",
    "ImageVolume",
]
_CNIS = ["cilium", "cilium_native", "calico", "kilo", "none"]

CLUSTER_TYPES = (
    "kapsule",
    "kapsule-dedicated-4",
    "kapsule-dedicated-8",
    "kapsule-dedicated-16",
    "multicloud",
    "multicloud-dedicated-4",
    "multicloud-dedicated-8",
    "multicloud-dedicated-16",
)


@dataclass(frozen=True, kw_only=True)
class KubernetesVersion:
    """A version that Kapsule offers; dates are days."""

    name: str
    cnis: list[str]
    feature_gates: list[str]
    released: str
    deprecated: str
    end_of_life: str

    def shown(self, region: str) -> dict[str, object]:
        return {
            "region": region,
            "name": self.name,
            "label": f"Kubernetes {self.name}",
            "available_cnis": self.cnis,
            "available_container_runtimes": ["containerd"],
            "available_feature_gates": self.feature_gates,
            "available_admission_plugins": ["AlwaysPullImages", "PodNodeSelector", "PodTolerationRestriction"],
            "available_kubelet_args": _KUBELET_ARGS,
            "deprecated_at": f"{self.deprecated}T00:00:00Z",
            "end_of_life_at": f"{self.end_of_life}T00:00:00Z",
            "released_at": f"{self.released}T00:00:00Z",
        }


# Newest first, one patch version a minor version, as the API lists them.
VERSIONS = {
    version.name: version
    for version in (
        KubernetesVersion(
            name="1.35.3",
            cnis=_CNIS,
            feature_gates=_FEATURE_GATES,
            released="2026-01-19",
            deprecated="2027-01-19",
            end_of_life="2027-03-19",
        ),
        KubernetesVersion(
            name="1.34.6",
            cnis=_CNIS,
            feature_gates=_FEATURE_GATES,
            released="2025-09-29",
            deprecated="2026-09-29",
            end_of_life="2026-11-29",
        ),
        KubernetesVersion(
            name="1.33.10",
            cnis=[cni for cni in _CNIS if cni != "cilium_native"],
            feature_gates=_OLDER_FEATURE_GATES,
            released="2025-09-04",
            deprecated="2026-09-04",
            end_of_life="2026-11-04",
        ),
    )
}


def numbers(version: str) -> tuple[int, ...]:
    """1.35.3 as (1, 35, 3), so that versions compare."""
    return tuple(int(part) for part in version.split("."))


def upgrades(version: str) -> list[str]:
    """The versions that a cluster of this version may be upgraded to: newer patches, and the next minor version."""
    major, minor, *_ = numbers(version)
    return [v for v in VERSIONS if numbers(v) > numbers(version) and numbers(v)[:2] <= (major, minor + 1)]


@dataclass(frozen=True)
class NodeType:
    """A type of Instance; memory in GiB, local storage in GB (0 where it has only block storage)."""

    cpu: int
    memory_gib: int
    local_gb: int = 0
    arch: str = "x86_64"


NODE_TYPES = {
    "DEV1-M": NodeType(3, 4, 40),
    "DEV1-L": NodeType(4, 8, 80),
    "DEV1-XL": NodeType(4, 12, 120),
    "GP1-XS": NodeType(4, 16, 150),
    "GP1-S": NodeType(8, 32, 300),
    "GP1-M": NodeType(16, 64, 600),
    "GP1-L": NodeType(32, 128, 600),
    "GP1-XL": NodeType(48, 256, 600),
    "PLAY2-NANO": NodeType(2, 4),
    "PLAY2-MICRO": NodeType(4, 8),
    "PRO2-XXS": NodeType(2, 8),
    "PRO2-XS": NodeType(4, 16),
    "PRO2-S": NodeType(8, 32),
    "PRO2-M": NodeType(16, 64),
    "PRO2-L": NodeType(32, 128),
    "COPARM1-2C-8G": NodeType(2, 8, arch="arm64"),
    "COPARM1-4C-16G": NodeType(4, 16, arch="arm64"),
    "COPARM1-8C-32G": NodeType(8, 32, arch="arm64"),
} | {
    f"POP2{family}-{cpu}C-{cpu * ratio}G": NodeType(cpu, cpu * ratio)
    for family, ratio in (("", 4), ("-HC", 2), ("-HM", 8))
    for cpu in (2, 4, 8, 16, 32, 64)
}
