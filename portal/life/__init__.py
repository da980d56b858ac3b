"""An order's life as its page shows it: steps with what was measured, and the rows of each tab."""
