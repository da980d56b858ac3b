"""The profile static checks load: no server, no secret, nothing read from the environment."""

from config.settings.base import *  # noqa: F403 - a profile is the base with its own values
from config.settings.base import postgres

OMS_MASTER_KEYS = ""
SECRET_KEY = "static checks only: nothing is signed with it"
DATABASES = {"default": postgres("postgresql://nobody@/none")}
REDIS_URL = "unix:///none"
CELERY_BROKER_URL = "memory://"
