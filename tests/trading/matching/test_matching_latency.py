"""A command meets the market at its arrival, and its sender learns of it later still."""

from tests.trading.matching.floor_talk import buy, quote, trades
from trading.matching import Cancel, Engine
from trading.matching.latency import Delay, Latency, Line
from trading.vocabulary import ExecType

SLOW = Latency(inbound=Delay(50, 50), outbound=Delay(30, 30))


def reports(line, at):
    return [(delivery.at, delivery.report.exec_type) for delivery in line.delivered(at)]


def test_an_order_trades_at_the_price_of_its_arrival():
    line = Line(Engine(), SLOW)
    line.happen(quote(ask=101, at=0))
    line.send(buy("m", 5, at=10))
    line.happen(quote(ask=105, at=40))
    line.happen(quote(ask=120, at=61))
    deliveries = list(line.delivered(1_000))
    assert trades([delivery.report for delivery in deliveries]) == [("m", 5, 105)]
    assert {delivery.at for delivery in deliveries} == {90}


def test_the_sender_knows_nothing_before_the_report_is_back():
    line = Line(Engine(), SLOW)
    line.happen(quote(at=0))
    line.send(buy("m", 5, at=10))
    line.until(60)
    assert reports(line, 89) == []
    assert reports(line, 90) == [(90, ExecType.NEW), (90, ExecType.TRADE)]


def test_a_cancel_that_is_under_way_loses_against_a_fill():
    line = Line(Engine(), SLOW)
    line.happen(quote(at=0))
    line.send(buy("l", 5, 99, at=10))
    line.until(60)
    line.send(Cancel(70, "l", "c"))
    line.happen(quote(bid=98, ask=99, at=100))
    line.until(200)
    assert [kind for _, kind in reports(line, 1_000)] == [
        ExecType.NEW,
        ExecType.TRADE,
        ExecType.REQUEST_REFUSED,
    ]


def test_drawn_delays_are_the_same_in_every_run_and_commands_do_not_overtake():
    def run(seed):
        line = Line(Engine(), Latency(Delay(0, 1_000), Delay(0, 1_000), seed))
        line.happen(quote(at=0))
        for turn in range(20):
            line.send(buy(f"o{turn}", 1, 99, at=turn))
        line.until(5_000)
        return [(d.at, d.report.order_id) for d in line.delivered(10_000)]

    assert run("a") == run("a")
    assert run("a") != run("b")
    assert [name for _, name in run("a")] == [f"o{turn}" for turn in range(20)]
    assert [at for at, _ in run("a")] == sorted(at for at, _ in run("a"))
