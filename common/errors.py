"""One family of refusals, so that every door answers with the same shape.

``Refused`` is an answer, not an incident: it is never sent to Sentry. Each verb defines its own
subclass beside it; the edge (``common.http.problems``) knows only this base class.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One row of ``errors[]`` in a problem answer.

    ``extra`` joins the row as further members (a risk breach adds rule, value, limit and unit).
    """

    field: str
    code: str
    message: str
    extra: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class Refused(Exception):
    """A request we understood and do not carry out.

    ``detail`` says what is wrong, why and what to do. ``extra`` joins the problem object as
    further members (``order`` of a denied order); ``headers`` join the HTTP answer.
    """

    code: ClassVar[str] = "refused"
    http_status: ClassVar[int] = 422
    title: ClassVar[str] = "The request was refused"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})


class NotFound(Refused):
    """Absent, or not the asker's to see: both answer with the same bytes."""

    code = "not_found"
    http_status = 404
    title = "Not found"

    def __init__(self, detail: str = "There is no such object here.") -> None:
        super().__init__(detail)


class Unauthenticated(Refused):
    """No credentials, or none that hold."""

    code = "unauthenticated"
    http_status = 401
    title = "Authentication is required"


class Forbidden(Refused):
    """Known, but the role or the key's scope does not reach this far."""

    code = "insufficient_scope"
    http_status = 403
    title = "This is not permitted"


class Invalid(Refused):
    """Well-formed, but a value is not acceptable; ``errors`` name the fields."""

    code = "invalid"
    http_status = 422
    title = "A value is not acceptable"


class StateConflict(Refused):
    """The object is in a state that does not allow the request."""

    code = "state_conflict"
    http_status = 409
    title = "The object's state does not allow this"
