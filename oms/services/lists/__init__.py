"""Lists of orders that depend on each other: taken, followed, protected, cancelled and amended.

What each leg should have working is decided by ``trading.contingency``; here it is read from rows
and carried out through the same steps as any order's.
"""
