"""Charts of the sandbox's own, for those that no package registry serves, and the repository that hands them out."""
