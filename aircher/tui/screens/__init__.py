"""Screens laid over the chat."""
