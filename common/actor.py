"""Who is acting: a value every service takes, every event names and every log line carries."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from common.errors import Forbidden


class ActorKind(StrEnum):
    """What stands behind an actor."""

    USER = "user"
    API_KEY = "api_key"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, a program or the system itself, inside one tenant.

    ``accounts`` is None where every account of the tenant is in reach, else the codes that are.
    """

    kind: ActorKind
    id: str
    name: str
    schema: str
    scopes: frozenset[str]
    role: str | None = None
    accounts: Collection[str] | None = None

    @property
    def label(self) -> str:
        """The form events store, such as ``user:alice@acme.test``."""
        return f"{self.kind}:{self.name}"

    def may(self, scope: str) -> bool:
        """Whether the scope is held; ``x:write`` includes ``x:read``."""
        if scope in self.scopes:
            return True
        noun, _, verb = scope.partition(":")
        return verb == "read" and f"{noun}:write" in self.scopes

    def require(self, scope: str) -> None:
        """:raises Forbidden: if the scope is not held."""
        if not self.may(scope):
            raise Forbidden(
                f"This needs the scope {scope}; ask an owner or admin of the firm for it."
            )

    def reaches(self, account_code: str) -> bool:
        """Whether this actor may see and use the account."""
        return self.accounts is None or account_code in self.accounts


def system_actor(schema: str, name: str) -> Actor:
    """The actor of our own loops (gateway, reconciliation, beat); it holds no scopes."""
    return Actor(ActorKind.SYSTEM, name, name, schema, frozenset())
