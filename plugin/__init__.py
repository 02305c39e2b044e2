"""The component of this repository as a package for other Pulumi programs."""
