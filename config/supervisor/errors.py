"""The one failure of `up` that is no accident: a line for the person who started it."""


class UpError(Exception):
    """The system cannot come up; the message is one line: what, why, what to do."""
