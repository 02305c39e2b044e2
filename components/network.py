"""The private network that a cluster is attached to."""

from dataclasses import dataclass

import pulumi
import pulumiverse_scaleway as scaleway

from sections.cloud import NetworkSettings, ScalewaySettings


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """`project_id` (UUID) is where the network is made."""

    settings: NetworkSettings
    location: ScalewaySettings
    environment: str
    project_id: pulumi.Input[str]


class Network(pulumi.ComponentResource):
    """A VPC with one private network; Kapsule demands one.

    Owns: both. Does not own gateways or routes: nodes reach the internet by their own public addresses.

    Outputs (none secret): `private_network_id` (regional id, `fr-par/…`).
    Source: Scaleway, "Kubernetes Kapsule: private networks".
    """

    private_network_id: pulumi.Output[str]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:scaleway:Network", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        vpc = scaleway.network.Vpc(
            f"{name}-vpc",
            name=f"devops-{args.environment}",
            project_id=args.project_id,
            region=args.location.region,
            opts=child,
        )
        network = scaleway.network.PrivateNetwork(
            f"{name}-private",
            name=f"devops-{args.environment}",
            vpc_id=vpc.id,
            project_id=args.project_id,
            region=args.location.region,
            ipv4_subnet=scaleway.network.PrivateNetworkIpv4SubnetArgs(subnet=args.settings.ipv4_subnet),
            opts=child,
        )
        self.private_network_id = network.id
        self.register_outputs({"privateNetworkId": self.private_network_id})
