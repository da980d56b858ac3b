"""What the consoles' dashboards say. No page in here: the worker works the same figures out."""
