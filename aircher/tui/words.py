"""Numbers as the user reads them: money, tokens, seconds, dates.  One function for each."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from aircher.domain.inert import inert
from aircher.domain.usage import NANO_PER_USD, Cost, CostTag


def money(nano: int | None, tag: CostTag = "exact") -> str:
    """Nano-dollars as "$1.23", with "~" when estimated and "?" when unknown.

    Ten cents and above shows cents, less than that at least two significant digits, so that a cheap call is never shown as $0.00.
    """
    if nano is None or tag == "unknown":
        return "?"
    mark = "~" if tag == "estimated" else ""
    usd = Decimal(nano) / NANO_PER_USD
    if nano == 0:
        return f"{mark}$0.00"
    if abs(usd) >= Decimal("0.1"):
        return f"{mark}${usd:,.2f}"
    if abs(usd) >= Decimal("0.01"):
        return f"{mark}${usd:.3f}"
    places = min(9, 1 - usd.adjusted())
    return f"{mark}${usd.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}"


def price(cost: Cost) -> str:
    """A ``Cost`` by the same rule; one that is known to be nothing is "free"."""
    if cost.nano_usd == 0 and cost.tag == "exact":
        return "free"
    return money(cost.nano_usd, cost.tag)


def count(number: int | None) -> str:
    """Tokens: 950, 1.2k, 34k, 1.1M; "?" when unknown."""
    if number is None:
        return "?"
    if number < 1_000:
        return str(number)
    for size, unit in ((1_000, "k"), (1_000_000, "M")):
        scaled = number / size
        if scaled < 999.5:
            return f"{scaled:.1f}{unit}" if scaled < 9.95 else f"{scaled:.0f}{unit}"
    return f"{number / 1e9:.1f}G"


def seconds(value: float | None) -> str:
    """A duration: 0.42 s, 3.1 s, 48 s, 2 m 05 s; "" when unknown."""
    if value is None:
        return ""
    if value < 1:
        return f"{value:.2f} s"
    if value < 9.95:
        return f"{value:.1f} s"
    if value < 59.5:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} m {rest:02d} s"


def day(at: datetime, now: datetime) -> str:
    """A moment as people say it: "today 14:02", "yesterday 09:10", "Tue 18:00", "3 Mar 2026"."""
    at = at.astimezone(now.tzinfo)
    days = (now.date() - at.date()).days
    clock = f"{at:%H:%M}"
    if days <= 0:
        return f"today {clock}"
    if days == 1:
        return f"yesterday {clock}"
    if days < 7:
        return f"{at:%a} {clock}"
    return f"{at.day} {at:%b}" + ("" if at.year == now.year else f" {at.year}")


def bar(part: int, whole: int, width: int) -> tuple[str, str]:
    """A thin bar as (filled, empty) strings that are ``width`` cells together."""
    share = min(1.0, max(0.0, part / whole)) if whole > 0 else 0.0
    filled = round(share * width)
    if part > 0 and whole > 0:
        filled = max(1, filled)
    return "━" * filled, "─" * (width - filled)


def sentence(text: str) -> str:
    """``text``, harmless, on one line and ended so that another sentence can follow."""
    line = " ".join(inert(text).split())
    return line if not line or line[-1] in ".!?…" else line + "."


def seam(failed: object, to: object, why: str, *, kept: int, continues: bool) -> str:
    """What stands between two models' parts of one answer, or says that another is asked."""
    if continues:
        then = f"{to} goes on from here."
    else:
        then = f"{to} begins anew; the part above stays." if kept else f"Now asking {to}."
    return f"{failed}: {sentence(why)} {then}" if why else then


def clip(text: str, width: int) -> str:
    """``text``, harmless, on one line of at most ``width`` characters, cut with an ellipsis."""
    line = " ".join(inert(text).split())
    return line if len(line) <= width else line[: max(0, width - 1)] + "…"
