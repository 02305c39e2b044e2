"""Which versions are pinned where, and what newer ones there are."""
