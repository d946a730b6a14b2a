"""Aircher: a terminal chat client that sends each request to the right model."""

__version__ = "0.1.0"
