"""Pure values and ports: standard library only, no input or output.

Every other package may import this one; it imports none of them.
"""
