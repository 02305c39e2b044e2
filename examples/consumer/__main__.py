"""Another team's stack: a registry for its images, where the environment's jobs may push and deploy from.

Owns: a registry namespace. Owns nothing of the environment: project, region, tag and namespace are what its stack tells,
read with types by `kapsule_devops_outputs.py`. The key is the one that Scaleway's tools find, in a job the mounted file.

Outputs (none secret): `registry` (where images are pushed), `deployJob` (what a job must say to be run with the key).
"""

import kapsule_devops_outputs
import pulumi
import pulumiverse_scaleway as scaleway

config = pulumi.Config()
environment = kapsule_devops_outputs.read(config.require("environmentStack"))
deploy = environment.apply(lambda found: found.runner("deploy"))

registry = scaleway.registry.Namespace(
    "images",
    name=config.require("registry"),
    project_id=environment.apply(lambda found: found.target_project_id),
    region=environment.apply(lambda found: found.region),
    is_public=False,
)

pulumi.export("registry", registry.endpoint)
pulumi.export(
    "deployJob",
    {
        "tags": [deploy.apply(lambda found: found.tag)],
        "environment": environment.apply(lambda found: found.environment),
        "branch": environment.apply(lambda found: found.branch),
    },
)
