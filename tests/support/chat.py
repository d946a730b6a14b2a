"""Scripted providers: they yield domain chunks, as a dialect would, and record requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from aircher.domain.chat import ChatRequest, Chunk, Finish, TextDelta, UsageReport
from aircher.domain.messages import Message
from aircher.domain.models import ListedModel, ModelFacts, ModelRef
from aircher.domain.tasks import GitState
from aircher.domain.usage import UNKNOWN_COST, Cost, Tokens

Step = Chunk | Exception | float
"""A chunk to yield, an error to raise, or seconds (of real time) to wait."""


def answer(text: str, *, prompt: int = 10, output: int = 5) -> list[Step]:
    """A whole, ordinary reply."""
    return [
        TextDelta(text),
        UsageReport(Tokens(input=prompt, output=output)),
        Finish("stop", "complete"),
    ]


@dataclass
class ScriptedProvider:
    """A ``Provider`` that plays one script per call; the last one again and again."""

    name: str
    scripts: list[list[Step]]
    requests: list[ChatRequest] = field(default_factory=list)
    closed: int = 0
    features: frozenset[str] = frozenset({"streaming"})

    async def stream(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        script = self.scripts[min(len(self.requests), len(self.scripts) - 1)]
        self.requests.append(request)
        try:
            for step in script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                else:
                    yield step
        finally:
            self.closed += 1

    async def models(self) -> Sequence[ListedModel]:
        return ()

    async def count_tokens(self, request: ChatRequest) -> int | None:
        return None

    async def aclose(self) -> None:
        pass


class ScriptedProviders:
    """The ``Providers`` of a test."""

    def __init__(self, *providers: ScriptedProvider) -> None:
        self._by_name = {provider.name: provider for provider in providers}

    @property
    def names(self) -> Sequence[str]:
        return tuple(self._by_name)

    async def get(self, name: str) -> ScriptedProvider:
        return self._by_name[name]

    async def aclose(self) -> None:
        pass


@dataclass
class TableCatalog:
    """A ``Catalog`` of a few models; a token is a word, a price is USD per million tokens."""

    prices: Mapping[str, int] = field(default_factory=dict)
    windows: Mapping[str, int] = field(default_factory=dict)

    def facts(self, ref: ModelRef) -> ModelFacts:
        price = self.prices.get(ref.model)
        return ModelFacts(
            ref,
            context_window=self.windows.get(ref.model),
            input_price=None if price is None else Decimal(price),
            output_price=None if price is None else Decimal(price),
        )

    def cost(self, ref: ModelRef, tokens: Tokens, at: object, vendor_usd: str = "") -> Cost:
        price = self.prices.get(ref.model)
        if price is None or not tokens.known:
            return UNKNOWN_COST
        return Cost(((tokens.input or 0) + (tokens.output or 0)) * price * 1000, "exact", "table")

    def count_tokens(
        self, ref: ModelRef, messages: Iterable[Message], system: str = ""
    ) -> tuple[int, bool]:
        return sum(self.count_text(ref, m.text) for m in messages) + len(system.split()), True

    def count_text(self, ref: ModelRef, text: str) -> int:
        return len(text.split())

    def calibrate(self, ref: ModelRef, estimated: int, reported: int) -> None:
        pass

    def warm(self, *refs: ModelRef) -> None:
        pass

    def known(self) -> Sequence[ModelFacts]:
        return [self.facts(ModelRef("a", model)) for model in self.prices]


@dataclass
class PlainWorkspace:
    """A ``Workspace`` without git or files."""

    state: GitState | None = None
    root: str = "/project"
    open: tuple[str, ...] = ()

    async def git(self) -> GitState | None:
        return self.state

    async def open_files(self, changed: Sequence[str] = ()) -> Sequence[str]:
        return self.open

    def ignored(self, path: str) -> bool:
        return False

    def find(self, query: str, *, limit: int = 20) -> Sequence[str]:
        return ()
