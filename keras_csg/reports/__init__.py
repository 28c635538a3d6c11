"""Pages about a run that open from the disk, without any request."""
