"""What the desk shows of instruments and prices."""
