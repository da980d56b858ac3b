"""Secrets taken out of messages before anybody sees them."""

import json
import re
from typing import Any

HIDDEN = "[removed]"
_NAMES = (
    "password", "passwd", "newpassword", "secret", "token", "apikey", "accesskey", "privatekey",
    "authorization", "signature", "sign", "cookie", "passphrase", "credential", "credentials",
)  # fmt: skip
# Logon password and its new one, encrypted forms, raw data and signature of FIX messages.
_FIX_TAGS = ("554", "925", "1400", "1402", "1404", "96", "89")
_SOH = "\x01"
_FIX = re.compile(rf"(?:^|(?<=[|{_SOH}]))({'|'.join(_FIX_TAGS)})=[^|{_SOH}]*")
_PAIR = re.compile(
    r"(?i)\b([\w-]*(?:password|passwd|secret|token|api[_-]?key|signature|passphrase))"
    r"(\s*[=:]\s*)(?:\"[^\"]*\"|[^\s&|,;]+)"
)
_AUTHORIZATION = re.compile(r"(?i)\b(authorization\s*[:=]\s*)[^\r\n|]+")


def without_secrets(raw: str) -> str:
    """Return a message as it may be shown: values under secret names are replaced.

    JSON keeps its form unless something had to go; FIX and plain ``name=value`` text likewise.
    """
    try:
        content = json.loads(raw)
    except ValueError:
        return _text_without(raw)
    cleaned = _cleaned(content)
    return raw if cleaned == content else json.dumps(cleaned, separators=(",", ":"))


def _text_without(text: str) -> str:
    text = _FIX.sub(lambda hit: f"{hit[1]}={HIDDEN}", text)
    text = _AUTHORIZATION.sub(lambda hit: f"{hit[1]}{HIDDEN}", text)
    return _PAIR.sub(lambda hit: f"{hit[1]}{hit[2]}{HIDDEN}", text)


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: HIDDEN if _is_secret(key) else _cleaned(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    return _text_without(value) if isinstance(value, str) else value


def _is_secret(name: str) -> bool:
    plain = re.sub(r"[^a-z]", "", name.lower())
    return plain in _NAMES or plain.endswith(("password", "secret", "token", "apikey"))
