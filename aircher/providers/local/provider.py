"""The provider ``local``: models run by child processes, reached through the OpenAI dialect."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import Path
from typing import Protocol, cast
from urllib.request import ProxyHandler, Request, build_opener

from aircher.domain.chat import ChatRequest, Chunk
from aircher.domain.errors import (
    ContextTooLong,
    InvalidRequest,
    ModelNotFound,
    NetworkFailed,
    ProviderError,
    ServerFailed,
    TimedOut,
)
from aircher.domain.models import ListedModel
from aircher.domain.ports import Provider
from aircher.providers.connection import Connection
from aircher.providers.local.child import Child, ModelFile, check, start
from aircher.providers.local.model import SMOLLM2, models_folder, thread_count
from aircher.providers.local.prompt import plain

IDLE_S = 300
"""Seconds without a request after which a model leaves memory; loading again takes 0.5 s."""

REQUEST_LIMIT_S = 180.0
"""Wall clock for one answer: a busy machine may give this model one token a second."""

_ENDING_S = 0.5
_FEATURES = frozenset({"streaming", "local"})
_DIRECT = build_opener(ProxyHandler({}))  # a proxy has no business between two processes here
_DIALECT = "aircher.providers.dialects.openai_chat"


class _Dialect(Protocol):
    def connect(self, connection: Connection) -> Provider: ...


class Local:
    """The models of this machine.  Each has its own process, started when first needed.

    Other aircher processes have their own: a shared one would need a key on disk and someone
    to own it, to save memory that is given back after five idle minutes anyway.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._running: dict[str, asyncio.Task[tuple[Child, Provider]]] = {}

    @property
    def name(self) -> str:
        """The name in the configuration."""
        return self._connection.provider

    @property
    def features(self) -> frozenset[str]:
        """Text in, text out, on this machine."""
        return _FEATURES

    async def models(self) -> Sequence[ListedModel]:
        """The built-in model and the file the user named, as far as they can be started.

        Raises ``ModelNotFound`` with the command that helps if none can.
        """
        listed, trouble = [], None
        for name in dict.fromkeys((SMOLLM2.name, str(self._connection.options.get("model") or ""))):
            if not name:
                continue
            model = self._file(name)
            try:
                check(model)
            except ModelNotFound as error:
                trouble = trouble or error
                continue
            size = model.path.stat().st_size
            listed.append(ListedModel(name, model.context, None, _FEATURES, size))
        if not listed and trouble:
            raise self._named(trouble, "")
        return listed

    async def warm(self, model: str = SMOLLM2.name) -> bool:
        """Starts the model ahead of its first use; False, and no error, where it cannot."""
        try:
            await self._ready(model)
        except ProviderError:
            return False
        return True

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """One answer; see ``ChatPort.stream``.  Tools are left out, thinking is ignored."""
        deadline = asyncio.get_running_loop().time() + self._limit_s
        inner: AsyncIterator[Chunk] | None = None
        child: Child | None = None
        try:
            tiny = self._file(request.model).builtin
            asked = plain(request, tiny=tiny)
            async with asyncio.timeout_at(deadline):
                child, dialect = await self._ready(request.model)
            inner = dialect.stream(asked)
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        chunk = await anext(inner)
                except StopAsyncIteration:
                    return
                yield chunk
        except TimeoutError:
            raise TimedOut(
                f"The model on this machine did not finish within {self._limit_s:.0f} s.",
                hint="Ask for less, or choose another model.",
                provider=self.name,
                model=request.model,
            ) from None
        except ProviderError as error:
            raise await self._explained(error, child, request.model) from error
        finally:
            if isinstance(inner, AsyncGenerator):
                await inner.aclose()  # closes the connection, which stops the model

    async def count_tokens(self, request: ChatRequest) -> int | None:
        """The prompt's tokens by the model's own tables; None while the model is not running."""
        task = self._running.get(request.model)
        if task is None or not task.done() or task.cancelled() or task.exception():
            return None
        child = task.result()[0]
        asked = plain(request, tiny=self._file(request.model).builtin)
        messages = [{"role": m.role, "content": m.text} for m in asked.messages]
        if asked.system:
            messages.insert(0, {"role": "system", "content": asked.system})
        try:
            return await asyncio.to_thread(_count, child, messages)
        except (OSError, ValueError, KeyError):
            return None

    async def aclose(self) -> None:
        """Ends the processes."""
        running, self._running = list(self._running.values()), {}
        for task in running:
            await self._put_away(task)

    @property
    def _limit_s(self) -> float:
        return float(self._connection.options.get("timeout") or REQUEST_LIMIT_S)

    @property
    def _threads(self) -> int:
        return int(self._connection.options.get("threads") or thread_count())

    @property
    def _idle_s(self) -> int:
        """As llama.cpp counts it: -1 is never."""
        idle = float(self._connection.options.get("idle_unload", IDLE_S))
        return max(1, round(idle)) if idle else -1

    def _file(self, name: str) -> ModelFile:
        """The model a request names: the built-in one, or a path to a GGUF file."""
        context = int(self._connection.options.get("num_ctx") or SMOLLM2.context)
        if name in {SMOLLM2.name, ""}:
            path = models_folder() / SMOLLM2.file
            return ModelFile(SMOLLM2.name, path, min(context, SMOLLM2.context), builtin=True)
        return ModelFile(name, Path(os.path.expanduser(name)), context, builtin=False)

    async def _ready(self, name: str) -> tuple[Child, Provider]:
        """The running model, started if need be; several callers wait for one start."""
        model = self._file(name)
        task = self._running.get(model.name)
        ended = task is not None and task.done() and (_failed(task) or not task.result()[0].alive)
        if task is None or ended:
            task = asyncio.create_task(self._start(model, task))
            task.add_done_callback(_failed)  # looked at, so that asyncio does not complain
            self._running[model.name] = task
        # Shielded: who stops waiting must not stop the start that others wait for.
        return await asyncio.shield(task)

    @staticmethod
    async def _put_away(task: asyncio.Task[tuple[Child, Provider]]) -> None:
        """Closes what a start made, if it made anything."""
        try:
            child, dialect = await task
        except ProviderError:
            return
        await dialect.aclose()
        await asyncio.to_thread(child.stop)

    async def _start(
        self, model: ModelFile, old: asyncio.Task[tuple[Child, Provider]] | None
    ) -> tuple[Child, Provider]:
        if old is not None:
            await self._put_away(old)
        child, module = await asyncio.gather(
            asyncio.to_thread(start, model, self._threads, self._idle_s),
            asyncio.to_thread(importlib.import_module, _DIALECT),
        )
        connection = Connection(
            provider=self.name,
            base_url=f"{child.url}/v1",
            key=child.key,
            idle_timeout_s=self._limit_s,
            local=True,
        )
        return child, cast("_Dialect", module).connect(connection)

    def _named(self, error: ProviderError, model: str) -> ProviderError:
        error.provider, error.model = self.name, model
        return error

    async def _explained(
        self, error: ProviderError, child: Child | None, model: str
    ) -> ProviderError:
        """What the dialect says, in the words that fit a model of this machine."""
        # A broken connection comes a moment before the end of the process is known.
        broken = child if isinstance(error, NetworkFailed) else None
        if broken is not None and await asyncio.to_thread(broken.ended, _ENDING_S):
            why = broken.last_words() or "no reason given"
            return self._named(ServerFailed(f"The model's process ended: {why}."), model)
        if isinstance(error, InvalidRequest) and "context size" in error.message:
            hint = "Shorten the conversation with /compact, or choose a model with a longer window."
            return self._named(ContextTooLong(error.message, hint=hint), model)
        return self._named(error, model)


def _failed(task: asyncio.Task[tuple[Child, Provider]]) -> bool:
    return task.cancelled() or task.exception() is not None


def _count(child: Child, messages: list[dict[str, str]]) -> int:
    prompt = _post(child, "/apply-template", {"messages": messages})["prompt"]
    tokens = _post(child, "/tokenize", {"content": prompt, "parse_special": True})["tokens"]
    return len(cast("list[int]", tokens))


def _post(child: Child, path: str, body: object) -> dict[str, object]:
    request = Request(  # noqa: S310 -- the child's own loopback address
        child.url + path,
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {child.key}", "Content-Type": "application/json"},
    )
    with _DIRECT.open(request, timeout=10) as answer:
        return cast("dict[str, object]", json.load(answer))
