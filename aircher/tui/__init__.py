"""The terminal chat: a Textual app that consumes the engine's events."""
