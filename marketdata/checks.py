"""System checks of market data: settings that would make the replay stand still."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def replay_speed_is_positive(**_: Any) -> list[CheckMessage]:
    """marketdata.E001: a day of history must take at least one second to replay."""
    if settings.OMS_REPLAY_SECONDS_PER_DAY >= 1:
        return []
    return [
        Error(
            f"OMS_REPLAY_SECONDS_PER_DAY is {settings.OMS_REPLAY_SECONDS_PER_DAY}.",
            hint="Set it to 1 or more: the seconds in which one day of history is replayed.",
            id="marketdata.E001",
        )
    ]
