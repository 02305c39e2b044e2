"""The policy pack: `pulumi preview --policy-pack policies`. Every rule is mandatory."""

from pulumi_policy import EnforcementLevel, PolicyPack

# The engine runs this folder by its path, under whatever name it was published, so the rules are beside this file.
from rules.pack import policies  # type: ignore[import-not-found] # beside this file, where the engine starts it

PolicyPack("kapsule-devops", policies=policies(), enforcement_level=EnforcementLevel.MANDATORY)
