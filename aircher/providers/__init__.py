"""Access to models: the table of vendors, the registry, one dialect per protocol.

Importing this package imports no SDK.
"""
