"""What accounts hold and have earned, as pages show it."""
