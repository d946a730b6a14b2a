"""One module per protocol; each has ``connect(connection) -> Provider``."""
