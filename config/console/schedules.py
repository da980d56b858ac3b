"""The scheduler's own tables in the platform's console, to look at."""

from django.contrib import admin
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from common.console.sites import platform_console
from common.console.tables import PlatformRecord


@admin.register(PeriodicTask, site=platform_console)
class PeriodicTaskAdmin(PlatformRecord):
    """What beat sends, and when it last did."""

    list_display = (
        "name",
        "task",
        "enabled",
        "interval",
        "crontab",
        "last_run_at",
        "total_run_count",
    )
    list_filter = ("enabled", "one_off")
    list_select_related = ("interval", "crontab", "solar", "clocked")
    search_fields = ("name", "task")
    ordering = ("name",)


@admin.register(IntervalSchedule, site=platform_console)
class IntervalScheduleAdmin(PlatformRecord):
    """Every so often."""

    list_display = ("__str__", "every", "period")
    search_fields = ("period",)


@admin.register(CrontabSchedule, site=platform_console)
class CrontabScheduleAdmin(PlatformRecord):
    """At times of day."""

    list_display = ("__str__", "timezone")
    search_fields = ("hour",)


@admin.register(ClockedSchedule, site=platform_console)
class ClockedScheduleAdmin(PlatformRecord):
    """Once."""

    list_display = ("__str__", "clocked_time")


@admin.register(SolarSchedule, site=platform_console)
class SolarScheduleAdmin(PlatformRecord):
    """By the sun."""

    list_display = ("__str__", "event", "latitude", "longitude")
