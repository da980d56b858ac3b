"""The profile of pytest: servers come from tests/conftest.py through the environment."""

from config import env
from config.settings.base import *  # noqa: F403 - a profile is the base with its own values
from config.settings.base import postgres

SECRET_KEY = "tests only: not a secret, never used outside pytest"
OMS_MASTER_KEYS = f"test:{'A' * 43}="
DATABASES = {"default": {**postgres(env.required("DATABASE_URL")), "CONN_MAX_AGE": 0}}
REDIS_URL = env.required("REDIS_URL")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CELERY_BROKER_URL = "memory://"
