"""Pages about a trained network, for people who did not train it."""
