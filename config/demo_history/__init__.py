"""The days a demo firm has behind it, traded through the engine when the firm is made."""
