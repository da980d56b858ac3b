"""The Celery application: it wakes and schedules; what is money waits in Postgres."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

app = Celery("blotter")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
