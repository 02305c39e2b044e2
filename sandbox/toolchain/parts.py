"""What the toolchain consists of: each part's sources, pins and build flags. One table, no logic.

The parts are the real thing, built from their published Go modules; only the two launchers that `sandbox.home` writes
(language host, GitLab plugin) are stand-ins. Versions are pinned here and in each part's go.mod and go.sum:

* Those of the engine and of both plugins equal the Python SDKs' in requirements.txt.
* The Scaleway plugin's is not the newest: later SDKs have arguments (Pool.userData, ApiKey.secretId) that the newest
  upstream provider module to be had, v2.81.0, lacks.
"""

from dataclasses import dataclass

KUBERNETES_VERSION = "1.36.3"
PULUMI_VERSION = "3.259.0"
SCALEWAY_PLUGIN_VERSION = "1.56.1"
KUBERNETES_PLUGIN_VERSION = "4.25.0"

_COMPONENT_VERSION = "k8s.io/component-base/version"


@dataclass(frozen=True, kw_only=True)
class ModuleFile:
    """A file of a Go module that a part needs: embedded in the build (`beside_source`) or kept beside the binary."""

    module: str
    path: str
    beside_source: bool = False


@dataclass(frozen=True, kw_only=True)
class ModuleEdit:
    """A module that is built from a copy, in which regular expressions replace what stands in one file.

    Each must match, or the build fails: another version of the module needs another edit, or none.
    """

    module: str
    path: str
    replaced: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One binary. `folder` holds its Go module in this package; `variables` are set by the linker."""

    folder: str
    what: str
    binary: str
    package: str = "."
    variables: dict[str, str]
    files: tuple[ModuleFile, ...] = ()
    edits: tuple[ModuleEdit, ...] = ()


_KWOK = "sigs.k8s.io/kwok"
_KUBERNETES_PLUGIN = "github.com/pulumi/pulumi-kubernetes/provider/v4"
_KUBERNETES_SDK = "github.com/pulumi/pulumi-kubernetes/sdk/v4"

CONTROL_PLANE = Part(
    folder="kubernetes-cluster",
    what=f"Kubernetes {KUBERNETES_VERSION} control plane (etcd, API server, controllers, scheduler, kwok)",
    binary="kubernetes-cluster",
    variables={
        f"{_COMPONENT_VERSION}.gitVersion": f"v{KUBERNETES_VERSION}",
        f"{_COMPONENT_VERSION}.gitMajor": KUBERNETES_VERSION.split(".")[0],
        f"{_COMPONENT_VERSION}.gitMinor": KUBERNETES_VERSION.split(".")[1],
    },
    files=(
        ModuleFile(module=_KWOK, path="kustomize/stage/node/fast/node-initialize.yaml"),
        ModuleFile(module=_KWOK, path="kustomize/stage/pod/fast/pod-ready.yaml"),
        ModuleFile(module=_KWOK, path="kustomize/stage/pod/fast/pod-complete.yaml"),
        ModuleFile(module=_KWOK, path="kustomize/stage/pod/fast/pod-delete.yaml"),
    ),
)

ENGINE = Part(
    folder="pulumi-cli",
    what=f"Pulumi {PULUMI_VERSION} (command line and engine)",
    binary="pulumi",
    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    variables={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": f"v{PULUMI_VERSION}"},
    files=(ModuleFile(module="github.com/pulumi/pulumi/sdk/v3", path="python/cmd/pulumi-language-python-exec"),),
)

SCALEWAY_PLUGIN = Part(
    folder="scaleway-plugin",
    what=f"Scaleway provider {SCALEWAY_PLUGIN_VERSION}",
    binary="pulumi-resource-scaleway",
    variables={"main.version": SCALEWAY_PLUGIN_VERSION},
)

KUBERNETES_PLUGIN = Part(
    folder="kubernetes-plugin",
    what=f"Kubernetes provider {KUBERNETES_PLUGIN_VERSION}, Helm included",
    binary="pulumi-resource-kubernetes",
    variables={"main.version": KUBERNETES_PLUGIN_VERSION},
    files=tuple(
        ModuleFile(module=_KUBERNETES_PLUGIN, path=f"cmd/pulumi-resource-kubernetes/{name}.json", beside_source=True)
        for name in ("schema", "terraform-mapping")
    ),
    # The components that make resources of manifests (ConfigGroup, Chart v4) name a Go type for each of 158 kinds, and use
    # nothing of it but that it is a resource. With one type for all, 60 packages of the SDK, a quarter of all that is
    # compiled, need not be: the binary has 125 MB instead of 308. The resources' types and inputs stay as they are.
    edits=(
        ModuleEdit(
            module=_KUBERNETES_SDK,
            path="go/kubernetes/yaml/v2/kinds.go",
            replaced=(
                (r"var res \w+\.\w+", "var res pulumi.CustomResourceState"),
                (rf'\n\t(\w+ )?"{_KUBERNETES_SDK}/[^"]*"', ""),
            ),
        ),
    ),
)

ALL = (SCALEWAY_PLUGIN, ENGINE, CONTROL_PLANE, KUBERNETES_PLUGIN)
