"""A page on which a run is tried by hand."""
