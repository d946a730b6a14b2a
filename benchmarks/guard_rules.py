"""Writes aircher/policy/guard/vendors.json from Betterleaks' rule file (MIT).

    python -m benchmarks.guard_rules betterleaks.toml > aircher/policy/guard/vendors.json

The rule file is config/betterleaks.toml of that project; its Python package carries it inside the
library.  What is left out, and why: docs/decisions/0004-a-guard-of-rules-as-data.md.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
import warnings
from pathlib import Path
from typing import Any

LEFT_OUT = frozenset(
    {
        # Broad rules that lean on a filter language; our own.toml has stricter ones.
        "generic-api-key", "generic-password", "generic-credential-uri", "hashicorp-tf-password",
        "curl-auth-header", "curl-auth-user", "kubernetes-secret-yaml", "private-key",
        "aws-secret-access-key", "azure-storage-account-key", "openai-api-key", "jwt",
        "pkcs12-file", "nuget-config-password", "sidekiq-sensitive-url", "sidekiq-secret",
        # Public by design: an id, not a secret.
        "flutterwave-public-key", "lob-pub-api-key", "mailgun-pub-key", "new-relic-user-api-id",
        "sendbird-access-id", "sumologic-access-id", "posthog-project-api-key",
        "segment-public-api-token.1",
    }
)  # fmt: skip


_END = r"""(?:\\?['"\x60]|[\s;]|\\[nr]|$)"""
_OUR_END = r"""(?=\\?['"\x60]|[\s;,.:)<>&\]}|]|\\[nr]|$)"""
"""What follows a token: in prose, logs and calls also a comma, a full stop or a bracket."""


def python_regex(text: str) -> str:
    """Go's regular expressions in Python's words: a flag in the middle gets its group, ``\\z`` is ``\\Z``."""
    text = text.replace("\\z", "\\Z").replace("[[", "[\\[").replace(_END, _OUR_END)
    while found := re.search(r"(?<!^)\(\?i\)", text):
        end = _group_end(text, found.end())
        text = f"{text[: found.start()]}(?i:{text[found.end() : end]}){text[end:]}"
    return text


def _group_end(text: str, at: int) -> int:
    """Where the group that ``at`` stands in ends, or its alternative."""
    depth, position = 0, at
    while position < len(text):
        char = text[position]
        if char == "\\":
            position += 1
        elif char == "[":
            position = text.index("]", position + 2)
        elif char == "(":
            depth += 1
        elif char == ")":
            if depth == 0:
                return position
            depth -= 1
        position += 1
    return position


def rows(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rules that are kept: id, keywords, regex, lowest entropy in bits per character."""
    kept = []
    for rule in given:
        name = rule["id"]
        public = name.endswith(("-client-id", "-account-id"))
        if name in LEFT_OUT or public or rule.get("skipReport") or "regex" not in rule:
            continue
        entropy = re.search(r'entropy\(finding\["secret"\]\) <=? ([\d.]+)', rule.get("filter", ""))
        regex = python_regex(rule["regex"])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(regex, re.ASCII)
        kept.append(
            {
                "id": re.sub(r"\.\d+$", "", name),
                "keywords": sorted({word.lower() for word in rule["keywords"]}),
                "regex": regex,
                **({"entropy": float(entropy[1])} if entropy and float(entropy[1]) else {}),
            }
        )
    return kept


ABOUT = (
    "Keys and tokens of vendors.  Made by benchmarks/guard_rules.py; do not edit.",
    "From Betterleaks (github.com/betterleaks/betterleaks), v2, October 2026:",
    "Copyright (c) 2026 Betterleaks Contributors, MIT License; its text is in LICENSE-rules.",
)


def main() -> None:
    """Prints JSON: ten times quicker to read than TOML, and read before a first call."""
    data = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    lines = (json.dumps(row, ensure_ascii=False) for row in rows(data["rules"]))
    rules = ",\n".join(lines)
    print(f'{{"about": {json.dumps(ABOUT, indent=1)},\n"rule": [\n{rules}\n]}}')


if __name__ == "__main__":
    main()
