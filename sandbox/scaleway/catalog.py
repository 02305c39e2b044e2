"""What Scaleway sells, as far as the stand-in knows it: Kubernetes versions, cluster types and node types.

Owns the tables only; the products ask it. Prices, and what is sold in which zone, are those of the Scaleway provider's
recording `instance/data-source-server-type-compare-with-pcu`, of 30 July 2026.
"""

from dataclasses import dataclass

from sandbox.scaleway.common import ZONES

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
    """A type of Instance; memory in GiB, local storage in GB (0 where it has only block storage).

    `hourly` is its price in EUR without a zone's surcharge, `lacking` where it is not sold, of the zones with known prices.
    """

    cpu: int
    memory_gib: int
    hourly: float
    local_gb: int = 0
    arch: str = "x86_64"
    lacking: tuple[str, ...] = ()

    def price(self, zone: str) -> float | None:
        """EUR per hour; None where it is not sold."""
        return None if zone in self.lacking or zone not in _PRICED else round(self.hourly * _SURCHARGE.get(zone, 1), 6)


_PRICED = (*ZONES["fr-par"], *ZONES["nl-ams"], *ZONES["pl-waw"])
_SURCHARGE = {"fr-par-3": 1.5}
_THIRD = ("fr-par-3", "nl-ams-3", "pl-waw-3")  # each lacks some types

NODE_TYPES = {
    "DEV1-M": NodeType(3, 4, 0.020196, 40, lacking=_THIRD),
    "DEV1-L": NodeType(4, 8, 0.04284, 80, lacking=_THIRD),
    "DEV1-XL": NodeType(4, 12, 0.065076, 120, lacking=_THIRD),
    "GP1-XS": NodeType(4, 16, 0.09282, 150, lacking=_THIRD[1:]),
    "GP1-S": NodeType(8, 32, 0.19074, 300, lacking=_THIRD[1:]),
    "GP1-M": NodeType(16, 64, 0.38352, 600, lacking=_THIRD[1:]),
    "GP1-L": NodeType(32, 128, 0.77418, 600, lacking=_THIRD),
    "GP1-XL": NodeType(48, 256, 1.67382, 600, lacking=_THIRD),
    "PLAY2-NANO": NodeType(2, 4, 0.02754, lacking=_THIRD[:1]),
    "PLAY2-MICRO": NodeType(4, 8, 0.05508, lacking=_THIRD[:1]),
    "PRO2-XXS": NodeType(2, 8, 0.0561),
    "PRO2-XS": NodeType(4, 16, 0.1122),
    "PRO2-S": NodeType(8, 32, 0.22338),
    "PRO2-M": NodeType(16, 64, 0.44676),
    "PRO2-L": NodeType(32, 128, 0.89454),
    # No zone lists them any more.
    "COPARM1-2C-8G": NodeType(2, 8, 0, arch="arm64", lacking=_PRICED),
    "COPARM1-4C-16G": NodeType(4, 16, 0, arch="arm64", lacking=_PRICED),
    "COPARM1-8C-32G": NodeType(8, 32, 0, arch="arm64", lacking=_PRICED),
} | {
    f"POP2{family}-{cpu}C-{cpu * ratio}G": NodeType(cpu, cpu * ratio, hourly, lacking=lacking)
    for family, ratio, prices, lacking in (
        ("", 4, (0.0735, 0.147, 0.29, 0.59, 1.18, 2.35), ()),
        ("-HC", 2, (0.0532, 0.1064, 0.2128, 0.4256, 0.8512, 1.7024), ()),
        ("-HM", 8, (0.103, 0.206, 0.412, 0.824, 1.648, 3.296), ("pl-waw-1",)),
    )
    for cpu, hourly in zip((2, 4, 8, 16, 32, 64), prices, strict=True)
}
