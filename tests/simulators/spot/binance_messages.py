"""Binance's JSON: orders and trades of REST, reports of the user stream, symbols."""

from typing import Any

from tests.simulators.spot.exchange import Happened, Market, SpotOrder, Trade, now_ms

KINDS = {
    "LIMIT": "limit",
    "MARKET": "market",
    "LIMIT_MAKER": "limit",
    "STOP_LOSS": "stop",
    "STOP_LOSS_LIMIT": "stop_limit",
    "TAKE_PROFIT": "take_profit",
    "TAKE_PROFIT_LIMIT": "take_profit_limit",
}


def order_json(order: SpotOrder) -> dict[str, Any]:
    """An order as REST answers it."""
    return {
        "symbol": order.market.base + order.market.quote,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "price": str(order.price or 0),
        "origQty": str(order.qty),
        "executedQty": str(order.filled),
        "cummulativeQuoteQty": str(order.cost),
        "status": order.status,
        "timeInForce": order.tif,
        "type": _type_of(order),
        "side": order.side.upper(),
        "stopPrice": str(order.stop_px or 0),
        "icebergQty": "0",
        "time": order.at_ms,
        "updateTime": order.updated_ms,
        "isWorking": order.working,
        "origQuoteOrderQty": "0",
    }


def trade_json(trade: Trade) -> dict[str, Any]:
    """A trade as REST answers it."""
    order = trade.order
    return {
        "symbol": order.market.base + order.market.quote,
        "id": trade.id,
        "orderId": order.id,
        "price": str(trade.price),
        "qty": str(trade.qty),
        "quoteQty": str(trade.qty * trade.price),
        "commission": str(trade.fee),
        "commissionAsset": trade.fee_asset,
        "time": trade.at_ms,
        "isBuyer": order.side == "buy",
        "isMaker": trade.maker,
        "isBestMatch": True,
    }


def execution_report(happened: Happened) -> dict[str, Any]:
    """What the user stream says of an order."""
    order, trade = happened.order, happened.trade
    kind = "NEW" if happened.kind == "TRIGGERED" else happened.kind
    return {
        "e": "executionReport", "E": now_ms(), "s": order.market.base + order.market.quote,
        "c": order.client_id, "S": order.side.upper(), "o": _type_of(order), "f": order.tif,
        "q": str(order.qty), "p": str(order.price or 0), "P": str(order.stop_px or 0), "F": "0",
        "g": -1, "C": "", "x": kind, "X": order.status, "r": "NONE", "i": order.id,
        "l": str(trade.qty if trade else 0), "z": str(order.filled),
        "L": str(trade.price if trade else 0), "n": str(trade.fee if trade else 0),
        "N": trade.fee_asset if trade else None, "T": order.updated_ms,
        "t": trade.id if trade else -1, "w": order.working,
        "m": trade.maker if trade else False, "O": order.at_ms, "Z": str(order.cost),
        "Y": str(trade.qty * trade.price if trade else 0), "Q": "0",
    }  # fmt: skip


def _type_of(order: SpotOrder) -> str:
    if order.post_only:
        return "LIMIT_MAKER"
    return next(name for name, kind in KINDS.items() if kind == order.kind)


def symbol_json(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.base + market.quote, "status": "TRADING", "baseAsset": market.base,
        "baseAssetPrecision": 8, "quoteAsset": market.quote, "quotePrecision": 8,
        "quoteAssetPrecision": 8, "orderTypes": list(KINDS), "icebergAllowed": True,
        "ocoAllowed": True, "quoteOrderQtyMarketAllowed": True, "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False, "permissions": ["SPOT"], "permissionSets": [["SPOT"]],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": str(market.tick), "maxPrice": "1000000",
             "tickSize": str(market.tick)},
            {"filterType": "LOT_SIZE", "minQty": str(market.lot), "maxQty": "9000",
             "stepSize": str(market.lot)},
            {"filterType": "MARKET_LOT_SIZE", "minQty": str(market.lot), "maxQty": "100",
             "stepSize": str(market.lot)},
            {"filterType": "NOTIONAL", "minNotional": str(market.min_notional),
             "applyMinToMarket": True, "maxNotional": "9000000", "applyMaxToMarket": False,
             "avgPriceMins": 5},
        ],
    }  # fmt: skip
