"""Both names of the Interactive Brokers library offer what an adapter needs.

`make test` runs this on ib_async; `make test-ib-insync` runs it on ib_insync in an environment of
its own, because the two cannot share one (both own the package ``eventkit``).
"""

import asyncio
import importlib.util
import socket

import pytest

INSTALLED = [name for name in ("ib_async", "ib_insync") if importlib.util.find_spec(name)]


@pytest.fixture(scope="module")
def loop():
    # ib_insync keeps the event loop that is current when it is first imported, for good.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture(scope="module")
def library(loop):
    return importlib.import_module(INSTALLED[0])


def test_exactly_one_of_the_two_is_installed():
    assert len(INSTALLED) == 1


def test_it_has_the_names_an_adapter_uses(library):
    names = ("IB", "Contract", "Stock", "Forex", "Future", "Order", "LimitOrder", "MarketOrder",
             "Trade", "Execution", "CommissionReport", "Wrapper", "Client")  # fmt: skip
    assert [name for name in names if not hasattr(library, name)] == []


def test_an_order_carries_the_reference_we_look_it_up_by(library):
    order = library.LimitOrder("BUY", 10, 1250.0, orderRef="01M7WEY0MDTXT04ZCXS6790D65")
    assert (order.action, order.totalQuantity, order.lmtPrice) == ("BUY", 10, 1250.0)
    assert order.orderRef == "01M7WEY0MDTXT04ZCXS6790D65"


def test_a_refused_connection_is_an_error_and_no_hang(library, loop):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    async def connect() -> None:
        await library.IB().connectAsync("127.0.0.1", port, clientId=1, timeout=2)

    with pytest.raises((ConnectionRefusedError, OSError)):
        loop.run_until_complete(connect())
