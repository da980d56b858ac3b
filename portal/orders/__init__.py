"""Lists of orders: what an address demands, what a table shows, the form that amends."""
