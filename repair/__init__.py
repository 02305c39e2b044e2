"""Brings Pulumi's state and what exists together again, after an update was cut off or a state was lost."""
