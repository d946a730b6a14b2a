"""``python -m aircher`` is the console script."""

import sys

from aircher.entry import main

sys.exit(main())
