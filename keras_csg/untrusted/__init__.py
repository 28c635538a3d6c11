"""What is asked of files before anything in them is believed."""
