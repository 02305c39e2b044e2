"""The sections of the settings: each key with its type, range, default, meaning, and what goes wrong without it.

Owns the rules that concern one key. Does not own rules between keys (`setting_rules.py`, `cluster_rules.py`), nor reading
(`settings.py`).
"""
