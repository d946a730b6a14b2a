"""The one place where the Claude SDK's errors, and those of what it stands on, become ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import anthropic
import httpx2

from aircher.domain.errors import AuthenticationFailed, InvalidRequest, ProviderError
from aircher.providers.bodies import facts_from_body, facts_from_error
from aircher.providers.connection import Connection
from aircher.providers.faults import Facts, fault, quoted
from aircher.providers.transport import foreign, lower, malformed, network_fault

_READING = (json.JSONDecodeError, UnicodeDecodeError, RecursionError, httpx2.StreamError)
"""Of the errors that are Python's plain ones, those that come of reading."""


class Edge:
    """Knows whose errors these are: the provider and, per call, the model."""

    def __init__(self, connection: Connection, sign_in: tuple[type[Exception], ...] = ()) -> None:
        """``sign_in`` are the errors of a cloud's own sign-in library."""
        self._connection = connection
        self._sign_in = sign_in

    def malformed(self, what: str, model: str = "") -> ProviderError:
        """The answer is not the protocol; ``what`` says in words what was wrong."""
        return malformed(what, self._connection, model)

    def reported(
        self, body: Any, model: str, headers: Mapping[str, str], status: int = 200
    ) -> ProviderError:
        """The error that the API itself tells, by status or inside a stream (status 200)."""
        return fault(self._facts(body, model, headers, status))

    def _facts(self, body: Any, model: str, headers: Mapping[str, str], status: int) -> Facts:
        name, key = self._connection.provider, self._connection.key
        place = self._connection.key_place
        if isinstance(body, str):
            return facts_from_body(name, model, status, headers, body, secret=key, key_place=place)
        return facts_from_error(
            name,
            model,
            body,
            status=status,
            headers=headers,
            secret=key,
            key_place=place,
            in_stream=status == 200,
        )

    @contextmanager
    def crossing(self, model: str = "") -> Iterator[None]:
        """Lets nothing foreign through."""
        connection = self._connection
        try:
            yield
        except anthropic.APIResponseValidationError as error:
            raise self.malformed(error.message, model) from error
        except anthropic.APIStatusError as error:
            headers = lower(error.response.headers)
            raise self.reported(error.body, model, headers, error.status_code) from error
        except self._sign_in as error:
            raise self._refused(AuthenticationFailed, error, model) from error
        except anthropic.APIConnectionError as error:
            raise network_fault(error.__cause__ or error, connection, model) from error
        except _READING as error:
            raise network_fault(error, connection, model) from error
        except (anthropic.AnthropicError, TypeError, ValueError, RuntimeError) as error:
            # What the SDK will not send: a wrong type, no region, no key.
            raise self._refused(InvalidRequest, error, model) from error
        except foreign() as error:
            raise network_fault(error, connection, model) from error
        except (AttributeError, LookupError) as error:
            # The SDK takes an answer of any shape for what it expects.
            raise self.malformed("it has another shape", model) from error

    def _refused(self, kind: type[ProviderError], error: Exception, model: str) -> ProviderError:
        """The SDK did not send the request."""
        name = self._connection.provider
        return kind(
            f"The request to {name} could not be made: {quoted(str(error), self._connection.key)}",
            hint=f"Check the settings in [providers.{name}].",
            provider=name,
            model=model,
        )
