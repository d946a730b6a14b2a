"""The one mapping from what vendors say to our error tree.

A dialect takes a foreign error apart into plain facts (status, type, code, message, headers)
and hands them here; the rules are a table, because vendors disagree about the meaning of
every single field: a bad key is 401, 403 or 400, an empty account 402, 429, 403 or 400, and
a prompt that is too long mostly a plain 400 with a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field

from aircher.domain.classes import dataclass
from aircher.domain.errors import (
    AuthenticationFailed,
    ContentFiltered,
    ContextTooLong,
    InvalidRequest,
    ModelNotFound,
    Overloaded,
    PermissionDenied,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    ServerFailed,
    TimedOut,
    WrongAddress,
)
from aircher.domain.inert import inert
from aircher.domain.masking import masked
from aircher.domain.origins import origin_of
from aircher.providers.waits import wait_seconds
from aircher.providers.words import HINTS, SENTENCES, hint_values

MESSAGE_LIMIT = 400
"""Characters kept of a vendor's own message."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A foreign error in plain values; "" and None where the vendor said nothing.

    ``status`` is the HTTP status (200 where the error came inside a stream).  ``secret`` is
    the key in use, so that it can be masked should the vendor repeat it.
    """

    provider: str
    model: str = ""
    status: int | None = None
    type: str = ""
    code: str = ""
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Lower-case names."""
    request_id: str = ""
    in_stream: bool = False
    retry_after: float | None = None
    """Seconds to wait, where the body says so in a field of its own."""
    secret: str = field(default="", repr=False)
    key_place: str = ""
    """Where the key in use is from ("" = nobody knows)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """If everything given here holds, the error is a ``error``.

    ``word`` is matched against the whole of the vendor's type and of its code, ``message``
    is searched for in its message; both without regard to case.
    """

    error: type[ProviderError]
    status: frozenset[int] = frozenset()
    word: str = ""
    message: str = ""

    def holds(self, status: int, words: tuple[str, ...], message: str) -> bool:
        """True when every condition that is given holds."""
        return (
            (not self.status or status in self.status)
            and (
                not self.word or any(re.fullmatch(self.word, word, re.IGNORECASE) for word in words)
            )
            and (not self.message or re.search(self.message, message, re.IGNORECASE) is not None)
        )


def _on(*statuses: int) -> frozenset[int]:
    return frozenset(statuses)


# Read from the top; the first rule that holds decides.  What a vendor says in words goes
# before what its status says, because gateways reuse statuses more loosely than words.
RULES: tuple[Rule, ...] = (
    # -- money ---------------------------------------------------------------------------
    Rule(QuotaExhausted, status=_on(402)),
    Rule(
        QuotaExhausted,
        word=r"insufficient_quota|insufficient[_ ]balance|billing_(error|hard_limit_reached|not_active)"
        r"|exceeded_current_quota(_error)?|credits?_exhausted|insufficient_credits"
        r"|servicequotaexceededexception|1113",
    ),
    Rule(
        QuotaExhausted,
        message=r"credit balance is too low|insufficient (balance|credit|fund)"
        r"|reached your specified (workspace )?api usage limits|monthly spending limit"
        r"|doesn't have any credits|used all available credits|key limit exceeded"
        r"|requires more credits|monthly included credits|billing hard limit",
    ),
    # -- what was said, or answered, was not allowed -------------------------------------
    Rule(
        ContentFiltered,
        word=r"content_filter(ed)?|responsibleaipolicyviolation|content_policy_violation"
        r"|invalid_prompt|data_inspection_failed|moderation_blocked|sensitive|1301",
    ),
    Rule(
        ContentFiltered,
        message=r"content (management|filtering) policy|flagged (as potentially violating|by moderation)"
        r"|your input was flagged|input was flagged|content exists risk"
        r"|violates usage guidelines|content[_ ]policy[_ ]violation|rejected .{0,40}safety system",
    ),
    # -- too long (but not an output limit that is set too high: that is a bad parameter) --
    Rule(
        ContextTooLong,
        word=r"context_length_exceeded|too_many_prompt_tokens|exceed_context_size_error"
        r"|request_too_large|context_window_exceeded|string_above_max_length|3051|1261",
    ),
    Rule(
        ContextTooLong,
        status=_on(0, 400, 413, 422, 500),
        message=r"prompt is too long|maximum context length|(exceeds?|exceeding|exceeded|beyond) "
        r"(the |its |your )?((available|max(imum)?|model'?s?) )?context|context (window|limit|length) "
        r"(exceeded|of only)|exceed context (limit|window)|context length of only"
        r"|maximum prompt length|input tokens exceeded|exceeds? (the )?max(imum)? (prompt )?length"
        r"|input is too long|prompt too long|length of all messages is too long"
        r"|input token count.{0,40}exceeds|prompt contains \d+ tokens|too many (input |prompt )?tokens"
        r"|input length exceeds|reduce the length of the (messages|prompt|input)"
        r"|tokens? \+ `?max_(new_)?tokens`? must be",
    ),
    # -- the key -------------------------------------------------------------------------
    Rule(
        AuthenticationFailed,
        word=r"authentication_error|invalid_api_key|invalid_authentication|api_key_invalid"
        r"|unauthenticated(:.*)?|unrecognizedclientexception|expiredtoken(exception)?"
        r"|invalidsignatureexception|missingauthenticationtokenexception|wrong_api_key|no_api_key",
    ),
    Rule(
        AuthenticationFailed,
        status=_on(0, 400, 401, 403, 404),
        message=r"(incorrect|invalid|missing|expired|no|bad|wrong|unauthori[sz]ed) api[ _-]?key"
        r"|api[ _-]?key (is |was )?(not valid|invalid|not found|expired|missing|required|incorrect"
        r"|reported as leaked)|security token included in the request|request signature we calculated"
        r"|unregistered callers|missing authentication|invalid (bearer |access )?token"
        r"|no auth credentials|invalid authentication",
    ),
    # -- the model -----------------------------------------------------------------------
    Rule(
        ModelNotFound,
        word=r"model_not_found|invalid_model|model_not_available|model_decommissioned"
        r"|deploymentnotfound|resourcenotfoundexception|unknown_model|1211|1500",
    ),
    Rule(
        ModelNotFound,
        status=_on(400, 403, 404, 422),
        message=r"\bmodel\b.{0,120}\b(not exist|not found|does not exist|is not found|decommissioned"
        r"|has been deprecated)|model (not exist|not found)|not a valid model|invalid model\b"
        r"|unknown model\b|model identifier is invalid|no such model",
    ),
    # -- the account ---------------------------------------------------------------------
    Rule(
        PermissionDenied,
        word=r"permission_(error|denied)|accessdenied(exception)?|request_forbidden"
        r"|unsupported_country_region_territory|insufficient_permissions",
    ),
    Rule(PermissionDenied, message=r"user location is not supported"),
    # -- no room now ---------------------------------------------------------------------
    Rule(RateLimited, status=_on(429)),
    Rule(
        Overloaded,
        word=r"overloaded(_error)?|server_is_overloaded|slow_down|unavailable|service_unavailable"
        r"|serviceunavailableexception|modelnotreadyexception|engine_overloaded(_error)?"
        r"|capacity_exceeded",
    ),
    Rule(Overloaded, status=_on(498, 503, 529)),
    Rule(
        RateLimited,
        word=r"rate_limit(_error|_exceeded|ed)?|resource_exhausted|too_many_requests(_error)?"
        r"|throttlingexception|requests|tokens",
    ),
    # -- by status -----------------------------------------------------------------------
    Rule(AuthenticationFailed, status=_on(401)),
    Rule(PermissionDenied, status=_on(403, 451)),
    Rule(ModelNotFound, status=_on(404, 405, 410)),
    Rule(TimedOut, status=_on(408, 504, 522, 524)),
    Rule(ContextTooLong, status=_on(413)),
    Rule(ServerFailed, status=_on(409, 424, 425)),
    Rule(WrongAddress, status=_on(301, 302, 303, 307, 308)),
    Rule(InvalidRequest, status=frozenset(range(400, 500))),
    Rule(TimedOut, word=r"timeout(_error)?|deadline_exceeded|modeltimeoutexception"),
    Rule(ServerFailed, status=frozenset(range(500, 600))),
    # -- by word alone (an error inside a stream has no status) ---------------------------
    Rule(ModelNotFound, word=r"not_found(_error)?"),
    Rule(
        InvalidRequest,
        word=r"invalid_request(_error)?|invalid_argument|failed_precondition|validationexception"
        r"|tool_use_failed|unsupported_parameter|invalid_value",
    ),
    Rule(Overloaded, message=r"\boverloaded\b|at capacity"),
    Rule(RateLimited, message=r"rate[ -]?limit|too many requests"),
)


def quoted(text: str, secret: str = "") -> str:
    """A vendor's own words made safe to show: masked, inert, on one line, shortened."""
    line = " ".join(inert(masked(text, secret)).split())
    return line if len(line) <= MESSAGE_LIMIT else line[: MESSAGE_LIMIT - 1].rstrip() + "…"


def kind_of(facts: Facts) -> type[ProviderError]:
    """The class of our tree that these facts amount to."""
    status = facts.status or 0
    if status < 300:
        # Inside a stream the status is long gone; some vendors repeat it as the code.
        status = next((int(w) for w in (facts.code, facts.type) if re.fullmatch(r"[45]\d\d", w)), 0)
    words = tuple(word for word in (facts.type, facts.code) if word)
    for rule in RULES:
        if rule.holds(status, words, facts.message):
            return rule.error
    return ServerFailed if facts.in_stream or not status else InvalidRequest


_ID_HEADERS = (
    "x-request-id",
    "request-id",
    "apim-request-id",
    "x-amzn-requestid",
    "x-ds-trace-id",
    "cf-ray",
)


def request_id_of(headers: Mapping[str, str]) -> str:
    """The vendor's id of a call, from lower-case headers; "" where there is none."""
    return next((headers[name] for name in _ID_HEADERS if headers.get(name)), "")


def fault(facts: Facts) -> ProviderError:
    """The error of our tree that these facts amount to, in one sentence with a hint."""
    error = kind_of(facts)
    wait = wait_seconds(
        facts.headers, facts.message, limited=error is RateLimited, told=facts.retry_after
    )
    values = hint_values(facts.provider, facts.model, wait, facts.key_place)
    said = _elsewhere(facts) if error is WrongAddress else quoted(facts.message, facts.secret)
    sentence = SENTENCES[error.kind].format(**values)
    if not said and facts.status and facts.status >= 300:
        said = f"HTTP status {facts.status}"
    return error(
        f"{sentence}: {said}" if said else f"{sentence}.",
        hint=HINTS[error.kind].format(**values),
        provider=facts.provider,
        model=facts.model,
        status=facts.status,
        request_id=_id(facts),
        retry_after=wait,
    )


def _elsewhere(facts: Facts) -> str:
    """Where a redirect leads: the origin alone, since the rest may hold what was asked."""
    to = facts.headers.get("location", "").strip()
    sends = "it sends the request on"
    refused = "which Aircher does not follow"
    if not to:
        return f"{sends} without saying where, {refused}"
    if not (to.startswith("//") or "://" in to.partition("?")[0]):
        return f"{sends} to another path there, {refused}"
    origin = origin_of(f"https:{to}" if to.startswith("//") else to)
    where = quoted(origin, facts.secret) if origin else "what is no web address"
    return f"{sends} to {where}, {refused}: the key and the prompt would go along"


def _id(facts: Facts) -> str | None:
    """The vendor's id of the call; a gateway may put anything there, even the key."""
    return quoted(facts.request_id or request_id_of(facts.headers), facts.secret)[:200] or None
