"""People, their place in firms, and what they prove themselves with. All of it in ``public``."""

from datetime import datetime
from typing import Any, ClassVar, NoReturn

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.roles import Role
from tenants.models import Tenant


class NeverDeletedError(TypeError):
    """Users are deactivated: their name stands in events, audits and books."""


class UserQuerySet(models.QuerySet["User"]):
    """Users, without a delete."""

    def delete(self) -> NoReturn:
        """:raises NeverDeletedError: always."""
        raise NeverDeletedError("Users are deactivated, never deleted.")


class UserManager(BaseUserManager["User"]):
    """Makes users; ``get_by_natural_key`` finds them by e-mail in any case."""

    def get_queryset(self) -> UserQuerySet:
        """Return all users."""
        return UserQuerySet(self.model, using=self._db)

    def get_by_natural_key(self, username: str | None) -> "User":
        """:raises User.DoesNotExist: if nobody has the address."""
        return self.get(email=normal_email(username or ""))

    def create_user(
        self, email: str, password: str | None = None, *, name: str = "", **extra: Any
    ) -> "User":
        """Make a user; without a password nobody can log in as them."""
        user = self.model(email=normal_email(email), name=name, **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """Make a member of the platform's own staff."""
        return self.create_user(email, password, is_platform_staff=True, **extra)


def normal_email(email: str) -> str:
    """Return the one form an address is stored and looked up in."""
    return email.strip().lower()


class User(AbstractBaseUser):
    """A person. What they may do in a firm is their ``Membership`` there, nothing here.

    ``is_platform_staff`` opens the platform's own admin at the bare host; it gives no access to
    any firm's data.
    """

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_platform_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower")
        ]

    def __str__(self) -> str:
        return self.email

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        """:raises NeverDeletedError: always."""
        raise NeverDeletedError("Users are deactivated, never deleted.")

    @property
    def is_staff(self) -> bool:
        """Whether an admin site opens where we are bound now; Django's admin asks this name."""
        from accounts.backends import MembershipBackend

        return MembershipBackend().opens_admin(self)

    @property
    def is_superuser(self) -> bool:
        """No one is above the backends: permissions come from memberships."""
        return False

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Whether the auth backend grants a Django permission where we are bound now."""
        from accounts.backends import MembershipBackend

        return MembershipBackend().has_perm(self, perm, obj)

    def has_perms(self, perm_list: Any, obj: Any = None) -> bool:
        """Whether all the permissions are granted."""
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        """Whether any permission of the app is granted."""
        from accounts.backends import MembershipBackend

        return MembershipBackend().has_module_perms(self, app_label)


class Membership(models.Model):
    """A person's place in a firm."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=[(role.value, role.value) for role in Role])
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "tenant"], name="membership_once"),
            models.CheckConstraint(
                condition=Q(role__in=[role.value for role in Role]), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {self.role} of {self.tenant}"


class ApiKey(models.Model):
    """A program's credential. Only a keyed hash of the secret is kept.

    ``accounts`` is None for every account of the firm, else the codes in reach. A key never
    reaches further than the membership it was made under.
    """

    id = models.CharField(primary_key=True, max_length=16)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=120)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField()
    accounts = models.JSONField(null=True)
    ip_allowlist = models.JSONField(default=list)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"

    def is_live(self, now: datetime) -> bool:
        """Whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class LoginSession(models.Model):
    """One login with a password: the refresh token in force, and the end by logout.

    Only the hash of the newest refresh token is kept; an older one shown again ends the session,
    since either its owner or a thief holds a copy.
    """

    id = models.CharField(primary_key=True, max_length=26)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="sessions")
    refresh_digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    refreshed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    remote_addr = models.CharField(max_length=45, default="")

    def __str__(self) -> str:
        return f"{self.membership} since {self.created_at:%Y-%m-%d}"


class LoginFailures(models.Model):
    """How often a name or an address failed to log in within its window.

    In Postgres rather than Redis: a lost Redis must not give a guesser a fresh start, and a
    password hash costs more than this row.
    """

    subject = models.CharField(primary_key=True, max_length=64)
    failures = models.IntegerField()
    window_ends_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.subject[:8]}: {self.failures}"
