"""``python -m config.deploy_check``: Django's deployment checks over the production profile.

The values below stand in for a deployment's own; nothing connects to them.
"""

import os
import secrets
import subprocess
import sys

STAND_INS = {
    "OMS_MASTER_KEYS": f"check:{'A' * 43}=",
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "OMS_DOMAIN": "oms.example.com",
    "DATABASE_URL": "postgresql://blotter@db.example.com/blotter",
    "REDIS_URL": "redis://redis.example.com/0",
}


def main() -> int:
    """Return the exit status of ``check --deploy``; a warning fails as an error does."""
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env={**os.environ, **STAND_INS, "SECRET_KEY": secrets.token_urlsafe(64)},
        check=False,
    ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
