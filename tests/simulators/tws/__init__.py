"""Trader Workstation's socket, as far as an order management system speaks it."""
