"""/metrics for Prometheus: requests as they are served, states as they stand in the database."""

import hmac
import time
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from django_tenants.utils import quote_schema_name
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from common.http.problems import not_found_response
from common.http.routes import client_address
from config import env
from tenants.selectors import all_schemas

registry = CollectorRegistry()

_REQUESTS = Histogram(
    "blotter_http_request_seconds",
    "Time to answer, by route as the program knows it (never by path).",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
    registry=registry,
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# name, help, label, query of one tenant; {schema} is quoted. Sums over tenants: a scraper learns
# how the system does, not how a firm does.
_GAUGES = (
    (
        "blotter_orders",
        "Orders by status.",
        "ord_status",
        "SELECT ord_status, count(*) FROM {schema}.oms_order GROUP BY 1",
        "oms_order",
    ),
    (
        "blotter_commands",
        "Commands to venues by state.",
        "state",
        "SELECT state, count(*) FROM {schema}.oms_command GROUP BY 1",
        "oms_command",
    ),
    (
        "blotter_relay_waiting_events",
        "Events without a position yet.",
        "",
        "SELECT '', count(*) FROM {schema}.events_event WHERE position IS NULL",
        "events_event",
    ),
    (
        "blotter_relay_lag_seconds",
        "Age of the oldest event without a position, over all tenants.",
        "max",
        """SELECT '', coalesce(extract(epoch FROM now() - min(occurred_at)), 0)
        FROM {schema}.events_event WHERE position IS NULL""",
        "events_event",
    ),
)


class MetricsMiddleware:
    """Measure every request under the route that answered it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request and measure it."""
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        route = match.route if match is not None else "unmatched"
        method = request.method if request.method in _METHODS else "other"
        seconds = time.perf_counter() - started
        _REQUESTS.labels(method, route, response.status_code).observe(seconds)
        return response


class DatabaseCollector(Collector):
    """Reads the gauges at the time of the scrape; a table that is not there yet is left out."""

    def collect(self) -> Iterable[Metric]:
        """Return the gauges, and whether the database could be read."""
        up = GaugeMetricFamily("blotter_database_up", "Whether Postgres answered this scrape.")
        try:
            families = list(_gauges(all_schemas()))
        except Error:
            connection.close()
            families = []
            up.add_metric([], 0)
        else:
            up.add_metric([], 1)
        return [up, *families]

    def describe(self) -> Iterable[Metric]:
        """Return nothing: registering must not touch the database."""
        return []


registry.register(DatabaseCollector())


def _gauges(schemas: list[str]) -> Iterator[Metric]:
    for name, text, label, query, table in _GAUGES:
        sums: dict[str, float] = {}
        for value, number in _rows(schemas, query, table):
            if label == "max":
                sums[value] = max(sums.get(value, 0.0), number)
            else:
                sums[value] = sums.get(value, 0.0) + number
        family = GaugeMetricFamily(name, text, labels=[label] if label not in {"", "max"} else [])
        for value in sorted(sums):
            family.add_metric([value] if label not in {"", "max"} else [], sums[value])
        yield family


def _rows(schemas: list[str], query: str, table: str) -> Iterator[tuple[str, float]]:
    """Yield the rows of one query over all tenants that have its table; names are qualified."""
    for schema in schemas:
        quoted = quote_schema_name(schema)
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", [f"{quoted}.{table}"])
            if cursor.fetchone()[0] is None:
                continue
            cursor.execute(query.format(schema=quoted))
            for value, number in cursor.fetchall():
                yield str(value), float(number)


@csrf_exempt
@require_safe
def scrape(request: HttpRequest) -> HttpResponse:
    """Answer this machine, and whoever holds OMS_METRICS_TOKEN; to others there is nothing."""
    if not (_is_local(request) or _has_token(request)):
        return not_found_response(request)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _is_local(request: HttpRequest) -> bool:
    try:
        return ip_address(client_address(request)).is_loopback
    except ValueError:
        return False


def _has_token(request: HttpRequest) -> bool:
    token = env.text("OMS_METRICS_TOKEN")
    shown = request.META.get("HTTP_AUTHORIZATION", "")
    return bool(token) and hmac.compare_digest(shown.encode(), f"Bearer {token}".encode())
