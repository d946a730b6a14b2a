"""The configuration: its schema, and reading, changing and describing it.  TOML only."""
