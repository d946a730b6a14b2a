"""Every key of a [providers.NAME] table.  How these classes are read: see schema.py."""

# The field functions return a fresh dataclass field each time, as dataclasses.field does.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from aircher.config.rows import each, setting
from aircher.config.values import (
    ARGS,
    BOOL,
    DURATION,
    ENV_NAME,
    INT,
    MODEL,
    MODELS,
    NUMBER,
    URL,
    WORD,
)
from aircher.domain.classes import dataclass

_KINDS = ("openai", "anthropic", "gemini", "ollama", "bedrock")


@dataclass(frozen=True)
class ProviderConfig:
    """One provider, by any name: a known vendor's, or your own with base_url."""

    enabled: bool = setting(BOOL, True, "False leaves this provider out, whatever keys are found.")
    kind: str | None = setting(
        WORD,
        None,
        "The protocol it speaks; needed only for a name that is no known vendor.",
        choices=_KINDS,
        unset="the vendor's own",
        example="openai",
        project=False,
        under=("gateway",),
    )
    api_key_env: str | None = setting(
        ENV_NAME,
        None,
        "The NAME of the environment variable that holds the key; never the key itself.",
        unset="the vendor's own, such as OPENAI_API_KEY",
        example="OPENAI_API_KEY",
        project=False,
    )
    key_command: tuple[str, ...] | None = setting(
        ARGS,
        None,
        "A program that prints the key, with its arguments; run without a shell, once per start.",
        unset="none",
        example=["op", "read", "op://Private/OpenAI/key"],
        project=False,
        env=False,
    )
    model: str | None = setting(
        MODEL,
        None,
        "The model that is used where no task asks for another.",
        unset="the vendor's usual one",
        example="gpt-6.1-sol",
    )
    custom_models: tuple[str, ...] | None = setting(
        MODELS,
        None,
        "More models to offer than the provider lists.",
        unset="none",
        example=["ft:gpt-5-nano:acme::1"],
    )
    fallback_models: tuple[str, ...] | None = setting(
        MODELS,
        None,
        "Tried in this order when the model fails; a model, or provider/model.",
        unset="none",
        example=["gpt-5-mini", "gpt-5-nano"],
    )
    max_tokens: int | None = setting(
        INT,
        None,
        "The longest answer in tokens, reasoning included.",
        minimum=1,
        unset="chat.max_output",
        example=4096,
    )
    temperature: float | None = setting(
        NUMBER,
        None,
        "How freely it chooses words; 0 is the most repeatable.",
        minimum=0,
        maximum=2,
        unset="the model's own",
        example=0.7,
    )
    stream: bool | None = setting(
        BOOL, None, "Show the answer as it is written.", unset="chat.stream", example=True
    )
    timeout: float | None = setting(
        DURATION,
        None,
        "The longest time for one whole call.",
        minimum=0.1,
        unset="retry.deadline",
        example="2m",
    )
    idle_timeout: float | None = setting(
        DURATION,
        None,
        "The longest silence within a call before it counts as failed.",
        minimum=0.1,
        unset="2m",
        example="2m",
    )
    requests_per_min: int | None = setting(
        INT, None, "Never send more requests in a minute.", minimum=1, unset="no limit", example=60
    )
    tokens_per_min: int | None = setting(
        INT,
        None,
        "Never send more tokens in a minute, answers included.",
        minimum=1,
        unset="no limit",
        example=200_000,
    )
    base_url: str | None = setting(
        URL,
        None,
        "Where it is reached; https, or http on this machine.",
        unset="the vendor's own",
        example="https://gateway.example.com/v1",
        project=False,
        under=("gateway",),
    )
    allow_http: bool | None = setting(
        BOOL,
        None,
        "Allow an http address that is not on this machine: anyone on the way can read along.",
        unset="false",
        example=False,
        project=False,
        under=("gateway",),
    )
    local: bool | None = setting(
        BOOL,
        None,
        "It runs on this machine, or on yours: what must stay local may be sent to it.",
        unset="true for Ollama and other servers that run at an address of this machine",
        example=True,
        project=False,
        under=("gateway",),
    )
    api: str | None = setting(
        WORD,
        None,
        "Which of OpenAI's two protocols is spoken; Ollama: chat, or generate for plain models.",
        choices=("auto", "chat", "responses", "generate"),
        unset="auto",
        example="auto",
    )
    org_id: str | None = setting(
        WORD,
        None,
        "OpenAI's organization id.",
        unset="the key's own",
        example="org-example",
        project=False,
    )
    project: str | None = setting(
        WORD,
        None,
        "Google Cloud project: Gemini or Claude through Vertex.",
        unset="the API key is used",
        example="my-project",
        project=False,
        under=("gemini",),
    )
    location: str | None = setting(
        WORD,
        None,
        "Google Cloud location for Vertex.",
        unset="global",
        example="europe-west4",
        project=False,
        under=("gemini",),
    )
    region: str | None = setting(
        WORD,
        None,
        "AWS region for Bedrock.",
        unset="AWS's own settings",
        example="eu-central-1",
        project=False,
        under=("bedrock",),
    )
    keep_alive: float | None = setting(
        DURATION,
        None,
        'How long Ollama keeps the model in memory; "-1s" for ever.',
        minimum=-1,
        unset="Ollama's own",
        example="5m",
        under=("ollama",),
    )
    num_ctx: int | None = setting(
        INT,
        None,
        "Ollama's context window in tokens.",
        minimum=1,
        unset="Ollama's own",
        example=8192,
        under=("ollama",),
    )
    num_predict: int | None = setting(
        INT,
        None,
        "Ollama's longest answer in tokens; -1 has no limit.",
        minimum=-2,
        unset="max_tokens",
        example=2048,
        under=("ollama",),
    )
    cloud: str | None = setting(
        WORD,
        None,
        "The cloud whose own sign-in is used for Claude or Gemini.",
        choices=("bedrock", "vertex"),
        unset="the vendor's own",
        example="vertex",
        project=False,
        under=("gemini",),
    )
    api_version: str | None = setting(
        WORD,
        None,
        "Azure's dated API version; needed only for its older addresses.",
        unset="the current address",
        example="2024-10-21",
        under=("azure",),
    )
    models: Mapping[str, str] = each(
        MODEL,
        "Which model stands for each tier of ability: cheap, medium or powerful.",
        example="gpt-6-luna",
        under=("openai", "cheap"),
    )

    @property
    def given(self) -> dict[str, Any]:
        """Only what was set, by key; ``enabled`` left out."""
        return {
            f.name: value
            for f in fields(self)
            if f.name != "enabled" and (value := getattr(self, f.name)) not in (None, {})
        }
