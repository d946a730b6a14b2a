"""Durations, money, TOML text, and what looks like a key."""

import tomllib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircher.config.values import (
    format_duration,
    is_plain_remote,
    looks_secret,
    parse_duration,
    shown,
    toml_key,
    toml_text,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5400),
        ("250ms", 0.25),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("2.s", 2),
        ("10us", 1e-5),
        ("10\u00b5s", 1e-5),
        ("10\u03bcs", 1e-5),
        ("7ns", 7e-9),
        ("0", 0),
        ("0s", 0),
        ("-1s", -1),
        ("+1m1s", 61),
    ],
)
def test_durations_are_read_as_go_reads_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "5", "s", "5 m", "1d", "1h 30m", "m5", "1h30", "--1s", "1e3s", "\u0665s", "1h-3m", "."],
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="30s"):
        parse_duration(text)


def test_absurd_durations_are_refused() -> None:
    with pytest.raises(ValueError, match="ten years"):
        parse_duration("99999999h")


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_a_duration_survives_writing_and_reading(nanos: int) -> None:
    seconds = nanos / 1e9
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.integers(min_value=0, max_value=10**15))
def test_written_durations_are_in_shortest_form(nanos: int) -> None:
    text = format_duration(nanos / 1e9)
    assert format_duration(parse_duration(text)) == text


_PLAIN = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(),
    st.decimals(allow_nan=False, allow_infinity=False, places=9),
    st.lists(st.text(), max_size=4),
)


@given(value=_PLAIN, key=st.text())
def test_written_toml_means_what_was_written(value: object, key: str) -> None:
    if isinstance(value, Decimal) and value.is_zero():
        value = Decimal(0)
    text = f"{toml_key(('a', key))} = {toml_text(value)}"
    assert tomllib.loads(text, parse_float=Decimal) == {"a": {key: value}}
    assert "\n" not in text
    assert text.isprintable()


KEYS = [
    "sk-proj-abcdefgh1234",
    "sk-ant-api03-abcdefgh",
    "AIzaSyA1234567890abc",
    "gsk_abcdefgh12345",
    "xai-abcdefgh12345",
    "pplx-abcdefgh1234",
    "hf_abcdefghijklmn",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_abcdefgh12345678",
    "aB3dE5gH7jK9mN1pQ3sT5vX7",
]
NOT_KEYS = [
    "OPENAI_API_KEY",
    "MY_COMPANY_GATEWAY_ACCESS_KEY_NAME_2",
    "gpt-6.1-sol",
    "claude-sonnet-5-5-20261001",
    "accounts/fireworks/models/gpt-oss-20b",
    "https://gateway.example.com/v1",
    "ft:gpt-5-nano:acme::1",
    "Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8",
    "Answer briefly, and say what you do not know.",
]


@pytest.mark.parametrize("text", KEYS)
def test_keys_are_recognised_and_never_shown(text: str) -> None:
    assert looks_secret(text)
    assert text not in shown(text)
    assert text not in shown(["a", text])


@pytest.mark.parametrize("text", NOT_KEYS)
def test_ordinary_values_are_shown(text: str) -> None:
    assert not looks_secret(text)
    assert text in shown(text)


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("http://10.0.0.5:8080/v1", True),
        ("http://localhost.example.com", True),
        ("http://127.0.0.1.example.com", True),
        ("http://localhost:11434", False),
        ("http://127.0.0.1:1234/v1", False),
        ("http://[::1]:8080", False),
        ("https://example.com", False),
    ],
)
def test_unencrypted_addresses_off_this_machine_are_known(url: str, plain: bool) -> None:
    assert is_plain_remote(url) is plain
