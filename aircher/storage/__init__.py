"""One SQLite file: conversations with full-text search, and the ledger of money.

``Database.open`` in ``database.py`` is the way in; it carries ``sessions`` and ``ledger``.
"""
