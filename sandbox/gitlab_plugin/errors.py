"""The plugin's error: a message for a person, without a traceback."""


class PluginError(Exception):
    """What the engine shows beside the resource. The message must not hold a token."""
