"""The rules, by theme. Each is a function over plain properties; `pack.py` alone knows the engine."""
