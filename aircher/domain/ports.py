"""The small interfaces between the engine and the world.

Adapters implement them structurally; only the composition root knows which.  Storage ports
are synchronous on purpose: each call takes microseconds, and a turn that is cancelled must be
able to write its last words without awaiting.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from aircher.domain.budget import Cap, CapState, Claim, Reservation
from aircher.domain.chat import ChatRequest, Chunk
from aircher.domain.classes import dataclass
from aircher.domain.health import Admission, Breaker, Health, Sample
from aircher.domain.keys import KeyPlace, KeyUse
from aircher.domain.limits import RateLimit, Slot, Taken
from aircher.domain.messages import Message, Part
from aircher.domain.models import ListedModel, ModelFacts, ModelRef, PullProgress
from aircher.domain.preferences import Gates
from aircher.domain.prices import PriceSheet
from aircher.domain.sessions import MessageState, SearchHit, SessionInfo, StoredMessage
from aircher.domain.tasks import Correction, GitState
from aircher.domain.usage import Cost, Spend, Tokens, UsageRow


class Clock(Protocol):
    """Time, so that tests can own it."""

    def now(self) -> datetime:
        """The wall clock, aware, in the user's time zone."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        ...


class ChatPort(Protocol):
    """The one method through which every model is reached; guards wrap it."""

    def stream(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        """Chunks of one reply, ending with ``Finish``.

        Raises a ``ProviderError``, and nothing else, for anything that goes wrong
        (``MalformedReply`` for a stream that ends without its end marker).  Closing the
        iterator early closes the connection.
        """
        ...


class Provider(ChatPort, Protocol):
    """One configured provider.

    ``features`` are what its protocol can carry at all (a model may offer less).
    """

    @property
    def name(self) -> str:
        """The name in the configuration."""
        ...

    @property
    def features(self) -> frozenset[str]:
        """Which of ``Feature`` the protocol carries."""
        ...

    async def models(self) -> Sequence[ListedModel]:
        """The provider's own list; a free call, also used as the health probe."""
        ...

    async def count_tokens(self, request: ChatRequest) -> int | None:
        """The prompt's size by the vendor's own count; None where it offers none."""
        ...

    async def aclose(self) -> None:
        """Closes connections."""
        ...


@runtime_checkable
class PullsModels(Protocol):
    """A provider whose server can fetch models by itself."""

    def pull(self, model: str) -> AsyncIterator[PullProgress]:
        """Fetches a model into the server's store; ends when it is there.

        Raises ``ProviderError``; closing the iterator stops the download.
        """
        ...


@runtime_checkable
class Prefills(Protocol):
    """A provider of which some models go on with an answer that the request's last message begins."""

    def prefills(self, model: str) -> bool:
        """Whether this model takes an unfinished answer as the last message."""
        ...


class Providers(Protocol):
    """The configured providers, made when first asked for."""

    @property
    def names(self) -> Sequence[str]:
        """All configured names, in the user's order."""
        ...

    async def get(self, name: str) -> Provider:
        """The provider; imports its SDK in a worker thread the first time.

        Raises ``AuthenticationFailed`` where its key is missing, ``ConfigError`` for an
        unknown name.
        """
        ...

    async def aclose(self) -> None:
        """Closes all that were made."""
        ...


class Catalog(Protocol):
    """What is known of models: facts, prices, sizes."""

    def facts(self, ref: ModelRef) -> ModelFacts:
        """What is known; unknown fields are None.  Never raises."""
        ...

    def cost(self, ref: ModelRef, tokens: Tokens, at: datetime, vendor_usd: str = "") -> Cost:
        """The price of these tokens at that time; tag ``unknown`` where there is no price."""
        ...

    def sheet(self, ref: ModelRef, at: datetime) -> PriceSheet:
        """All that is stated of a model's price."""
        ...

    def count_tokens(
        self, ref: ModelRef, messages: Sequence[Message], system: str = ""
    ) -> tuple[int, bool]:
        """Prompt tokens and whether that is exact (the model's own tables) or an estimate."""
        ...

    def count_text(self, ref: ModelRef, text: str) -> int:
        """Tokens of a text, for partial replies and live rates; an estimate."""
        ...

    def calibrate(self, ref: ModelRef, estimated: int, reported: int) -> None:
        """Learns from the usage that came back, for later estimates."""
        ...

    def warm(self, *refs: ModelRef) -> None:
        """Reads facts and token tables ahead of their first use; blocking, so in a worker."""
        ...

    def known(self) -> Sequence[ModelFacts]:
        """All models with known facts, for lists and "next cheaper"."""
        ...


class Ledger(Protocol):
    """Money: what was spent, what is held.  Rows are never changed or deleted."""

    def reserve(self, claim: Claim, caps: Sequence[Cap]) -> Reservation:
        """Holds the claim's worst case if it fits under every cap, atomically across processes.

        Raises ``OverBudget`` naming the first cap that it would break.
        """
        ...

    def settle(self, reservation: Reservation | None, row: UsageRow) -> None:
        """Writes what was really used and frees what was held, in one transaction."""
        ...

    def release(self, reservation: Reservation) -> None:
        """Frees what was held; nothing was used."""
        ...

    def spend(
        self, since: datetime, *, provider: str = "", task: str = "", session_id: str = ""
    ) -> Spend:
        """Sums of the rows since an instant."""
        ...

    def state(self, caps: Sequence[Cap]) -> Sequence[CapState]:
        """Each cap with what is spent and held under it."""
        ...

    def recent_costs(self, most: int = 200) -> Sequence[int]:
        """What the newest calls cost that cost anything, in nano-dollars, newest first."""
        ...

    def first_alert(self, cap: Cap, share: float) -> bool:
        """True the first time that this share of this limit is told in its window, ever."""
        ...


@dataclass(frozen=True, slots=True)
class SpendGroup:
    """Spend of one group of a report (a provider, a model, a task, a day)."""

    key: str
    spend: Spend


class UsageReader(Protocol):
    """The ledger as reports read it."""

    def rows(self, since: datetime, until: datetime | None = None) -> Sequence[UsageRow]:
        """All rows in the window, oldest first."""
        ...


class SessionStore(Protocol):
    """Conversations on disk."""

    def create(self, *, project: str = "", title: str = "", parent: str = "") -> SessionInfo:
        """A new, empty session."""
        ...

    def info(self, session_id: str) -> SessionInfo:
        """Its row.  Accepts an unambiguous prefix of an id.  Raises ``UsageError`` if unknown."""
        ...

    def messages(self, session_id: str) -> Sequence[StoredMessage]:
        """All messages, oldest first."""
        ...

    def add(
        self, session_id: str, message: Message, *, task: str = "", evidence: str = ""
    ) -> StoredMessage:
        """Appends a complete message (the user's)."""
        ...

    def begin(self, session_id: str, ref: ModelRef, *, task: str = "", evidence: str = "") -> int:
        """Appends an empty assistant message in state ``streaming``; returns its id."""
        ...

    def write(self, message_id: int, parts: Sequence[Part]) -> None:
        """Replaces the content of a streaming message with what has come so far."""
        ...

    def end(
        self,
        message_id: int,
        parts: Sequence[Part],
        state: MessageState,
        *,
        ref: ModelRef | None = None,
        tokens: Tokens = ...,
        cost: Cost = ...,
        duration_s: float = 0.0,
        finish_reason: str = "",
        error: str = "",
    ) -> None:
        """Ends a streaming message with its final content and facts."""
        ...

    def compact(self, session_id: str, upto_message_id: int, summary: str) -> StoredMessage:
        """Stores a summary that stands for all messages up to that id; nothing is deleted."""
        ...

    def list(self, *, limit: int = 50, offset: int = 0, project: str = "") -> Sequence[SessionInfo]:
        """Newest first."""
        ...

    def search(self, query: str, *, limit: int = 20) -> Sequence[SearchHit]:
        """Full-text search over all messages; any text is a valid query."""
        ...

    def set_task(self, message_id: int, task: str) -> None:
        """Gives a message another task, since the user corrected it."""
        ...

    def set_account(self, message_id: int, account: str) -> None:
        """Keeps with a request why it got its task and its model."""
        ...

    def rename(self, session_id: str, title: str) -> None:
        """Sets the title."""
        ...

    def remove(self, session_id: str) -> None:
        """Deletes the conversation; its ledger rows stay."""
        ...


class Workspace(Protocol):
    """The user's folder: git state and files."""

    @property
    def root(self) -> str:
        """The work tree's root, or the current folder where there is no git."""
        ...

    async def git(self) -> GitState | None:
        """The git state, None outside a repository or if git does not answer in time."""
        ...

    async def open_files(self, changed: Sequence[str] = ()) -> Sequence[str]:
        """Files open in an editor or saved just now, from the root; never takes long.

        ``changed`` are the paths that git says are changed.
        """
        ...

    def attach(self, path: str) -> Part:
        """The file as a message part (text, image or PDF document).

        A file below the root is named relative to it, so that rules for paths hold wherever the
        user stands.  Raises ``UsageError`` for a missing, unreadable, unsupported or ignored file.
        """
        ...

    def find(self, query: str, *, limit: int = 20) -> Sequence[str]:
        """Paths relative to the root that match fuzzily, best first; ignored files left out."""
        ...

    def ignored(self, path: str) -> bool:
        """True if an .aircherignore or .aiignore names the path: its content may not be sent."""
        ...


class Corrections(Protocol):
    """What the user corrected of detection; it stays on this machine."""

    def add(self, text: str, *, wrong: str, task: str) -> Correction:
        """Keeps a correction.  One of the same text is replaced; the oldest make room."""
        ...

    def all(self) -> Sequence[Correction]:
        """All that are kept, oldest first."""
        ...

    def forget(self, correction_id: int | None = None) -> int:
        """Deletes one, or with None all; returns how many there were."""
        ...


class HealthBoard(Protocol):
    """Passive health: fed by real calls, read by panels.  None of it raises."""

    def success(self, ref: ModelRef, latency_s: float) -> None:
        """A call gave its first token after so many seconds."""
        ...

    def failure(self, ref: ModelRef, error: Exception) -> None:
        """A call failed."""
        ...

    def limits(self, ref: ModelRef, said: Sequence[RateLimit]) -> None:
        """What the vendor told of its rate limits with an answer."""
        ...

    def admit(
        self, ref: ModelRef, who: str, tokens: int, *, last: bool, patience_s: float
    ) -> Admission:
        """Whether the call ``who`` may be made now; takes the one probe where there is one.

        ``last``: no other model is left to ask.  ``tokens`` is the prompt's size.
        """
        ...

    def release(self, ref: ModelRef, who: str) -> None:
        """The call is over, however it went: gives its probe back."""
        ...

    def probed(self, provider: str, latency_s: float | None, error: Exception | None) -> None:
        """The provider's model list came after so many seconds, or did not."""
        ...

    def quiet(self, since: datetime) -> Sequence[str]:
        """The usable providers of which no process has seen anything since then."""
        ...

    def all(self) -> Sequence[Health]:
        """One row per configured provider."""
        ...

    def blocked(self) -> Mapping[ModelRef, str]:
        """What routing should pass over now, with the reason; see ``domain.health.Blocked``."""
        ...

    def reset(self, provider: str, model: str = "") -> None:
        """Closes the provider's breakers, or one model's, and forgets its failures."""
        ...


class HealthStore(Protocol):
    """Breakers and what was seen, shared by all processes that use the data file."""

    @property
    def me(self) -> str:
        """The name of this process."""
        ...

    def breakers(self) -> Mapping[ModelRef, Breaker]:
        """All that are not plainly closed.  A probe of a process that is gone is no probe."""
        ...

    def change(
        self,
        refs: Sequence[ModelRef],
        decide: Callable[[Sequence[Breaker]], Sequence[Breaker]],
    ) -> None:
        """Replaces breakers by what ``decide`` makes of them, in one transaction."""
        ...

    def note(self, sample: Sample) -> None:
        """Keeps a failure, or what a look at a model list gave.  Calls that went well are in
        the ledger.
        """
        ...

    def samples(self, since: datetime) -> Sequence[Sample]:
        """Calls and looks since then, oldest first."""
        ...

    def forget(self, provider: str, model: str = "") -> None:
        """Deletes the breakers and failures of a provider, or of one of its models."""
        ...


class RateStore(Protocol):
    """The calls of the last minute and those that wait, across processes, oldest first.

    ``decide`` makes a call's time of the calls before it and of its own tokens.  Times are
    seconds since 1970; each method is one transaction.
    """

    def take(
        self,
        provider: str,
        now: float,
        tokens: int,
        decide: Callable[[Sequence[Taken], int], float],
    ) -> Slot:
        """Gives a call its time, behind those that wait already."""
        ...

    def when(self, slot: Slot) -> Slot:
        """The slot as it is by now: others may have made room."""
        ...

    def hasten(self, slot: Slot, now: float) -> None:
        """The user will not wait: the call goes now."""
        ...

    def settle(
        self,
        slot: Slot,
        tokens: int | None,
        now: float,
        decide: Callable[[Sequence[Taken], int], float],
    ) -> None:
        """The call is over and took so many tokens (None: it was never made); the others move
        up.
        """
        ...


class AnswerCheck(Protocol):
    """The user's own check of an answer."""

    async def __call__(self, answer: str, gates: Gates) -> str:
        """Why the answer is refused, in words; "" if it stands."""
        ...


class SecretSource(Protocol):
    """Where keys come from."""

    def get(self, use: KeyUse) -> str | None:
        """The key, or None.  The value must never be logged or shown.

        May block (a command, a passphrase): call it in a thread.  Raises
        ``AuthenticationFailed`` for a key that cannot be had or may not go there,
        ``ConfigError`` for one that cannot be right.
        """
        ...

    def place(self, use: KeyUse) -> KeyPlace | None:
        """Where the key was found, without the key; nothing is unlocked or run."""
        ...
