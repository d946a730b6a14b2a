"""A fake engine and fake services for front ends: scripted events, real values.

The script of a turn is a list of steps: an event is yielded, a number is waited (in real
seconds), and an ``asyncio.Event`` is waited for, so that a test decides when a turn goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from aircher.bootstrap.services import Services
from aircher.domain import events as ev
from aircher.domain.budget import Cap, CapState
from aircher.domain.chat import TextDelta
from aircher.domain.errors import AircherError, UsageError
from aircher.domain.health import Health
from aircher.domain.messages import Document, Message, Text, assistant, user
from aircher.domain.models import ModelFacts, ModelRef
from aircher.domain.ports import Clock
from aircher.domain.routes import Candidate, Estimate, Plan, Rules, TaskRule, Wish
from aircher.domain.sessions import SearchHit, SessionInfo, StoredMessage
from aircher.domain.settings import Settings, UiSettings
from aircher.domain.tasks import TASKS, Correction, Detection, Signals
from aircher.domain.turns import Preview, TurnRequest
from aircher.domain.usage import FREE, UNKNOWN_COST, Cost, Spend, Tokens, UsageRow

NOW = datetime(2026, 11, 21, 15, 4, 5, tzinfo=UTC)
MINI = ModelRef("openai", "gpt-5-mini")
SONNET = ModelRef("claude", "claude-sonnet-4-5")
LOCAL = ModelRef("local", "smollm2-135m")
Step = ev.Event | float | asyncio.Event


def usd(amount: str, tag: Any = "exact") -> Cost:
    """A cost in USD."""
    return Cost(int(Decimal(amount) * 1_000_000_000), tag, "test")


def rules() -> Rules:
    """Three providers, debugging going to Claude."""
    return Rules(
        order=("openai", "claude", "local"),
        models={r.provider: r.model for r in (MINI, SONNET, LOCAL)},
        tasks={
            "default": TaskRule(MINI, (SONNET,)),
            "debugging": TaskRule(SONNET, (MINI,), origin="config.toml:12"),
        },
        unusable={"gemini": "no key: set GEMINI_API_KEY"},
    )


def settings(**changes: Any) -> Settings:
    """Settings of a user with two keys."""
    ui = UiSettings(**changes.pop("ui", {}))
    base = Settings(
        rules(),
        ui=ui,
        found=("key in OPENAI_API_KEY", "key in ANTHROPIC_API_KEY", "the built-in model"),
    )
    return replace(base, **changes)


def answer(
    *pieces: str, ref: ModelRef = MINI, task: str = "default", cost: str = "0.0021"
) -> list[Step]:
    """The steps of a turn that goes well."""
    text = "".join(pieces)
    tokens = Tokens(input=412, output=96)
    result = ev.TurnResult(
        "s-new", task, ref, text, tokens=tokens, cost=usd(cost), outcome="complete",
        duration_s=2.4, first_token_s=0.4, message_id=2,
    )  # fmt: skip
    return [
        ev.Detected(Detection(task, 0.9)),
        ev.Routed(plan(task, ref)),
        ev.Reserved(Candidate(ref, "first"), 31_000_000),
        ev.Started(ref, 1, "s-new", 2),
        *(TextDelta(piece) for piece in pieces),
        ev.Usage(ref, tokens, usd(cost)),
        ev.Finished(result),
    ]


def plan(task: str, ref: ModelRef) -> Plan:
    """A plan of one candidate with an estimate; the local model costs nothing."""
    likely, worst = usd("0.0018", "estimated"), usd("0.031", "estimated")
    if ref.provider == "local":
        likely = worst = FREE
    return Plan(task, "task", (Candidate(ref, "your rule", Estimate(410, 4096, likely, worst)),))


class FakeEngine:
    """Plays scripts, one per turn; keeps the requests it got."""

    def __init__(self, given: Settings) -> None:
        self.settings = given
        self.scripts: list[Sequence[Step]] = []
        self.requests: list[TurnRequest] = []
        self.previews: list[TurnRequest] = []
        self.closed = 0
        self.skipped = 0
        self.answers: list[tuple[int, bool]] = []
        self.compacted: list[str] = []
        self.learning = FakeLearning()
        self.preview_error: AircherError | None = None
        self.caps: tuple[CapState, ...] = (
            CapState(Cap("costs.daily_limit", 10_000_000_000, NOW.replace(hour=0, minute=0, second=0)), 420_000_000),
            CapState(Cap("costs.monthly_budget", 100_000_000_000, NOW.replace(day=1, hour=0, minute=0, second=0)), 85_310_000_000),
        )  # fmt: skip

    async def turn(self, request: TurnRequest) -> AsyncGenerator[ev.Event, None]:
        self.requests.append(request)
        script = self.scripts.pop(0) if self.scripts else answer("ok")
        try:
            for step in script:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, (int, float)):
                    await asyncio.sleep(step)
                else:
                    yield step
        finally:
            self.closed += 1

    async def compact(
        self, session_id: str, *, local: bool = False
    ) -> AsyncGenerator[ev.Event, None]:
        self.compacted.append(session_id)
        script = self.scripts.pop(0) if self.scripts else [ev.Compacted(4, 9_000, 300, "…")]
        for step in script:
            if isinstance(step, asyncio.Event):
                await step.wait()
            elif not isinstance(step, float):
                yield step

    async def preview(self, request: TurnRequest) -> Preview:
        self.previews.append(request)
        if self.preview_error is not None:
            raise self.preview_error
        detection, made = self.weigh(Signals(request.text), request.wish)
        return Preview(detection, made)

    def weigh(self, signals: Signals, wish: Wish) -> tuple[Detection, Plan]:
        task = wish.task or ("debugging" if "bug" in signals.text else "default")
        if wish.model:
            ref = ModelRef(wish.provider, wish.model)
        else:
            ref = self.settings.rules.tasks.get(task, TaskRule(MINI)).preferred
        return Detection(task, 0.8), plan(task, ref)

    def budget(self) -> Sequence[CapState]:
        return self.caps

    def skip_wait(self) -> None:
        self.skipped += 1

    def answer(self, question_id: int, *, yes: bool) -> None:
        self.answers.append((question_id, yes))


class FakeLearning:
    """Keeps what it was told; the tasks are the built-in ones."""

    tasks = TASKS

    def __init__(self) -> None:
        self.corrected: list[tuple[str, str, int]] = []
        self.learnt: list[tuple[str, str, str]] = []

    def learn(self, text: str, *, wrong: str, task: str) -> Correction:
        self.learnt.append((text, wrong, task))
        return Correction(len(self.learnt), NOW, text, wrong, task)

    def correct(self, session_id: str, task: str, message_id: int = 0) -> Correction:
        self.corrected.append((session_id, task, message_id))
        return Correction(len(self.corrected), NOW, "text", "default", task)


class FixedClock:
    """Stands still on the wall; monotonic moves with the loop so that waits end."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return asyncio.get_event_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class FakeSessions:
    """Conversations in a dict."""

    infos: dict[str, SessionInfo] = field(default_factory=dict)
    stored: dict[str, list[StoredMessage]] = field(default_factory=dict)

    def put(self, session_id: str, title: str, age: timedelta, *texts: str) -> None:
        """An earlier chat: texts in turn of the user and of the model."""
        at = NOW - age
        self.infos[session_id] = SessionInfo(
            session_id, title, at, at, len(texts), usd("0.0134"), "aircher"
        )
        self.stored[session_id] = [
            StoredMessage(
                number, session_id, message(text), at,
                ref=None if message is user else SONNET, cost=usd("0.0067"), duration_s=3.0,
            )
            for number, (message, text) in enumerate(zip((user, assistant) * 99, texts, strict=False), 1)
        ]  # fmt: skip

    def info(self, session_id: str) -> SessionInfo:
        if session_id not in self.infos:
            if session_id == "s-new":
                return SessionInfo("s-new", "Greeting the compiler", NOW, NOW, 2)
            raise UsageError(f"There is no chat {session_id}.")
        return self.infos[session_id]

    def messages(self, session_id: str) -> Sequence[StoredMessage]:
        return self.stored.get(session_id, [])

    def list(self, *, limit: int = 50, offset: int = 0, project: str = "") -> Sequence[SessionInfo]:
        return sorted(self.infos.values(), key=lambda info: info.updated, reverse=True)[:limit]

    def search(self, query: str, *, limit: int = 20) -> Sequence[SearchHit]:
        return [
            SearchHit(self.infos[key], stored.id, stored.message.text[:60])
            for key, rows in self.stored.items()
            for stored in rows
            if query.lower() in stored.message.text.lower()
        ][:limit]

    def rename(self, session_id: str, title: str) -> None:
        self.infos[session_id] = replace(self.info(session_id), title=title)


class FakeCorrections:
    """Nothing was ever corrected."""

    def all(self) -> Sequence[Correction]:
        return ()


class FakeLedger:
    """Fixed sums."""

    def spend(
        self, since: datetime, *, provider: str = "", task: str = "", session_id: str = ""
    ) -> Spend:
        if session_id:
            return Spend(13_400_000, 4, 1648, 384, estimated=1)
        if since.day == NOW.day:
            return Spend(420_000_000, 31, 90_000, 20_000)
        return Spend(85_310_000_000, 900, 9_000_000, 2_000_000)


class FakeUsage:
    """Three rows."""

    def rows(self, since: datetime, until: datetime | None = None) -> Sequence[UsageRow]:
        return [
            UsageRow(NOW, MINI, "quick_questions", Tokens(1200, output=300), usd("0.0021")),
            UsageRow(
                NOW, SONNET, "debugging", Tokens(8000, output=2000), usd("0.054", "estimated")
            ),
            UsageRow(NOW, SONNET, "debugging", Tokens(100, output=20), UNKNOWN_COST),
        ]


class FakeCatalog:
    """One price for all but the local model; keeps what it was told to warm."""

    def __init__(self) -> None:
        self.warmed: list[ModelRef] = []

    def warm(self, *refs: ModelRef) -> None:
        self.warmed += refs

    def facts(self, ref: ModelRef) -> ModelFacts:
        if ref.provider == "local":
            return ModelFacts(ref, 8192, free=True)
        return ModelFacts(ref, 200_000, 32_000, Decimal("0.25"), Decimal("2.00"))

    def known(self) -> Sequence[ModelFacts]:
        return [self.facts(ModelRef("openai", "gpt-5-nano")), self.facts(SONNET)]

    def count_text(self, ref: ModelRef, text: str) -> int:
        return len(text) // 4 + 1

    def cost(self, ref: ModelRef, tokens: Tokens, at: datetime, vendor_usd: str = "") -> Cost:
        return usd("0.0009")


class FakeProviders:
    """Nothing to connect to."""

    names = ("openai", "claude", "local")

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def get(self, name: str) -> Any:
        self.asked.append(name)

    async def aclose(self) -> None:
        self.asked.append("closed")


class FakeWorkspace:
    """Three files."""

    root = "."
    files = ("src/parser.py", "src/lexer.py", "README.md")

    async def git(self) -> None:
        return None

    async def open_files(self, changed: Sequence[str] = ()) -> Sequence[str]:
        return ()

    def attach(self, path: str) -> Document:
        if path not in self.files:
            raise UsageError(f"There is no file {path}.")
        return Document(path, "text/plain", b"print()")

    def ignored(self, path: str) -> bool:
        return False

    def find(self, query: str, *, limit: int = 20) -> Sequence[str]:
        return [path for path in self.files if query.lower() in path.lower()][:limit]


class FakeHealth:
    """One provider of each kind."""

    def __init__(self) -> None:
        self.was_reset: list[str] = []
        self.looked: list[str] = []

    def all(self) -> Sequence[Health]:
        return [
            Health("openai", "healthy", MINI.model, latency_p50=0.62, latency_p95=1.1, calls=31),
            Health(
                "claude", "unhealthy", SONNET.model, breaker="open",
                breaker_until=NOW + timedelta(seconds=48), failures=5, calls=12,
                last_error="overloaded (529)", note="paused for 48 s (overloaded 5 times)",
            ),
            Health("local", "unknown", LOCAL.model),
            Health("gemini", "unconfigured", note="no key: set GEMINI_API_KEY"),
        ]  # fmt: skip

    def blocked(self) -> dict[ModelRef, str]:
        return {SONNET: "paused for 48 s (overloaded 5 times)"}

    def reset(self, provider: str, model: str = "") -> None:
        self.was_reset.append(f"{provider}/{model}" if model else provider)

    def quiet(self, since: datetime) -> Sequence[str]:
        return ("openai", "claude")

    def probed(self, provider: str, latency_s: float | None, error: Exception | None) -> None:
        self.looked.append(provider)


def message_text(message: Message) -> str:
    """The text parts of a message."""
    return "".join(part.text for part in message.parts if isinstance(part, Text))


def services(given: Settings | None = None, clock: Clock | None = None) -> Any:
    """``Services`` made of the fakes above (typed Any: tests reach into the fakes)."""
    chosen = given or settings()
    parts: dict[str, Any] = {
        "engine": FakeEngine(chosen),
        "settings": chosen,
        "sessions": FakeSessions(),
        "corrections": FakeCorrections(),
        "ledger": FakeLedger(),
        "usage": FakeUsage(),
        "catalog": FakeCatalog(),
        "providers": FakeProviders(),
        "workspace": FakeWorkspace(),
        "health": FakeHealth(),
        "clock": clock or FixedClock(),
        "close": lambda: None,
    }
    return Services(**parts)
