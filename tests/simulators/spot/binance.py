"""Binance spot, as far as it is needed: signed REST, market streams, the user stream."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import WSMsgType, web

from tests.simulators.faults import Fault, FaultScript
from tests.simulators.spot.binance_messages import (
    KINDS,
    execution_report,
    order_json,
    symbol_json,
    trade_json,
)
from tests.simulators.spot.exchange import (
    Happened,
    Refused,
    SpotExchange,
    SpotOrder,
    Why,
    now_ms,
)

KEY, SECRET = "test-key", "test-secret"
CODES = {
    Why.UNKNOWN_SYMBOL: -1121,
    Why.FILTER: -1013,
    Why.FUNDS: -2010,
    Why.DUPLICATE: -2010,
    Why.WOULD_TAKE: -2010,
    Why.WOULD_TRIGGER: -2010,
    Why.UNKNOWN_ORDER: -2011,
}
Handler = Callable[[dict[str, str]], dict[str, Any] | list[Any]]


class ApiError(Exception):
    """An answer that is an error. ``status`` is HTTP's, ``code`` Binance's."""

    def __init__(self, status: int, code: int, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


class BinanceFront:
    """The REST and WebSocket doors of one exchange, on loopback."""

    def __init__(self, exchange: SpotExchange, faults: FaultScript | None = None) -> None:
        self.exchange = exchange
        self.faults = faults or FaultScript()
        self.received: list[tuple[str, dict[str, str]]] = []
        self.port = 0
        self.clock_ahead_ms = 0
        self.revoked = False
        exchange.on_event = self._on_event
        self._by_id = {m.base + m.quote: m for m in exchange.markets.values()}
        self.listeners: set[web.WebSocketResponse] = set()
        self._watchers: dict[web.WebSocketResponse, set[str]] = {}
        self._update_ids = count(1_000)
        self._sending: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self._routes: dict[tuple[str, str], tuple[str, bool, Handler]] = {
            ("GET", "ping"): ("ping", False, lambda _: {}),
            ("GET", "time"): ("time", False, lambda _: {"serverTime": self._now()}),
            ("GET", "exchangeInfo"): ("exchangeInfo", False, self._exchange_info),
            ("GET", "depth"): ("depth", False, self._depth),
            ("GET", "ticker/bookTicker"): ("bookTicker", False, self._book_ticker),
            ("GET", "account"): ("account", True, self._account),
            ("POST", "order"): ("newOrder", True, self._new_order),
            ("GET", "order"): ("queryOrder", True, self._query_order),
            ("DELETE", "order"): ("cancelOrder", True, self._cancel_order),
            ("POST", "order/cancelReplace"): ("cancelReplace", True, self._cancel_replace),
            ("GET", "openOrders"): ("openOrders", True, self._open_orders),
            ("GET", "allOrders"): ("allOrders", True, self._all_orders),
            ("GET", "myTrades"): ("myTrades", True, self._my_trades),
        }

    # --- life -------------------------------------------------------------------------------------

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; ``port`` 0 takes a free one, which ``self.port`` then names."""
        app = web.Application()
        app.router.add_get("/ws-api/v3", self._user_stream)
        app.router.add_get("/ws/{name}", self._market_stream)
        app.router.add_get("/ws", self._market_stream)
        app.router.add_route("*", "/api/v3/{path:.*}", self._rest)
        self._runner = web.AppRunner(app, handler_cancellation=False, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and cut every line."""
        await self.cut_streams()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def cut_streams(self) -> None:
        """Close every WebSocket; whoever reconnects is served."""
        for stream in [*self.listeners, *self._watchers]:
            await stream.close(code=1012)

    async def quote(self, symbol: str, bid: str, ask: str, size: str = "10") -> None:
        """Show a market to who watches it and to resting orders."""
        self.exchange.quote(symbol, bid, ask, size)
        market = self.exchange.markets[symbol]
        update = next(self._update_ids)
        event = {
            "e": "depthUpdate", "E": self._now(), "s": market.base + market.quote,
            "U": update, "u": update, "b": [[bid, size]], "a": [[ask, size]],
        }  # fmt: skip
        for stream in list(self._watchers):
            await stream.send_json(event)

    # --- REST -------------------------------------------------------------------------------------

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        route = self._routes.get((request.method, request.match_info["path"]))
        if route is None:
            return _error(ApiError(404, -1, f"no such path {request.path}"))
        name, signed, handler = route
        query, body = request.query_string, (await request.read()).decode()
        params = dict(parse_qsl(query) + parse_qsl(body))
        self.received.append((name, params))
        planned = self.faults.of(f"in:{name}")
        fault = planned.fault if planned else None
        if fault is Fault.DROP and request.transport is not None:
            request.transport.abort()
            return web.Response()
        if fault is Fault.ERROR and planned is not None:
            return _error(ApiError(int(planned.seconds) or 400, planned.code, planned.text))
        try:
            if signed:
                self._check_signature(request, query, body, params)
            answer = handler(params)
        except ApiError as error:
            return _error(error)
        except Refused as refusal:
            code = CODES[refusal.why]
            if refusal.why is Why.UNKNOWN_ORDER and name == "queryOrder":
                code = -2013
            return _error(ApiError(400, code, str(refusal)))
        return await self._answered(request, fault, planned.seconds if planned else 0, answer)

    async def _answered(
        self, request: web.Request, fault: Fault | None, seconds: float, answer: Any
    ) -> web.StreamResponse:
        if fault is Fault.SWALLOW:
            await asyncio.sleep(3600)
        if fault is Fault.DELAY:
            await asyncio.sleep(seconds)
        if fault is Fault.KILL and request.transport is not None:
            request.transport.abort()
        return web.json_response(answer)

    def _check_signature(
        self, request: web.Request, query: str, body: str, params: dict[str, str]
    ) -> None:
        if self.revoked or request.headers.get("X-MBX-APIKEY") != KEY:
            raise ApiError(401, -2015, "Invalid API-key, IP, or permissions for action.")
        signed, _, signature = (query + body).rpartition("&signature=")
        if signature != sign(signed):
            raise ApiError(400, -1022, "Signature for this request is not valid.")
        window = int(params.get("recvWindow", "5000"))
        sent = int(params["timestamp"])
        if not self._now() - window <= sent < self._now() + 1_000:
            raise ApiError(400, -1021, "Timestamp for this request is outside of the recvWindow.")

    def _now(self) -> int:
        return now_ms() + self.clock_ahead_ms

    def _exchange_info(self, _: dict[str, str]) -> dict[str, Any]:
        return {
            "timezone": "UTC",
            "serverTime": self._now(),
            "rateLimits": [],
            "symbols": [symbol_json(market) for market in self._by_id.values()],
        }

    def _depth(self, params: dict[str, str]) -> dict[str, Any]:
        market = self._by_id[params["symbol"]]
        bid, ask, size = self.exchange.quotes[market.symbol]
        return {
            "lastUpdateId": next(self._update_ids),
            "bids": [[str(bid), str(size)]],
            "asks": [[str(ask), str(size)]],
        }

    def _book_ticker(self, params: dict[str, str]) -> dict[str, Any]:
        market = self._by_id[params["symbol"]]
        bid, ask, size = (str(number) for number in self.exchange.quotes[market.symbol])
        return {
            "symbol": params["symbol"], "bidPrice": bid, "bidQty": size, "askPrice": ask,
            "askQty": size,
        }  # fmt: skip

    def _account(self, _: dict[str, str]) -> dict[str, Any]:
        locked = self.exchange.locked
        balances = [
            {"asset": asset, "free": str(free), "locked": str(locked.get(asset, 0))}
            for asset, free in self.exchange.free.items()
        ]
        return {
            "accountType": "SPOT", "canTrade": True, "updateTime": self._now(),
            "balances": balances, "permissions": ["SPOT"],
        }  # fmt: skip

    def _new_order(self, params: dict[str, str]) -> dict[str, Any]:
        kind = params["type"]
        if kind not in KINDS:
            raise ApiError(400, -1116, "Invalid orderType.")
        market = self._by_id.get(params["symbol"])
        order = self.exchange.place(
            symbol="" if market is None else market.symbol,
            side=params["side"].lower(),
            kind=KINDS[kind],
            qty=_number(params, "quantity"),
            cost=_number(params, "quoteOrderQty"),
            price=_number(params, "price"),
            stop_px=_number(params, "stopPrice"),
            tif=params.get("timeInForce", "GTC"),
            client_id=params.get("newClientOrderId", ""),
            post_only=kind == "LIMIT_MAKER",
        )
        fills = [
            {
                "price": str(trade.price),
                "qty": str(trade.qty),
                "commission": str(trade.fee),
                "commissionAsset": trade.fee_asset,
                "tradeId": trade.id,
            }
            for trade in order.trades
        ]
        return {**order_json(order), "transactTime": order.updated_ms, "fills": fills}

    def _query_order(self, params: dict[str, str]) -> dict[str, Any]:
        return order_json(self._named(params))

    def _cancel_order(self, params: dict[str, str]) -> dict[str, Any]:
        return order_json(self.exchange.cancel(self._named(params)))

    def _cancel_replace(self, params: dict[str, str]) -> dict[str, Any]:
        old = self.exchange.find(
            int(params["cancelOrderId"]) if "cancelOrderId" in params else None,
            params.get("cancelOrigClientOrderId", ""),
        )
        canceled = order_json(self.exchange.cancel(old))
        try:
            placed = self._new_order(params)
        except Refused as refusal:
            raise ApiError(409, -2021, "Order cancel-replace partially failed.") from refusal
        return {
            "cancelResult": "SUCCESS", "newOrderResult": "SUCCESS",
            "cancelResponse": canceled, "newOrderResponse": placed,
        }  # fmt: skip

    def _named(self, params: dict[str, str]) -> SpotOrder:
        order_id = params.get("orderId")
        return self.exchange.find(
            int(order_id) if order_id else None, params.get("origClientOrderId", "")
        )

    def _open_orders(self, _: dict[str, str]) -> list[Any]:
        return [order_json(order) for order in self.exchange.open_orders()]

    def _all_orders(self, params: dict[str, str]) -> list[Any]:
        since = int(params.get("startTime", 0))
        return [
            order_json(order)
            for order in self.exchange.orders.values()
            if order.market.base + order.market.quote == params["symbol"] and order.at_ms >= since
        ]

    def _my_trades(self, params: dict[str, str]) -> list[Any]:
        since = int(params.get("startTime", 0))
        return [
            trade_json(trade)
            for trade in self.exchange.trades
            if trade.order.market.base + trade.order.market.quote == params["symbol"]
            and trade.at_ms >= since
            and params.get("orderId") in (None, str(trade.order.id))
        ]

    # --- streams ----------------------------------------------------------------------------------

    async def _user_stream(self, request: web.Request) -> web.WebSocketResponse:
        stream = web.WebSocketResponse()
        await stream.prepare(request)
        async for message in stream:
            if message.type is not WSMsgType.TEXT:
                continue
            call = json.loads(message.data)
            if call["method"] == "userDataStream.subscribe.signature":
                self.listeners.add(stream)
            await stream.send_json(
                {"id": call["id"], "status": 200, "result": {"subscriptionId": 0}}
            )
        self.listeners.discard(stream)
        return stream

    async def _market_stream(self, request: web.Request) -> web.WebSocketResponse:
        stream = web.WebSocketResponse()
        await stream.prepare(request)
        self._watchers[stream] = set()
        async for message in stream:
            if message.type is WSMsgType.TEXT:
                call = json.loads(message.data)
                self._watchers[stream] |= set(call.get("params", []))
                await stream.send_json({"result": None, "id": call.get("id")})
        del self._watchers[stream]
        return stream

    def _on_event(self, happened: Happened) -> None:
        planned = self.faults.of(f"out:{happened.kind}")
        fault = planned.fault if planned else None
        if fault is Fault.SWALLOW:
            return
        event = execution_report(happened)
        times = 2 if fault is Fault.DUPLICATE else 1
        for stream in self.listeners:
            for _ in range(times):
                self._send(stream.send_json({"subscriptionId": 0, "event": event}))

    def _send(self, sending: Awaitable[None]) -> None:
        task = asyncio.ensure_future(sending)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)


def sign(text: str) -> str:
    """The signature of a request: HMAC-SHA256 over query and body."""
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


def _number(params: dict[str, str], name: str) -> Decimal | None:
    return Decimal(params[name]) if name in params else None


def _error(error: ApiError) -> web.Response:
    return web.json_response({"code": error.code, "msg": error.text}, status=error.status)
