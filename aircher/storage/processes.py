"""Which process wrote something, and whether it still lives.

A process is named ``pid@start@namespace``: pids are used again, so the start time (from
/proc/PID/stat, in clock ticks since boot) tells two owners of one pid apart, and a pid says
nothing outside its pid namespace (containers that share a home folder).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_PROC = Path("/proc")


def _start(pid: int) -> str:
    """The start time of a running process; "" where the system does not tell or it is gone."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The command's name, field 2, may hold spaces and parentheses: count from its end.
    fields = stat.rpartition(")")[2].split()
    # state is field 3 of proc(5), starttime field 22; a zombie has already ended.
    return "" if fields[0] == "Z" else fields[19]


def _namespace() -> str:
    try:
        return (_PROC / "self" / "ns" / "pid").readlink().name
    except OSError:
        return ""


def myself() -> str:
    """The name of this process."""
    pid = os.getpid()
    return f"{pid}@{_start(pid)}@{_namespace()}"


def lives(name: str) -> bool | None:
    """Whether the named process still runs; None where that cannot be known.

    The caller has a limit of time for those.
    """
    pid_text, _, rest = name.partition("@")
    start, _, namespace = rest.partition("@")
    if not pid_text.isdecimal():
        return False
    pid = int(pid_text)
    if namespace != _namespace():
        return None
    if start:
        return _start(pid) == start
    if sys.platform == "win32":
        return None  # there os.kill(pid, 0) would interrupt the process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return None  # the pid is somebody else's by now, or was
    return None  # without a start time it may be another owner of the pid
