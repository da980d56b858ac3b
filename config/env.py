"""Every read of the process environment, so that a wrong value fails loudly and in one place."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    """Return the variable, or ``default`` where it is unset or empty."""
    return os.environ.get(name) or default


def required(name: str) -> str:
    """:raises ImproperlyConfigured: if the variable is unset or empty."""
    value = os.environ.get(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set; the production profile needs it.")
    return value


def flag(name: str, *, default: bool) -> bool:
    """:raises ImproperlyConfigured: if the value is neither a yes nor a no."""
    value = os.environ.get(name, "").lower()
    if value == "":
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r}: expected 1 or 0.")


def integer(name: str, default: int) -> int:
    """:raises ImproperlyConfigured: if the value is not a whole number."""
    value = os.environ.get(name, "")
    if value == "":
        return default
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r}: expected a whole number.") from None


def path(name: str, default: Path) -> Path:
    """Return the variable as an absolute path."""
    return Path(os.environ.get(name) or default).resolve()
