"""The log: off unless a file is named; a JSON object a line; redacted by construction.

Our own records hold named fields only, and only those in ``FIELDS``.  Of a library's record
neither its text nor its arguments are written, since they may hold headers, bodies and keys:
only which logger spoke, where in its code, and, for the HTTP libraries' "a request was made",
method, address without query, and status.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import stat
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from aircher.config.schema import Log
from aircher.domain.errors import UsageError
from aircher.domain.inert import inert

__all__ = ["LEVELS", "Log", "begin", "begun", "note", "with_crashes"]

Value = str | int | float | bool | None

FIELDS = frozenset(
    {
        *("event", "command", "code", "task", "confidence", "strategy", "provider", "model"),
        *("candidates", "attempt", "session", "wait_s", "kind", "status", "request_id", "to"),
        *("input_tokens", "output_tokens", "cost_usd", "cost_tag", "outcome", "finish_reason"),
        *("duration_s", "first_token_s", "found", "before", "after", "at_limit", "share", "where"),
        *("version", "python", "platform", "prompt", "answer"),
    }
)
"""What our own records may hold; "prompt" and "answer" are sent here only with --log-prompts."""

LEVELS = {
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}
OURS = "aircher"
_HTTP = frozenset({"httpx", "httpx2"})
_LONGEST = 200
"""Characters of a field; prompts and answers are whole."""

_whole = frozenset({"prompt", "answer"})


class JsonLines(logging.Handler):
    """Appends one line a record to a private file.

    ``secrets`` are values that must not be written wherever they turn up.
    """

    def __init__(self, path: Path, level: str, *, prompts: bool, secrets: frozenset[str]) -> None:
        super().__init__(LEVELS[level])
        self.path = path
        self.prompts = prompts
        self._secrets = secrets
        self._file = _opened(path)

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record; a full disk loses the line, never the program."""
        facts = _ours(record) if record.name == OURS else _foreign(record)
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), "logger": record.name, **facts}
        text = json.dumps({name: self._clean(name, value) for name, value in line.items()})
        with contextlib.suppress(OSError):
            os.write(self._file, text.encode() + b"\n")

    def _clean(self, name: str, value: Value) -> Value:
        if not isinstance(value, str):
            return value
        text = inert(value) if name in _whole else inert(value)[:_LONGEST]
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return text

    def close(self) -> None:
        """Closes the file; closing twice is fine."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        super().close()


def _opened(path: Path) -> int:
    """The file to append to, 0600 from its first byte.  Raises ``UsageError``."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags, 0o600)
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            os.close(handle)
            raise OSError(errno.EINVAL, "it is not a plain file")
        if sys.platform != "win32":
            if facts.st_uid != os.geteuid():
                os.close(handle)
                raise OSError(errno.EPERM, "it belongs to another user")
            os.fchmod(handle, 0o600)
    except OSError as error:
        why = "it is a link" if error.errno == errno.ELOOP else error.strerror
        raise UsageError(f"The log {path} cannot be written: {why}.") from error
    return handle


def _ours(record: logging.LogRecord) -> Mapping[str, Value]:
    facts: Mapping[str, Value] = getattr(record, "facts", {})
    return {name: value for name, value in facts.items() if name in FIELDS}


def _foreign(record: logging.LogRecord) -> Mapping[str, Value]:
    facts: dict[str, Value] = {"where": f"{record.module}.{record.funcName}:{record.lineno}"}
    if record.exc_info and record.exc_info[0]:
        facts["kind"] = record.exc_info[0].__name__
    if record.name in _HTTP and isinstance(record.args, tuple) and len(record.args) == 5:
        method, url, _, status, _ = record.args
        parts = urlsplit(str(url))
        facts |= {"method": str(method), "status": status if isinstance(status, int) else None}
        facts["address"] = f"{parts.scheme}://{parts.hostname}{parts.path}"
    return facts


def begun() -> JsonLines | None:
    """The log that is being written, if one is."""
    found = (one for one in logging.getLogger().handlers if isinstance(one, JsonLines))
    return next(found, None)


def begin(log: Log, secrets: frozenset[str] = frozenset()) -> JsonLines | None:
    """Starts the log where ``log`` names a file and none is written yet.

    In any case no library prints its own log to the terminal from here on, whatever OPENAI_LOG
    or ANTHROPIC_LOG say.  Raises ``UsageError`` for a file that cannot be written.
    """
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.NullHandler())
    running = begun()
    if running or not log.file:
        return running
    handler = JsonLines(
        Path(os.path.expanduser(log.file)), log.level, prompts=log.prompts, secrets=secrets
    )
    root.addHandler(handler)
    root.setLevel(min(root.level or logging.WARNING, LEVELS[log.level]))
    return handler


def note(event: str, level: int = logging.INFO, **facts: Value) -> None:
    """One record of ours; nothing happens while no log is written."""
    logging.getLogger(OURS).log(level, event, extra={"facts": {"event": event, **facts}})


Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]


def with_crashes(before: Hook) -> Hook:
    """An excepthook that logs where a crash was, without the error's text, and then ``before``."""

    def hook(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> object:
        where = []
        step = trace
        while step is not None:
            code = step.tb_frame.f_code
            where.append(f"{os.path.basename(code.co_filename)}:{step.tb_lineno}")
            step = step.tb_next
        note("crash", logging.ERROR, kind=kind.__name__, where=" < ".join(where[:-9:-1]))
        return before(kind, error, trace)

    return hook
