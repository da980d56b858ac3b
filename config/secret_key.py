"""The signing key of a local state directory: made once, at random, readable by its owner only."""

import os
import secrets
from pathlib import Path


def stored_secret_key(state_dir: Path) -> str:
    """Return the key of this state directory, making it on first use (safe against races)."""
    state_dir.mkdir(parents=True, exist_ok=True)
    path = state_dir / "secret_key"
    try:
        return path.read_text()
    except FileNotFoundError:
        draft = state_dir / f".secret_key.{os.getpid()}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)  # fails where another process was first: its key is the key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_text()
