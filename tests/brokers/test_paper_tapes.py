"""A session of the paper venue as it is recorded, quotes that nobody was told of included."""

import asyncio

from trading.matching.recording import replay


def test_quotes_without_effect_are_recorded_without_a_commit(desk, monkeypatch):
    monkeypatch.setattr("brokers.adapters.paper.venue.LINES_KEPT", 3)
    kept = []

    async def play():
        async with desk.session(recorder=kept.extend) as s:
            desk.market.show("99.99", "100.01")
            await s.submit("SELL", "5", ord_type="TRAILING_STOP", tif="GTC", trail_offset="1",
                           trail_type="PRICE")  # fmt: skip
            committed = len(kept)
            for turn in range(8):
                desk.market.show(f"99.{90 + turn}", "100.01")
                await s.quiet()
            await s.until(lambda: len(kept) > committed)
            desk.market.show("98.00", "98.01")
            await s.until(lambda: s.reports("TRADE"))

    asyncio.run(play())
    outcome = replay(kept)
    assert (outcome.difference, outcome.said) == ("", 4)
    assert sum('"QuoteTick"' in line for line in kept) == 10
