"""Where a link leads is what is shown and opened; a text that claims otherwise is told."""

from __future__ import annotations

import pytest

from aircher.tui.links import openable, other_host

pytestmark = pytest.mark.security


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://Example.COM/A?b#c", "https://example.com/A?b#c"),
        ("HTTPS://B\u00dcCHER.example", "https://xn--bcher-kva.example"),
        ("https://\u0430pple.com/", "https://xn--pple-43d.com/"),  # a Cyrillic a
        ("https://bank.example@evil.example/x", "https://evil.example/x"),
        ("https://user:secret@host.example:8443/x", "https://host.example:8443/x"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
        ("https://a\u202eb.example", "https://ab.example"),
        ("https://host.example:99999/", ""),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("mailto:", ""),
        ("mailto:\u0430@b.example", ""),
        ("data:text/html,x", ""),
        ("vscode://x/y", ""),
        ("//host.example", ""),
        ("", ""),
    ],
)
def test_the_address_that_is_shown(url: str, shown: str) -> None:
    assert openable(url) == shown


@pytest.mark.parametrize(
    ("label", "url", "claimed"),
    [
        ("https://bank.example/login", "https://evil.example/", "bank.example"),
        ("bank.example", "https://bank.example.evil.example/", "bank.example"),
        ("\u0430pple.com", "https://apple.com/", "\u0430pple.com"),
        ("www.bank.example", "https://bank.example/x", ""),
        ("bank.example/x", "https://www.bank.example/y", ""),
        ("the documentation", "https://bank.example/", ""),
        ("see version 2.0", "https://bank.example/", ""),
        ("write to a@bank.example", "mailto:a@bank.example", ""),
    ],
)
def test_a_text_that_names_another_host(label: str, url: str, claimed: str) -> None:
    assert other_host(label, url) == claimed
