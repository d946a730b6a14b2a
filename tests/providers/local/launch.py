"""The real command line with another pinned file: python launch.py SIZE SHA256 ARGUMENTS..."""

from __future__ import annotations

import dataclasses
import sys

from aircher.bootstrap import local
from aircher.cli.main import main

size, sha256, *arguments = sys.argv[1:]
local.SMOLLM2 = dataclasses.replace(local.SMOLLM2, size=int(size), sha256=sha256)
sys.exit(main(arguments))
