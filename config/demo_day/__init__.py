"""``make demo``: a trading day over HTTP as a program would do it, with a receipt."""
