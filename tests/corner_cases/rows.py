"""The corner cases of orders, one row each: given, when, then."""

ROWS = {
    1: (
        "accepted order; same cl_ord_id and content posted again, also during a halt -> 200, "
        "Idempotent-Replay: true, nothing sent"
    ),
    2: (
        'accepted order qty 10; same cl_ord_id, qty "10.0" -> replay (canonical equal); qty '
        "11 -> 422 cl_ord_id_reused"
    ),
    3: (
        "order rejected by risk; same request again -> same 422 risk_rejected, same order id,"
        " header; not judged again"
    ),
    4: "422 off_tick answered; same cl_ord_id, price corrected -> 201: the id was not consumed",
    5: "100 equal posts in parallel -> one 201, 99 x 200, one venue order",
    6: "replace Y refused by the venue; Y used again for anything -> 422 cl_ord_id_reused",
    7: "order QUEUED; cancel -> CANCELED at once, no byte sent, NEW command REFUSED withdrawn",
    8: (
        "NEW SENDING, no ack; cancel -> 202; ends CANCELED or FILLED by evidence, one "
        "terminal state"
    ),
    9: (
        "NEW UNKNOWN; cancel -> 202, cancel by client id if possible; PENDING_NEW until the "
        "cancel is sent, then PENDING_CANCEL until evidence; pending lists both"
    ),
    10: "NEW UNKNOWN; replace -> 409 state_conflict / unknown_outcome",
    11: (
        "answer lost, venue has it, filled meanwhile; lookup -> executions booked once, "
        "FILLED, exactly one request on the wire"
    ),
    12: (
        "connection dropped before the venue read; absence proved -> REJECTED NOT_RECEIVED, "
        "reservation freed"
    ),
    13: 'first lookup "no such order", second finds it -> never REJECTED in between',
    14: "lookup page partial -> no evidence, stays UNKNOWN",
    15: (
        "killed between SENDING commit and send; restart -> UNKNOWN -> 8.4, no second order "
        "on any venue kind"
    ),
    16: "killed before SENDING commit; restart -> sent once",
    17: (
        "sender stopped 20 s then continued; successor active -> old process writes nothing "
        "(deadline), venue refuses expired request"
    ),
    18: "venue says duplicate id for our id -> linked to the existing order, not REJECTED",
    19: "ascending venue, next id lower than used; reconnect -> NEW frozen, alarm id_reset",
    20: "content-matched venue, two equal orders one UNKNOWN -> not linked automatically; desk",
    21: "fill arrives before ack -> PARTIALLY_FILLED/FILLED; later NEW is a no-op",
    22: "same fill by stream and by query -> one execution",
    23: "same exec_id with other price -> parked, ledger unchanged",
    24: (
        "cum 50 report before cum 30 report -> final sums right, cum never decreases except "
        "by bust/correct"
    ),
    25: "venue status FILLED, executions missing -> not FILLED until the ledger is complete",
    26: "fill after CANCELED, partial -> CANCELED, cum higher, leaves 0, flag late, position right",
    27: "fill after CANCELED completing the quantity -> FILLED",
    28: "fill on REJECTED -> booked, reopened, critical alarm",
    29: "fill 120 on an order of 100 -> FILLED, overfill_qty 20, alarm, position +120",
    30: (
        'cancel crosses full fill; venue refuses "too late" -> FILLED; between request and '
        "answer PENDING_CANCEL even with leaves 0"
    ),
    31: "cancel crosses partial fill -> CANCELED with the right cum_qty",
    32: 'cancel refused "unknown order" but it is live; query -> stays live',
    33: "cancel twice in parallel -> one command, second answer 200 with it",
    34: "replace to 80, fills reach 80 first; REPLACED 80 -> order_qty 80, FILLED",
    35: "replace to 70, fills reach 85 first; REPLACED -> order_qty 85, FILLED, overfill 0",
    36: "same, but the fill report arrives after REPLACED -> same final row as 35",
    37: "replace refused after pending -> old terms and old cl_ord_id stand",
    38: (
        "two replaces at once, single-slot venue -> second 409 state_conflict / "
        "replace_pending, nothing sent"
    ),
    39: "first replace refused, second sent after -> orig_cl_ord_id = last non-refused id",
    40: "cancel + new venue: cancel ok, new refused -> CANCELED, alarm replace_half_done",
    41: "cancel + new venue: fills complete during the cancel -> new part not sent, FILLED",
    42: "old version's CANCELED arrives after REPLACED -> order unaffected",
    43: "FILLED, one execution busted -> PARTIALLY_FILLED, leaves > 0, query decides if working",
    44: "CANCELED, execution busted -> CANCELED, cum 0, position back",
    45: "correction arrives before its trade -> held, applied when the trade comes",
    46: (
        "GTC partly filled, done for day, 2:1 split, restated -> order_qty, cum, leaves "
        "doubled, avg_px halved, no position from ADJUST"
    ),
    47: "DAY order done for day with leaves -> leaves 0, closed; GTC keeps leaves",
    48: "STOPPED guarantee 1,000 -> cum unchanged until TRADE",
    49: "unknown status word -> parked, never terminal, connection survives",
    50: "SELL stop above the market; submit -> 422 would_trigger_immediately",
    51: "SELL stop 95, next price 90; gap -> fires, fills near 90",
    52: "SELL stop-limit 95/94, next price 90 -> rests at 94, alarm stop_limit_skipped",
    53: "MARKET, empty opposite side -> REJECTED no_liquidity",
    54: "MARKET_TO_LIMIT, best level 3 of 10 -> 3 filled, 7 rest at that price",
    55: "trailing 5 %, price 100 -> 120 -> 118 -> 114 -> stop 95 -> 114 -> 114, fires at 114",
    56: "trailing with activation 110, price 100 -> 90 -> no stop yet, does not fire",
    57: (
        "trailing, process down while price peaks; restart -> stop resumes at stored value, "
        "never lower; unseen peak not counted"
    ),
    58: (
        "trailing offset amended tighter than current distance to fire -> 422 "
        "would_trigger_immediately"
    ),
    59: "POST_ONLY at the opposite best -> REJECTED would_take, not repriced",
    60: (
        "reduce-only 10, position drops to 4 by another fill -> reduced to 4 or cancelled; "
        "never flips"
    ),
    61: "price one tick off, or qty off-lot -> 422 with nearest legal values; nothing stored",
    62: (
        "cash order 100, ask 33, lot 1; converted -> qty 3, unspent shown; cash 20 -> 422 "
        "below_min_qty"
    ),
    63: "FOK larger than the book -> CANCELED, cum 0",
    64: 'IOC partly filled, venue word "expired" -> CANCELED',
    65: "DAY at 16:01 exchange time; when_closed default -> 422 market_closed with next open",
    66: (
        "DAY on a half day; 13:00 close -> EXPIRED at 13:00 exchange time, also across a "
        "clock change"
    ),
    67: "GTD on a venue without it, fill 10 ms before our cancel -> fill stands, rest EXPIRED",
    68: "CLS after cut-off -> 422 auction_cutoff; cancel after cut-off is still sent",
    69: "bracket entry fills 3 of 10 -> both exits live for 3, then grow",
    70: "bracket target fills 2 of 3 -> stop reduced to 1, not cancelled",
    71: "entry cancelled with 3 filled -> exits stay for 3",
    72: (
        "crash between target fill and stop resize; restart -> desired resizes before new "
        "orders are admitted"
    ),
    73: "stop leg refused by the venue; 5 s -> alarm unprotected_position, one resend",
    74: "both exits fill in the gap -> both booked, list overfill, flattening proposed",
    75: "TWAP 10 lots in 4 slices -> 2, 3, 2, 3 (floors of 2.5, 5, 7.5, 10)",
    76: (
        "parent 100, child 40 UNKNOWN; next slice -> at most 60 more are ever released until "
        "resolved"
    ),
    77: (
        "no quotes for 6 s during TWAP -> PAUSED stale_data, children cancelled, resumes, "
        "catch-up bounded"
    ),
    78: "parent amended below cum + uncancellable -> children cancelled, clamp, FILLED",
    79: "POV 10 %, market prints 1,000 incl. ours -> cum + reserved <= 100",
    80: "SOR child on venue A UNKNOWN; wave 2 -> A's quantity is not re-routed",
    81: "SOR: venue share below min notional -> dropped, re-run on the others",
    82: (
        "identical order within 1 s, new id -> 422 risk_rejected, rule duplicate_order; with "
        "allow_duplicate accepted"
    ),
    83: "no market data for the collar -> 422 no_reference_price",
    84: (
        "preview confirmed after 31 s; with other qty; after 1 % move -> 409 preview_expired;"
        " preview_mismatch; preview_drifted"
    ),
    85: "limit headroom 10, 50 parallel orders of 1 -> exactly 10 accepted",
    86: (
        "kill switch with QUEUED, working and UNKNOWN orders -> QUEUED withdrawn, working "
        "cancelled, UNKNOWN cancelled by id, loop until proved empty"
    ),
    87: (
        "order queued 5 min in an outage; reconnect -> expired orders NOT_SENT, others "
        "re-checked, then sent once"
    ),
    88: (
        "order placed in the broker's own screen -> external order, counted by risk, "
        "strategies leave it alone"
    ),
    89: (
        "position differs, no order explains it; reconcile -> break, instrument blocked per "
        "policy, no silent overwrite"
    ),
    90: "bar contains stop and target; backtest -> the stop, bar counted ambiguous",
    91: "bar low equals the buy limit; backtest -> no fill unless touch_fills",
    92: "paper run recorded, replayed in the backtest -> same orders, fills, fees, byte for byte",
    93: (
        "fee reported a day later, in another coin -> attached by exec_id, own currency, cum "
        "unchanged"
    ),
    94: "ETag v7 sent, order at v8; replace / cancel -> 412 / cancel proceeds",
    95: (
        "commit fails after the venue answered; database back -> answer re-read from the "
        "venue, cursor not advanced, nothing lost or doubled"
    ),
}
