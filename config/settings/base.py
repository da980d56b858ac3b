"""Settings that every profile shares. All reads of the environment go through ``config.env``."""

from datetime import timedelta
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from celery.schedules import crontab

from config import database_url, env
from config.settings import console

BASE_DIR = Path(__file__).resolve().parents[2]
# The API framework is no installed app: only the web process should pay for loading it. Its
# documentation page still needs its template and assets.
NINJA = Path(str(distribution("django-ninja").locate_file("ninja")))

OMS_ENVIRONMENT = env.text("OMS_ENVIRONMENT", "DEV")  # the label every console page bears
OMS_DOMAIN = env.text("OMS_DOMAIN", "localhost")
OMS_PORT = env.integer("OMS_PORT", 8000)
OMS_STATE_DIR = env.path("OMS_STATE_DIR", BASE_DIR / ".oms")
OMS_QUOTE_MAX_AGE_S = 5
OMS_REFERENCE_MAX_AGE_S = 60  # a last trade older than this judges no price
OMS_REFERENCE_MAX_SPREAD_BPS = 200  # a wider market has no meaningful midpoint
OMS_SLIPPAGE_EQUITY_BPS = 50  # room an amount of money is given for the price to turn worse
OMS_REPLAY_SECONDS_PER_DAY = env.integer("OMS_REPLAY_SECONDS_PER_DAY", 60)
# where the paper venue keeps its runs, to be played again by ``manage.py replay_tape``
OMS_PAPER_TAPES = Path(tapes).resolve() if (tapes := env.text("OMS_PAPER_TAPES")) else None
OMS_DEMO_HISTORY = env.flag("OMS_DEMO_HISTORY", default=True)  # past days of the demo firms
OMS_RESERVED_CASH = "risk.selectors.reserved_cash"  # portfolio lies below risk and asks by name
# A halt is lifted by another person than who set it; where a firm has no other, by the same one.
OMS_LIFT_ALONE = env.flag("OMS_LIFT_ALONE", default=True)
OMS_GATEWAY_HOLDER = env.text("OMS_GATEWAY_HOLDER")  # set by a supervisor of exactly one gateway
OMS_EVENT_SOURCE_TENANTS = "tenants.selectors.active_schemas"
OMS_EVENT_DUE_WORK = "tenants.due"
OMS_FIRM_URLCONF = "config.firm_urls"  # of /admin/ at a firm's host
OMS_APPROVED_DEEDS = {  # what takes two people, and what then does it
    "resolve_unknown": "oms.services.by_person.resolve_as_approved",
}
OMS_TRADING_DAY_END = "marketdata.calendars.day_end"  # brokers lies below marketdata
OMS_TENANT_BINDING = "tenants.binding.tenant_bound"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"tenant": {"()": "tenants.logs.TenantFilter"}},
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s [%(tenant)s] %(message)s"}
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["tenant"],
            "formatter": "line",
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        name: {"level": "INFO"}
        for name in (
            *("events", "tenants", "accounts", "approvals", "brokers", "marketdata"),
            *("portfolio", "risk", "oms", "config"),
        )
    },
}

CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "pnl snapshots": {"task": "portfolio.snapshot_pnl", "schedule": timedelta(minutes=1)},
    "reconciliation": {"task": "oms.reconcile", "schedule": timedelta(minutes=5)},
    "replay": {"task": "oms.verify_replay", "schedule": crontab(hour="2", minute="30")},
    "standings": {"task": "config.keep_standings", "schedule": timedelta(seconds=15)},
    "proofs": {"task": "config.prove_records", "schedule": timedelta(minutes=5)},
    "forget answers": {"task": "events.forget_expired_answers", "schedule": timedelta(hours=1)},
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

DEBUG = False
ALLOWED_HOSTS = ["*"]  # tenants.middleware answers unknown hosts itself, in JSON

SHARED_APPS = [
    "config",
    # Before django_tenants and the admin, whose pages it replaces. Neither loads its tables by
    # itself: only the web process does (config/urls.py).
    "config.console.apps.UnfoldConfig",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django_tenants",
    "tenants",
    "accounts",
    "marketdata",
    "portal",
    "common",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
]
TENANT_APPS = ["events", "approvals", "brokers", "portfolio", "risk", "oms"]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]

UNFOLD = console.UNFOLD

TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
PUBLIC_SCHEMA_NAME = "public"
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.MembershipBackend"]

MIDDLEWARE = [
    "common.http.middleware.RequestIdMiddleware",
    "config.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "portal.middleware.ContentPolicyMiddleware",
    "portal.middleware.PartMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "accounts.middleware.TenantRequestMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.middleware.FirmLoginMiddleware",
    "portal.middleware.WholeTextMiddleware",
    "portal.views.errors.MethodPageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates", NINJA / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def postgres(url: str) -> dict[str, Any]:
    """Return Django's DATABASES["default"] for one libpq URL."""
    return {
        "ENGINE": "tenants.db",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        **database_url.parse(url),
    }


AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static", NINJA / "static"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
X_FRAME_OPTIONS = "DENY"
LOGIN_URL = "/login"
CSRF_FAILURE_VIEW = "portal.views.errors.csrf_failure"
OMS_STYLEGUIDE = env.flag("OMS_STYLEGUIDE", default=False)  # /styleguide, else only with DEBUG
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SILENCED_SYSTEM_CHECKS: list[str] = []
