"""What a server may answer wrongly, in five protocols: the replay server plays it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.conftest import WHOLE, Row
from tests.faults.dialects import DIALECTS, Dialect
from tests.faults.judging import Expected, judge
from tests.faults.stage import Stage

NETWORK = Expected("fails", "connection to .* failed")
GARBLED = Expected("fails", "cannot be understood")
SERVER = Expected("fails", "failed while answering")
BUSY = Expected("fails", "no capacity")
SLOW = Expected("fails", "did not (answer|finish) in time")
REFUSED = Expected("stops", "did not accept the request")

STATUSES: dict[int, Expected] = {
    400: REFUSED,
    401: Expected("fails", "did not accept the key"),
    402: Expected("fails", "no credit or allowance"),
    403: Expected("fails", "does not allow this with your key"),
    404: Expected("fails", "does not know"),
    408: SLOW,
    409: SERVER,
    413: Expected("fails", "too long for"),
    422: REFUSED,
    429: Expected("fails", "too many requests"),
    500: SERVER,
    502: SERVER,
    503: BUSY,
    504: SLOW,
    529: BUSY,
}

FAULTS: dict[tuple[str, str], tuple[str, str, Expected]] = {
    # (fault, where): (changed twin, modes of the replay server, how it ends)
    **{
        (f"HTTP status {status}", "instead of the answer"): ("", f"fail={status}x999999", expected)
        for status, expected in STATUSES.items()
    },
    ("429 once, then the answer", "instead of the answer"): ("", "fail=429x1", Expected("fine")),
    ("connection closed", "before the status line"): ("", "drop=headers", NETWORK),
    ("connection closed", "between headers and body"): ("", "drop=0", NETWORK),
    ("broken JSON", "in the body"): ("", "garbage=json", GARBLED),
    ("random bytes", "in the body"): ("", "garbage=bytes", GARBLED),
    ("broken JSON event", "in mid-answer"): (
        "broken",
        "",
        Expected("breaks", "cannot be understood"),
    ),
    ("bytes that are no text", "in mid-answer"): (
        "noise",
        "",
        Expected("breaks", "cannot be understood"),
    ),
    ("wrong content type", "in the headers"): ("", "ctype=text~html", GARBLED),
    ("empty body", "in the body"): ("", "empty=1", GARBLED),
    ("half a character of UTF-8", "in mid-answer"): (
        "torn",
        "",
        Expected("breaks", "cannot be understood"),
    ),
    ("a clean end too early", "before the end mark"): (
        "unended",
        "",
        Expected("breaks", "cannot be understood"),
    ),
    ("an error event in the stream", "in mid-answer"): (
        "error",
        "",
        Expected("breaks", "failed while answering"),
    ),
    ("an event that comes twice", "at the end"): ("twice", "", Expected("fine")),
    ("no usage", "in the whole stream"): ("uncounted", "", Expected("fine")),
    ("one byte at a time", "in the body"): ("", "chunk=1,delay=0", Expected("fine")),
    ("a redirect", "instead of the answer"): (
        "",
        "status=307",
        Expected("fails", "sends the request on .*, which Aircher does not follow"),
    ),
}

SAMPLE = {
    ("HTTP status 401", "chat"), ("HTTP status 402", "anthropic"), ("HTTP status 404", "gemini"),
    ("HTTP status 429", "responses"), ("HTTP status 529", "anthropic"), ("broken JSON", "ollama"),
    ("HTTP status 500", "chat"), ("wrong content type", "chat"), ("an error event in the stream", "anthropic"),
    ("a clean end too early", "chat"), ("an error event in the stream", "gemini"), ("no usage", "chat"),
    ("half a character of UTF-8", "ollama"),
}  # fmt: skip
"""What runs with all other tests; `make faults` runs every fault in every dialect."""

IGNORED = {("bytes that are no text", name) for name in ("chat", "responses", "gemini")}
"""These take unknown bytes in a field that nobody reads for what they are: nothing."""

UNTOLD = ("an event that comes twice", "gemini")
"""Gemini's last event holds text, and nothing tells a repeated one from a new one."""

CASES = [
    pytest.param(fault, dialect, id=f"{fault[0]}-{dialect.name}")
    for fault in FAULTS
    for dialect in DIALECTS
    if (WHOLE or (fault[0], dialect.name) in SAMPLE) and (fault[0], dialect.name) != UNTOLD
]


@pytest.mark.parametrize(("fault", "dialect"), CASES)
async def test_wire(
    stages: Callable[[], Stage], row: Row, fault: tuple[str, str], dialect: Dialect
) -> None:
    row.fault, row.where = fault
    twin, modes, expected = FAULTS[fault]
    if (fault[0], dialect.name) in IGNORED:
        expected = Expected("fine")
    case = f"{dialect.case}-{twin}" if twin else dialect.case
    await judge(
        stages, dialect, expected, row,
        lambda stage: stage.configure(dialect, stage.address(case, modes)),
    )  # fmt: skip
