"""When a DAY order ends at the paper venue: by the calendar its instrument trades on.

Calendars are known to a later layer; a setting names the function that reads them.
"""

from collections.abc import Callable
from datetime import datetime
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

DayEnd = Callable[[str, datetime], datetime]
"""Takes a symbol and the instant an order of it came; asked in a bound transaction."""


def day_end(symbol: str, now: datetime) -> datetime:
    """The end of the trading day in which an order of ``symbol`` came."""
    return cast(DayEnd, import_string(settings.OMS_TRADING_DAY_END))(symbol, now)
