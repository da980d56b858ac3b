"""Long lists: newest first, a page at a time by the last key seen, and nothing is ever counted."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

from common.ids import first_ulid_of

AFTER = "after"
PERIOD = "period"
_PERIODS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
_WORDS = {"day": "24 hours", "week": "7 days", "month": "30 days", "all": "Any time"}
_DEFAULT = "week"


class Listing(ChangeList):  # type: ignore[misc]
    """A list that says how many rows it shows once, at its foot."""

    def get_results(self, request: HttpRequest) -> None:
        """Read a page."""
        super().get_results(request)
        self.full_result_count = self.result_count


class KeysetPages:
    """Stands where a paginator does, and names the links of its page."""

    template_name = "admin/console/pager.html"


class KeysetListing(Listing):
    """A list by descending key. ``older`` is the key the next page begins below, if there is one.

    ``result_count`` is the number of rows on the page.
    """

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Model]:
        """Return what the filters leave; where the page begins is no filter."""
        self.params.pop(AFTER, None)
        self.filter_params.pop(AFTER, None)
        return super().get_queryset(request, exclude_parameters)  # type: ignore[no-any-return]

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Model]) -> list[str]:
        """Return the one order there is."""
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        """Read a page and one row more."""
        rows = self.queryset
        self.after = request.GET.get(AFTER, "")
        if self.after:
            rows = rows.filter(pk__lt=self._key(self.after))
        found = list(rows[: self.list_per_page + 1])
        self.older = found[self.list_per_page - 1].pk if len(found) > self.list_per_page else None
        self.result_list = found[: self.list_per_page]
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = self.multi_page = False
        self.paginator = KeysetPages()
        self.by_period = PeriodFilter in self.list_filter

    def newest_url(self) -> str:
        """Return the address of the first page."""
        return str(self.get_query_string())

    def older_url(self) -> str:
        """Return the address of the next page."""
        return str(self.get_query_string({AFTER: self.older}))

    def _key(self, text: str) -> Any:
        """:raises IncorrectLookupParameters: if it cannot be a key."""
        try:
            key = self.lookup_opts.pk.to_python(text)
        except ValidationError as error:
            raise IncorrectLookupParameters(error) from error
        if "\0" in text or (isinstance(key, int) and abs(key) >= 2**63):
            raise IncorrectLookupParameters(text[:40])
        return key


class PeriodFilter(SimpleListFilter):
    """How far back a long list reaches; a week unless somebody says otherwise.

    A search, and a parameter the table names in ``reaches``, looks at any time: what is asked for
    by name, or still open, must not be hidden by its age. Tables whose key is a ULID are cut by it;
    the others name the field of time in ``period_field``.
    """

    title = "period"
    parameter_name = PERIOD

    def __init__(
        self,
        request: HttpRequest,
        params: dict[str, Any],
        model: type[Model],
        model_admin: "ModelAdmin[Any]",
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.field = getattr(model_admin, "period_field", None)
        reaches = {"q", *getattr(model_admin, "reaches", ())}
        self.default = "all" if any(request.GET.get(name) for name in reaches) else _DEFAULT

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Return the choices."""
        return list(_WORDS.items())

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield the choices; the one in force is marked though the address does not name it."""
        chosen = self._chosen()
        for word, text in _WORDS.items():
            yield {
                "selected": word == chosen,
                "query_string": changelist.get_query_string({PERIOD: word}),
                "display": text,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        span = _PERIODS.get(self._chosen())
        if span is None:
            return queryset
        since = datetime.now(UTC) - span
        if self.field is None:
            return queryset.filter(pk__gte=first_ulid_of(since))
        return queryset.filter(**{f"{self.field}__gte": since})

    def _chosen(self) -> str:
        chosen = self.value()
        return chosen if chosen in _WORDS else self.default


def found_exactly(rows: QuerySet[Any], lookups: tuple[str, ...], text: str) -> QuerySet[Any]:
    """Return the rows the first fitting lookup finds; each has an index, so none reads them all.

    A lookup after ``@`` is indexed by account. One whose field cannot hold the text is passed over.
    """
    found = rows.none()
    for lookup in lookups:
        try:
            found = rows.filter(**{lookup.removeprefix("@"): text})
        except (ValueError, OverflowError):
            continue
        if lookup.startswith("@"):
            accounts = rows.model._meta.get_field("account").related_model
            found = found.filter(account__in=accounts.objects.values("pk"))
        if lookup == lookups[-1] or found.exists():
            return found
    return found.none()


def words_filter(field: str, heading: str, words: Iterable[str]) -> type[SimpleListFilter]:
    """Return a filter on a column of known words; Django's own reads the table to learn them."""

    class WordsFilter(SimpleListFilter):
        title = heading
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
            return [(word, word) for word in words]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    return WordsFilter
