"""``python -m aircher`` is the console script."""

import os
import sys

# Python looks for modules in the current folder first, and that may be anyone's repository.
if sys.path and sys.path[0] in {"", os.getcwd()}:
    del sys.path[0]

from aircher.entry import main

sys.exit(main())
