"""Where the sandbox keeps its things: one folder (`.sandbox` in the checkout, or $SANDBOX_DIR), mode 0700."""

import os
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Folder:
    """The paths inside the sandbox's folder. All of it can be deleted while the sandbox is stopped."""

    root: Path

    @staticmethod
    def default() -> "Folder":
        chosen = os.environ.get("SANDBOX_DIR")
        return Folder(Path(chosen).absolute() if chosen else CHECKOUT / ".sandbox")

    def create(self) -> None:
        """Makes the folder and those inside it that others write to."""
        for path in (
            self.root,
            self.clusters,
            self.backend,
            self.bin,
            self.project,
            self.pulumi_home,
            self.helm,
            self.temporary,
        ):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def records(self) -> Path:
        """The stand-ins' records (SQLite)."""
        return self.root / "records.db"

    @property
    def requests(self) -> Path:
        """The request log (JSON Lines)."""
        return self.root / "requests.jsonl"

    @property
    def log(self) -> Path:
        return self.root / "sandbox.log"

    @property
    def lock(self) -> Path:
        """Held while a sandbox runs in this folder."""
        return self.root / "lock"

    @property
    def running(self) -> Path:
        """What the running sandbox says of itself (JSON): pid and addresses. Absent while none runs."""
        return self.root / "running.json"

    @property
    def clusters(self) -> Path:
        """A folder per control plane."""
        return self.root / "clusters"

    @property
    def backend(self) -> Path:
        """Pulumi's state, by its file backend."""
        return self.root / "state"

    def unfinished(self, stack: str) -> Path:
        """Is there from the beginning of an `up` of the stack until it has ended well."""
        return self.root / f"unfinished.{stack}"

    @property
    def passphrase(self) -> Path:
        """What encrypts the secrets in the state; made at random for this sandbox."""
        return self.root / "passphrase"

    @property
    def pulumi_home(self) -> Path:
        return self.root / "pulumi"

    @property
    def helm(self) -> Path:
        """Helm's cache and settings, so that the user's own are not touched."""
        return self.root / "helm"

    @property
    def bin(self) -> Path:
        """What the sandbox puts first on PATH."""
        return self.root / "bin"

    @property
    def project(self) -> Path:
        """Copies of Pulumi.yaml and the stack files; see `sandbox.home`."""
        return self.root / "project"

    @property
    def temporary(self) -> Path:
        """For the engine's and the plugins' temporary files: the Kubernetes one leaves kubeconfigs with tokens behind."""
        return self.root / "tmp"
