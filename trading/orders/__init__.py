"""What an order is: intents, ids, reports, the fold that computes its state, request rules."""
