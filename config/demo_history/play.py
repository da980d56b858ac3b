"""Plays a demo firm's past days, from the first opening to the last midnight."""

from datetime import datetime, timedelta

from config.demo_history.desk import PastDesk
from config.demo_history.market import Day, PastMarket
from config.demo_history.plans import Cast, Step, When
from events.services import publish
from marketdata import quotes
from tenants.binding import require_bound

DAYS = 10
SEED = 1
WORTH_EVERY = timedelta(hours=2)
ACTOR = "system:demo"


def play(firm: str, days: list[Day], *, now: datetime, seed: int = SEED) -> None:
    """Trade ``days`` for the bound firm, which has its accounts and no order yet.

    Everything joins the caller's transaction: a firm has all of its past or none of it.

    :raises Refused: if a step is refused that should not be; nothing is kept then.
    """
    schema = require_bound()
    market = PastMarket()
    desk = PastDesk(schema, market)
    with quotes.told_by(market.latest):
        desk.log_on(days[0].opens_at, until=days[-1].ends_at)
        cast = Cast(firm, desk, seed)
        for number, day in enumerate(days):
            _play_day(desk, day, cast.agenda(When(number, left=len(days) - number - 1)))
        desk.log_off(days[-1].ends_at)
    publish(
        type="demo.history_played",
        subject=firm,
        data={
            "days": len(days),
            "from": days[0].date.isoformat(),
            "until": days[-1].date.isoformat(),
            "text": "Everything before this event was traded by the setup of the demo, at "
            "replayed prices and at instants of past days.",
        },
        actor=ACTOR,
        now=now,
    )


def _play_day(desk: PastDesk, day: Day, agenda: list[Step]) -> None:
    """The market speaks at its own instants and at each step's; after it the step is taken."""
    acts: dict[datetime, list[Step]] = {}
    for step in agenda:
        acts.setdefault(day.at(step[0]), []).append(step)
    worth_due = day.opens_at + WORTH_EVERY
    for at in sorted({*day.ticks(), *acts}):
        desk.tick(day, at)
        for _, act in acts.get(at, ()):
            act()
        if at >= worth_due or at == day.closes_at:
            desk.record_worth()
            worth_due = at + WORTH_EVERY
    desk.end_day(day.ends_at)
