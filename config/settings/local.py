"""The profile of ``make run``: one machine, embedded servers unless the environment names some."""

from config import env
from config.secret_key import stored_master_keys, stored_secret_key
from config.settings.base import *  # noqa: F403 - a profile is the base with its own values
from config.settings.base import OMS_STATE_DIR, postgres

DATABASE_URL = env.text("DATABASE_URL")
REDIS_URL = env.text("REDIS_URL")
if not (DATABASE_URL and REDIS_URL):
    from config.embedded import layout

    _layout = layout.at(OMS_STATE_DIR)
    DATABASE_URL = DATABASE_URL or layout.database_url(_layout, "blotter")
    REDIS_URL = REDIS_URL or layout.redis_url(_layout)

DATABASES = {"default": postgres(DATABASE_URL)}
SECRET_KEY = env.text("SECRET_KEY") or stored_secret_key(OMS_STATE_DIR)
OMS_MASTER_KEYS = env.text("OMS_MASTER_KEYS") or stored_master_keys(OMS_STATE_DIR)
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace(
    "?db=", "?virtual_host="
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
