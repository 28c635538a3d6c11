"""Image classifiers whose filters mean something."""
