"""``regex``: as ``re.compile``, but the expression is compiled when it is first used.

A start passes some eighty expressions, 0.1 to 2 ms each to compile, and uses a third of them.
After the first use the object's methods are the compiled pattern's own, so nothing is slower.
"""

from __future__ import annotations

__all__ = ["regex"]

TYPE_CHECKING = False  # type checkers take it for True; importing typing would cost 4 ms
if TYPE_CHECKING:
    from re import compile as regex
else:

    class regex:  # noqa: N801  # stands for a function
        """What ``re.compile`` of the same arguments gives, for its methods and attributes."""

        def __init__(self, pattern, flags=0):
            self._given = pattern, flags

        def __getattr__(self, name):
            import re

            made = re.compile(*self._given)
            vars(self).update((one, getattr(made, one)) for one in dir(made) if one[0] != "_")
            return getattr(made, name)
