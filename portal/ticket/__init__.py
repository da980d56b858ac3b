"""The order form: words to figures, figures to an intent."""
