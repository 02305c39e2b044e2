"""A picture of a stack, made from its state: what there is, what belongs together, and what needs what."""
