import time

STARTED = time.monotonic()
"""When the command was called, nearly."""
