"""The composition root: configuration in, a running engine with its services out.

The only package that knows every adapter.
"""
