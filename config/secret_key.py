"""Keys of a local state directory: made once, at random, readable by their owner only."""

import base64
import os
import secrets
from pathlib import Path


def stored_secret_key(state_dir: Path) -> str:
    """Return the signing key of this state directory."""
    return _stored(state_dir, "secret_key", secrets.token_urlsafe(48))


def stored_master_keys(state_dir: Path) -> str:
    """Return the keys that encrypt the credentials of connections (``brokers.envelope``)."""
    fresh = base64.b64encode(secrets.token_bytes(32)).decode()
    return _stored(state_dir, "master_keys", f"local-1:{fresh}")


def _stored(state_dir: Path, name: str, fresh: str) -> str:
    """What the file holds; ``fresh`` on first use (safe against races)."""
    state_dir.mkdir(parents=True, exist_ok=True)
    path = state_dir / name
    try:
        return path.read_text()
    except FileNotFoundError:
        draft = state_dir / f".{name}.{os.getpid()}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(fresh)
        try:
            os.link(draft, path)  # fails where another process was first: its key is the key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_text()
