"""Decimals at the edges: written as the core writes them, so that equal values look equal."""

from trading.orders.canonical import dec_str, opt_dec_str

__all__ = ["dec_str", "opt_dec_str"]
