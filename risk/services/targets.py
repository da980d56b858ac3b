"""What a halt or a limit is set on has to exist."""

from common.errors import FieldError, Invalid


class UnknownTarget(Invalid):
    """A halt or limit names something this firm does not have, or names it where none belongs."""

    code = "unknown_target"
    title = "There is no such target"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, errors=[FieldError("target", self.code, detail)])
