"""The front process: one origin for a browser on one machine."""
