"""A run of the paper venue is kept, and plays out the same wherever it is played."""

import json
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from brokers.models import PaperAccount, PaperExecution
from tenants.binding import tenant_bound

STOP = {"ord_type": "STOP", "stop_px": "980.00", "tif": "GTC"}
TRAIL = {"ord_type": "TRAILING_STOP", "trail_offset": "1", "trail_type": "PERCENT", "tif": "GTC"}


@pytest.fixture
def tapes(settings, tmp_path):
    """The directory in which sessions are kept."""
    settings.OMS_PAPER_TAPES = tmp_path
    return tmp_path


def trade_a_while(alice, market) -> None:
    """Fills by takers and makers, a trail that moves and fires, a stop, an amendment, a cancel."""
    alice.until_final(alice.placed("BUY", "150", tif="DAY"))
    stop = alice.placed("SELL", "10", **STOP)
    trail = alice.placed("SELL", "20", **TRAIL)
    resting = alice.placed("BUY", "30", price="995.00", tif="GTC")
    for order_id in (stop, trail, resting):
        alice.until_status(order_id, "NEW")
    alice.replace(resting, order_qty="40")
    alice.until(resting, lambda order: order["order_qty"] == "40")
    gone = alice.placed("BUY", "7", price="990.00", tif="GTC")
    alice.until_status(gone, "NEW")
    alice.cancel(gone)
    alice.until_final(gone)
    market.show("1009.50", "1010.50")
    market.show("994.00", "995.00", size=25)
    alice.until_final(trail)
    market.show("979.00", "980.00")
    for order_id in (stop, resting):
        alice.until_final(order_id)


def test_row_92_a_recorded_paper_run_plays_out_the_same(
    idle_gateway, market, alice, desk, tapes, capsys
):
    with tenant_bound(desk.schema):
        PaperAccount.objects.filter(pk=desk.account_id).update(
            per_unit=Decimal("0.003"), minimum_fee=Decimal("1.25")
        )
    idle_gateway.start()
    trade_a_while(alice, market)
    idle_gateway.stop()
    (tape,) = tapes.iterdir()
    call_command("replay_tape", tape)
    assert "byte for byte the same" in capsys.readouterr().out

    lines = [json.loads(line) for line in tape.read_text().splitlines()]
    said = [line for line in lines if line["kind"] == "said"]
    rows = desk.rows(PaperExecution, account_id=desk.account_id)
    told = [json.loads(row.raw) for row in rows]
    words = ("exec_type", "order_id", "ord_status", "order_qty", "cum_qty", "leaves_qty")
    assert [[line[w] for w in words] for line in said] == [
        [line[w] for w in words] for line in told
    ]
    fills = ("order_id", "last_qty", "last_px", "fee", "liquidity")
    traded = [[line[w] for w in fills] for line in said if line["exec_type"] == "TRADE"]
    assert traded == [[line[w] for w in fills] for line in told if line["exec_type"] == "TRADE"]
    assert len(traded) >= 4


def test_a_run_goes_on_in_a_file_of_its_own_after_a_restart(
    idle_gateway, market, alice, tapes, capsys
):
    idle_gateway.start()
    resting = alice.placed("BUY", "150", price="1000.50", tif="GTC")
    alice.until_status(resting, "PARTIALLY_FILLED")
    idle_gateway.stop()
    idle_gateway.start()
    market.show("999.00", "1000.00")
    alice.until_final(resting)
    idle_gateway.stop()
    first, second = sorted(tapes.iterdir())
    for tape in (first, second):
        call_command("replay_tape", tape)
    assert capsys.readouterr().out.count("byte for byte") == 2
    assert json.loads(second.read_text().splitlines()[0])["state"]["orders"]


@pytest.mark.parametrize("line", ["{", "[]", '{"kind":"event","scale":["SPX","1","1"]}'])
def test_a_file_that_is_no_tape_is_named_as_such(tmp_path, line):
    file = tmp_path / "no.tape"
    file.write_text(line + "\n")
    with pytest.raises(CommandError, match="line 1"):
        call_command("replay_tape", file)
