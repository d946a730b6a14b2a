"""Everything that can go wrong, arranged by what the user can do about it.

    AircherError
    |-- UsageError            say it differently        (bad flag, unknown session, no repository)
    |-- ConfigError           fix the configuration
    |-- StorageError          the data file cannot be used as it is
    |-- GitRefused            git or one of its hooks said no: see what it printed
    |-- NothingToDo           there is nothing to work on (nothing staged)
    |-- SecretBlocked         take the secret out, or allow it
    |-- OverBudget            raise a limit, or use a cheaper model
    |-- NoModel               nothing is configured that could answer
    |-- Cancelled             the user stopped it
    |-- Bug                   ours: report it
    `-- ProviderError         a provider said no, or nothing
        |-- FixKey            AuthenticationFailed, PermissionDenied
        |-- TopUp             QuotaExhausted
        |-- FixRequest        InvalidRequest, ModelNotFound
        |-- FixAddress        WrongAddress
        |-- Shorten           ContextTooLong
        |-- Refused           ContentFiltered
        |-- Paused            not even asked: it is resting, or a rate limit is used up
        `-- TryAgain          RateLimited, Overloaded, ServerFailed, NetworkFailed,
                              TimedOut, MalformedReply

Providers raise only ``ProviderError``s; the mapping from a foreign error is made at one
edge per dialect.  ``kind`` is the public, stable word (JSON output, logs, [retry] in TOML);
``exit_code`` is what a headless command ends with (docs/cli.md).
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for True; importing typing would cost 4 ms
if TYPE_CHECKING:
    from typing import ClassVar

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_GIT = 3
EXIT_NOTHING_TO_DO = 4
EXIT_SECRET_BLOCKED = 5
EXIT_BUDGET = 6
EXIT_CONFIG = 7
EXIT_NO_MODEL = 8
EXIT_STORAGE = 9
EXIT_CANCELLED = 130


class AircherError(Exception):
    """Base of all our errors: one clear sentence and what to do next.

    ``message`` says what happened, ``hint`` what the user can do ("" if nothing).
    Neither ever holds a key or a request body.
    """

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = EXIT_FAILED

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(AircherError):
    """The command or its arguments make no sense."""

    kind = "usage"
    exit_code = EXIT_USAGE


class ConfigError(AircherError):
    """The configuration cannot be used; ``message`` lists every problem found."""

    kind = "config"
    exit_code = EXIT_CONFIG


class StorageError(AircherError):
    """The data file or folder cannot be used."""

    kind = "storage"
    exit_code = EXIT_STORAGE


class GitRefused(AircherError):
    """Git, one of its hooks, or signing refused; ``message`` holds git's own words."""

    kind = "git"
    exit_code = EXIT_GIT


class NothingToDo(AircherError):
    """There is nothing to work on."""

    kind = "nothing"
    exit_code = EXIT_NOTHING_TO_DO


class SecretBlocked(AircherError):
    """A secret would have left this machine; nothing was sent."""

    kind = "secret"
    exit_code = EXIT_SECRET_BLOCKED


class OverBudget(AircherError):
    """The worst-case cost does not fit under a limit the user set.

    ``provider`` is the one whose calls the limit counts, "" where it counts all.
    """

    kind = "budget"
    exit_code = EXIT_BUDGET

    def __init__(self, message: str, *, hint: str = "", provider: str = "") -> None:
        super().__init__(message, hint=hint)
        self.provider = provider


class NoModel(AircherError):
    """No configured model can take this request."""

    kind = "no_model"
    exit_code = EXIT_NO_MODEL


class Cancelled(AircherError):
    """The user stopped the turn; partial text and cost are kept."""

    kind = "cancelled"
    exit_code = EXIT_CANCELLED


class Bug(AircherError):
    """Something that should be impossible."""

    kind = "bug"


class ProviderError(AircherError):
    """A provider refused, failed or went silent.

    ``status`` is the HTTP status (None when there was none), ``request_id`` the vendor's id
    for its support, ``retry_after`` the seconds the vendor asks to wait (None if unsaid).
    ``retryable`` says whether the same request may succeed later on the same model.
    ``ours`` is True when the fault is the request's, so it must not count against the
    provider's health.  ``needs_user`` is True when no waiting and no other request will mend
    it, only the user (a key, an account): its hint must be shown even where another took over.
    """

    kind = "provider"
    retryable: ClassVar[bool] = False
    needs_user: ClassVar[bool] = False
    ours: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        provider: str = "",
        model: str = "",
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.provider = provider
        self.model = model
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after


class FixKey(ProviderError):
    """The key is missing, wrong, or may not do this."""

    needs_user = True


class AuthenticationFailed(FixKey):
    """No key, or one the provider does not accept."""

    kind = "auth"


class PermissionDenied(FixKey):
    """The key is known but may not use this model, region or feature."""

    kind = "permission"


class TopUp(ProviderError):
    """Money or plan."""

    needs_user = True


class QuotaExhausted(TopUp):
    """Out of credit, or a plan's allowance is used up; waiting a minute will not help."""

    kind = "quota"


class FixRequest(ProviderError):
    """The request itself is wrong."""

    ours = True


class InvalidRequest(FixRequest):
    """A parameter, tool schema, attachment or message the provider does not take."""

    kind = "invalid_request"


class ModelNotFound(FixRequest):
    """The provider does not know this model (or endpoint)."""

    kind = "not_found"


class FixAddress(ProviderError):
    """The address in the configuration is not the one that answers."""

    needs_user = True


class WrongAddress(FixAddress):
    """It sends the request on to another address, which is not followed, or stands for one that no
    model server has.
    """

    kind = "address"


class Shorten(ProviderError):
    """There is too much of it."""

    ours = True


class ContextTooLong(Shorten):
    """The prompt does not fit the model's context window."""

    kind = "context_length"


class Refused(ProviderError):
    """The provider will not answer this."""

    ours = True


class ContentFiltered(Refused):
    """A content filter withheld the prompt or the reply."""

    kind = "content_filter"


class Paused(ProviderError):
    """Aircher did not ask: the model is resting after failures, or a rate limit is used up.

    ``retry_after`` says when it may be asked again.
    """

    kind = "paused"
    ours = True


class TryAgain(ProviderError):
    """The same request may well succeed later."""

    retryable = True


class RateLimited(TryAgain):
    """Too many requests or tokens per minute."""

    kind = "rate_limit"


class Overloaded(TryAgain):
    """The provider has no capacity now (503, 529)."""

    kind = "overloaded"


class ServerFailed(TryAgain):
    """The provider failed inside (5xx, or an error event in the stream)."""

    kind = "server"


class NetworkFailed(TryAgain):
    """No connection, or it broke."""

    kind = "network"


class TimedOut(TryAgain):
    """Nothing came within the time allowed."""

    kind = "timeout"


class MalformedReply(TryAgain):
    """Not the protocol: broken JSON, a wrong content type, a stream without its end marker."""

    kind = "malformed"


PROVIDER_KINDS: dict[str, type[ProviderError]] = {
    cls.kind: cls
    for cls in (
        AuthenticationFailed,
        PermissionDenied,
        QuotaExhausted,
        InvalidRequest,
        ModelNotFound,
        WrongAddress,
        ContextTooLong,
        ContentFiltered,
        RateLimited,
        Overloaded,
        ServerFailed,
        NetworkFailed,
        TimedOut,
        MalformedReply,
    )
}
"""Public kind -> class; the keys are what [retry] retryable_errors may name."""
