"""The profile of a real deployment: nothing has a default that could be wrong."""

import sentry_sdk
from django.core.exceptions import ImproperlyConfigured

from config import env
from config.settings.base import *  # noqa: F403 - a profile is the base with its own values
from config.settings.base import BASE_DIR, postgres
from config.telemetry import without_business_data

SECRET_KEY = env.required("SECRET_KEY")
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY is shorter than 50 characters; make a longer one.")
OMS_MASTER_KEYS = env.required("OMS_MASTER_KEYS")  # id:base64 of 32 bytes, the current one first
OMS_ENVIRONMENT = env.text("OMS_ENVIRONMENT", "PROD")
OMS_DOMAIN = env.required("OMS_DOMAIN")
ALLOWED_HOSTS = [OMS_DOMAIN, f".{OMS_DOMAIN}"]
DATABASES = {"default": postgres(env.required("DATABASE_URL"))}
REDIS_URL = env.required("REDIS_URL")
CELERY_BROKER_URL = REDIS_URL

STATIC_ROOT = BASE_DIR / "staticfiles"
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^health/"]  # probes speak plain HTTP to the process itself
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
CSRF_TRUSTED_ORIGINS = [f"https://{OMS_DOMAIN}", f"https://*.{OMS_DOMAIN}"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

if SENTRY_DSN := env.text("SENTRY_DSN"):
    sentry_sdk.init(dsn=SENTRY_DSN, before_send=without_business_data, send_default_pii=False)
