"""Reliability: seeded schedules of orders, faults and crashes over the real core."""
