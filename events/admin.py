"""The firm's stream and its readers, to look at in the firm's console."""

from django.contrib import admin

from common.console.keyset import PeriodFilter
from common.console.sites import firm_console
from common.console.tables import FirmTable, LongFirmTable
from events.models import Event, IdempotentAnswer, Proof, StreamHead, SubscriberCursor


@admin.register(Event, site=firm_console)
class EventAdmin(LongFirmTable):
    """What happened, in the order everybody sees it."""

    list_display = ("position", "type", "subject", "actor", "occurred_at")
    list_filter = (PeriodFilter, ("position", admin.EmptyFieldListFilter))
    reaches = frozenset({"position__isempty", "subject__exact"})
    search_fields = ("subject", "pk")
    search_help_text = "The whole id of the event or of what it is about"


@admin.register(SubscriberCursor, site=firm_console)
class SubscriberCursorAdmin(FirmTable):
    """How far each reader of the stream has come, and its trouble."""

    list_display = ("name", "position", "updated_at", "failures", "last_error", "retry_at")
    search_fields = ("name", "last_error")
    ordering = ("name",)


@admin.register(StreamHead, site=firm_console)
class StreamHeadAdmin(FirmTable):
    """The last position given."""

    list_display = ("id", "position", "hash")


@admin.register(IdempotentAnswer, site=firm_console)
class IdempotentAnswerAdmin(FirmTable):
    """Answers kept for requests that may be repeated; their bodies stay out of sight."""

    list_display = ("key", "actor", "status", "created_at", "expires_at")
    list_filter = ("status",)
    search_fields = ("key", "actor")
    ordering = ("-created_at",)
    exclude = ("body", "fingerprint")


@admin.register(Proof, site=firm_console)
class ProofAdmin(FirmTable):
    """What was last proved about the firm's records, and when."""

    list_display = ("name", "figure", "at", "problem", "detail")
    search_fields = ("name", "problem")
    ordering = ("name",)
