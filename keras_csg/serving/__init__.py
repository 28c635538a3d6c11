"""Serves an exported model on the Open Inference Protocol V2."""
