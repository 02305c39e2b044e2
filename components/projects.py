"""The environment's Scaleway projects."""

from dataclasses import dataclass

import pulumi
import pulumiverse_scaleway as scaleway

from sections.cloud import ProjectSettings, ProjectsSettings


@dataclass(frozen=True, kw_only=True)
class ProjectsArgs:
    """`settings`: for each project a name (it is created) or an id (it is taken); `environment` is for descriptions.

    `protected` projects are not deleted: the engine refuses to.
    """

    settings: ProjectsSettings
    environment: str
    protected: bool


@dataclass(frozen=True, kw_only=True)
class TakenProjects:
    """In the place of `Projects`, where somebody else owns them: ids (UUIDs) that may be known only later."""

    target_id: pulumi.Input[str]
    credentials_id: pulumi.Input[str]


class Projects(pulumi.ComponentResource):
    """Projects that keep the reach of keys apart: for the cluster, for what pipelines deploy, for the copies of keys.

    Owns: the projects that settings give by name. Does not own those given by id: they are used and never changed, nor
    the organization, whose id comes with the credentials of whoever runs the program.

    Outputs (none secret): `devops_id` (None where the cluster is another environment's), `target_id`, `credentials_id`
    (UUIDs).
    Source: Scaleway, "Projects"; a policy rule reaches exactly the projects that it names.
    """

    devops_id: pulumi.Output[str] | None
    target_id: pulumi.Output[str]
    credentials_id: pulumi.Output[str]

    def __init__(self, name: str, args: ProjectsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kapsule-devops:scaleway:Projects", name, None, opts)
        self._environment, self._protected = args.environment, args.protected
        devops = args.settings.devops
        self.devops_id = self._id(f"{name}-devops", devops, "runners' cluster and network") if devops else None
        self.target_id = self._id(f"{name}-target", args.settings.target, "what pipelines deploy")
        self.credentials_id = self._id(f"{name}-credentials", args.settings.credentials, "copies of pipelines' keys")
        self.register_outputs(
            {"devopsId": self.devops_id, "targetId": self.target_id, "credentialsId": self.credentials_id}
        )

    def _id(self, name: str, settings: ProjectSettings, purpose: str) -> pulumi.Output[str]:
        if settings.id is not None:
            return pulumi.Output.from_input(settings.id)
        project = scaleway.account.Project(
            name,
            name=settings.name,
            description=f"{self._environment}: {purpose}",
            opts=pulumi.ResourceOptions(parent=self, protect=self._protected, retain_on_delete=self._protected),
        )
        return project.id
