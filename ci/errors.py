"""The one kind of error that a pipeline tool shows to its user."""


class CiError(Exception):
    """What is wrong, the rule, the consequence and the fix, in one line. Tools print it without a traceback."""

    def __init__(self, message: str) -> None:
        seen = "".join(c if c.isprintable() else " " for c in message)  # a name from outside could move the cursor
        super().__init__(" ".join(seen.split()))
