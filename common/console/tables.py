"""The ModelAdmin both consoles build on: what is business is looked at, never edited."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Field, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from unfold.admin import ModelAdmin, TabularInline

from common.console.cells import NOTHING, column, detail, needs_cell
from common.console.csv_file import MOST_ROWS, as_csv
from common.console.keyset import KeysetListing, Listing, found_exactly
from common.console.verb_pages import on_ticked_rows, verb_page
from common.console.verbs import Verb

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Cells:
    """Gives a table our cells for numbers, times, JSON and badges.

    ``badges`` names the colours of the words in a column.
    """

    badges: Mapping[str, Mapping[str, str]] = {}
    model: type[Model]

    def make_cells(self) -> None:
        """Put a cell for each field that needs one on this instance."""
        self.columns: dict[str, str] = {}
        self.details: dict[str, str] = {}
        for field in self.model._meta.concrete_fields:
            if not needs_cell(field, self.badges):
                continue
            colours = self.badges.get(field.name)
            for kind, names, make in (
                ("column", self.columns, column),
                ("detail", self.details, detail),
            ):
                if field.is_relation and kind == "detail":
                    continue
                names[field.name] = f"{kind}_{field.name}"
                setattr(self, names[field.name], make(field, colours))


def in_detail(details: Mapping[str, str], fields: Sequence[Any]) -> list[Any]:
    """Return a fieldset's fields with our cells in their places."""
    return [
        in_detail(details, name) if isinstance(name, list | tuple) else details.get(name, name)
        for name in fields
    ]


class Table(Cells, ModelAdmin):  # type: ignore[misc]
    """A table anybody who may open its console may read."""

    show_full_result_count = False
    list_per_page = 50
    list_fullwidth = True
    list_filter_sheet = True
    compressed_fields = True
    empty_value_display = NOTHING
    actions = None
    list_disable_select_all = True
    portal_url: str | None = None  # of a row in the portal, with its key in place of {}
    change_form_before_template = "admin/console/verbs_of_row.html"
    list_before_template = "admin/console/verbs_of_list.html"

    def __init__(self, model: type[Model], admin_site: Any) -> None:
        super().__init__(model, admin_site)
        self.make_cells()

    # --- what is shown ---------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Listing]:
        """Return the class of the list."""
        return Listing

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """Return the columns, ours where we have one."""
        shown = super().get_list_display(request)
        return [self.columns.get(name, name) for name in shown]

    def get_list_select_related(self, request: HttpRequest) -> Sequence[str] | bool:
        """Return the relations the list shows, so that no row asks again."""
        if self.list_select_related:
            return self.list_select_related  # type: ignore[no-any-return]
        relations = {field.name for field in self.model._meta.concrete_fields if field.is_relation}
        return sorted(relations & set(self.list_display)) or False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """Return every column of the row, unless the table names some or it can be edited."""
        if self.fields or obj is None or self.has_change_permission(request, obj):
            return super().get_fields(request, obj)  # type: ignore[no-any-return]
        return [field.name for field in self.model._meta.concrete_fields if _is_shown(field, self)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the groups of fields with our cells in them where nothing is edited."""
        cells = self.details
        if obj is None or self.has_change_permission(request, obj):
            fixed = set(self.get_readonly_fields(request, obj))
            cells = {name: cell for name, cell in cells.items() if cell in fixed}
        return [
            (name, {**options, "fields": in_detail(cells, options["fields"])})
            for name, options in super().get_fieldsets(request, obj)
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """Return what is not edited, with our cells in place."""
        return in_detail(self.details, self.fixed_fields(obj))

    def fixed_fields(self, _obj: Any) -> Sequence[str]:
        """Return the names of what is not edited, of a row or (None) of a new one."""
        return self.readonly_fields  # type: ignore[no-any-return]

    # --- what is done ----------------------------------------------------------------------------

    def row_verbs(self) -> list[Verb]:
        """Return the verbs of single rows."""
        return [verb for verb in self._verbs() if not verb.on_list]

    def _verbs(self) -> list[Verb]:
        return list(self.admin_site.verbs.get(self.model, ()))

    def _verb(self, name: str, *, on_list: bool) -> Verb:
        for verb in self._verbs():
            if verb.name == name and verb.on_list is on_list:
                return verb
        raise Http404

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the row verbs as actions on the ticked rows."""
        if not self.has_view_permission(request):
            return {}
        return {
            verb.name: (partial(on_ticked_rows, verb), verb.name, verb.label)
            for verb in self.row_verbs()
        }

    def get_urls(self) -> list[Any]:
        """Add the pages of the verbs."""
        names = f"{self.opts.app_label}_{self.opts.model_name}"
        wrap = self.admin_site.admin_view
        return [
            path("export/", wrap(self.export), name=f"{names}_export"),
            path("do/<slug:name>/", wrap(self.do_on_list), name=f"{names}_do"),
            path("<path:object_id>/do/<slug:name>/", wrap(self.do_on_row), name=f"{names}_row_do"),
            *super().get_urls(),
        ]

    def export(self, request: HttpRequest) -> HttpResponse:
        """Send the list, as filtered, as a file; one too long is refused rather than cut."""
        self._check_may_do(request)
        listing = self.get_changelist_instance(request)
        rows = list(listing.queryset[: MOST_ROWS + 1])
        if len(rows) > MOST_ROWS:
            messages.error(
                request, f"A file holds at most {MOST_ROWS} rows; narrow the list first."
            )
            return HttpResponseRedirect(
                reverse(self.url_name("changelist")) + listing.get_query_string()
            )
        return as_csv(self.opts.model_name or "rows", self, self.list_display, rows)

    def do_on_list(self, request: HttpRequest, name: str) -> HttpResponse:
        """Ask for the reason of a verb that concerns the firm, then do it."""
        self._check_may_do(request)
        return verb_page(self, request, self._verb(name, on_list=True), [None])

    def do_on_row(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Ask for the reason of a verb on one row, then do it."""
        self._check_may_do(request)
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        return verb_page(self, request, self._verb(name, on_list=False), [row])

    def _check_may_do(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list; a POST has to be one of the verbs on ticked rows."""
        if request.method not in _READS and request.POST.get("action") not in self.get_actions(
            request
        ):
            raise PermissionDenied
        links = [
            (verb, reverse(self.url_name("do"), args=[verb.name]))
            for verb in self._verbs()
            if verb.on_list
        ]
        return super().changelist_view(  # type: ignore[no-any-return]
            request, {**(extra_context or {}), "verb_links": links}
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show one row with the verbs that fit it."""
        links: list[tuple[Verb, str]] = []
        if object_id is not None and request.method in _READS and self.row_verbs():
            row = self.get_object(request, unquote(object_id))
            links = [
                (verb, reverse(self.url_name("row_do"), args=[quote(row.pk), verb.name]))
                for verb in self.row_verbs()
                if row is not None and verb.fits(row)
            ]
        return super().changeform_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**(extra_context or {}), "verb_links": links}
        )

    def url_name(self, page: str) -> str:
        """Return the name of the address of one of the table's pages."""
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"


class ReadOnly:
    """Nothing is added, changed or deleted, whoever asks."""

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        """Whether rows may be added: no."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows may be edited: no."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows may be deleted: no."""
        return False


class _OfFirm(ReadOnly):
    """Who opens the firm's console reads all of it."""

    admin_site: Any

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows may be read."""
        return bool(self.admin_site.has_permission(request))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the app shows."""
        return bool(self.admin_site.has_permission(request))


class FirmTable(_OfFirm, Table):
    """A table of one firm. Services write it; Django's own log of edits is not kept for it."""

    shows_events = False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show one row, with a link to the firm's events about it where there are such."""
        context = dict(extra_context or {})
        if self.portal_url is not None and object_id is not None:
            context["portal_url"] = self.portal_url.format(quote(unquote(object_id)))
        if self.shows_events and object_id is not None:
            query = urlencode({"subject__exact": unquote(object_id)})
            context["events_url"] = f"{reverse('admin:events_event_changelist')}?{query}"
        return super().changeform_view(request, object_id, form_url, context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """:raises Http404: always. The log is shared by all firms; ours are the events."""
        raise Http404


class LongFirmTable(FirmTable):
    """A table that grows without end: by descending key, found by whole ids, without counts.

    ``search_fields`` are lookups with an index each, tried in turn. ``reaches`` names the
    parameters that look beyond the period shown by default.
    """

    sortable_by = ()
    reaches: frozenset[str] = frozenset()
    search_help_text = "Whole ids only"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Listing]:
        """Return the class of the list."""
        return KeysetListing

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows with that id; the words of a search are one id."""
        term = search_term.strip()
        if not term:
            return queryset, False
        return found_exactly(queryset, tuple(self.search_fields), term), False


class FirmInline(_OfFirm, Cells, TabularInline):  # type: ignore[misc]
    """Rows that belong to the row of the page, to read."""

    extra = 0
    max_num = 0
    can_delete = False
    tab = True
    show_change_link = True

    def __init__(self, parent_model: type[Model], admin_site: Any) -> None:
        super().__init__(parent_model, admin_site)
        self.make_cells()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """Return the columns, ours where we have one."""
        return in_detail(self.details, super().get_fields(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """Return all of the columns."""
        return self.get_fields(request, obj)


class PlatformTable(Table):
    """A table all firms share, for the platform's staff; permissions come from the backend."""


class PlatformRecord(ReadOnly, PlatformTable):
    """A shared table to look at."""


def _is_shown(field: "Field[Any, Any]", table: Any) -> bool:
    return field.name not in (table.exclude or ())
