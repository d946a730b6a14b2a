"""The user's own package index: its address as pip knows it, and the files it lists.

No address of an index is written here.  pip's settings are asked of pip itself, so that a
company mirror, a proxy or a private CA that works for ``pip install`` works here as well.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from aircher.domain.children import child_environment
from aircher.domain.classes import dataclass
from aircher.domain.regexes import regex

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, "
    "application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
)
"""PEP 691: JSON if the index has it, the older HTML (PEP 503) otherwise."""

_PIP_LIMIT_S = 30
_LINE = regex(r"^(?P<section>[\w:-]+)\.(?P<key>[\w-]+)=(?P<value>.*)$")
_SECTIONS = ("global", "download", ":env:")  # pip's order: later ones win
_DEFAULT_INDEX = regex(r"--index-url\b.*?\(default:?\s+(?P<url>https?://[^\s)]+)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """Where packages come from: index addresses in pip's order, CA files, a proxy ("" = none)."""

    urls: tuple[str, ...]
    ca_files: tuple[str, ...] = ()
    proxy: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A file an index offers; ``sha256`` is "" where the index does not say."""

    name: str
    url: str
    sha256: str = ""


def parse_pip_config(listing: str) -> dict[str, str]:
    """The settings in force in the output of ``pip config list``: key -> value."""
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in listing.splitlines():
        match = _LINE.match(line.strip())
        if match is None or match["section"] not in found:
            continue
        try:
            value = ast.literal_eval(match["value"])
        except (ValueError, SyntaxError):
            continue
        found[match["section"]][match["key"].replace("_", "-")] = str(value)
    return {key: value for section in _SECTIONS for key, value in found[section].items()}


def parse_default_index(help_text: str) -> str:
    """The index address built into pip, from the output of ``pip help download``; "" if not found."""
    match = _DEFAULT_INDEX.search(help_text)
    return match["url"] if match else ""


def pip_command() -> list[str]:
    """How pip is called.  -P keeps the current folder, which may be anyone's, off sys.path."""
    return [sys.executable, "-P", "-m", "pip"]


def _pip_says(arguments: Sequence[str], given: Mapping[str, str]) -> str:
    """What pip prints, "" where there is no pip."""
    # A wide page, so that the address in the help is not broken over two lines.
    environ = {**child_environment(given), "COLUMNS": "400"}
    try:
        done = subprocess.run(
            [*pip_command(), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PIP_LIMIT_S,
            stdin=subprocess.DEVNULL,
            env=environ,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings that pip's environment variables give, for a machine without pip."""
    names = ("index-url", "extra-index-url", "no-index", "cert", "proxy")
    pairs = ((name, environ.get("PIP_" + name.upper().replace("-", "_"), "")) for name in names)
    return {name: value for name, value in pairs if value}


def read_settings(environ: Mapping[str, str]) -> IndexSettings:
    """Asks pip for its settings (about half a second)."""
    pip = parse_pip_config(_pip_says(["config", "list"], environ)) or _from_environment(environ)
    urls: list[str] = []
    if pip.get("no-index", "").lower() not in {"1", "true", "yes", "on"}:
        first = pip.get("index-url") or parse_default_index(
            _pip_says(["help", "download"], environ)
        )
        urls = [first, *pip.get("extra-index-url", "").split()]
    ca_files = (pip.get("cert", ""), environ.get("REQUESTS_CA_BUNDLE", ""))
    return IndexSettings(
        urls=tuple(url for url in urls if url),
        ca_files=tuple(dict.fromkeys(file for file in ca_files if file)),
        proxy=pip.get("proxy", ""),
    )


def project_url(index: str, package: str) -> str:
    """The page of a package; the trailing slash is part of PEP 503."""
    return f"{index.rstrip('/')}/{re.sub(r'[-_.]+', '-', package).lower()}/"


class _Anchors(HTMLParser):
    """Collects the href of every link."""

    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser for each element."""
        if tag == "a":
            self.hrefs.extend(value for name, value in attrs if name == "href" and value)


def _html_links(body: str, url: str) -> list[Link]:
    anchors = _Anchors()
    anchors.feed(body)
    links = []
    for href in anchors.hrefs:
        target, fragment = urldefrag(urljoin(url, href))
        sha256 = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
        links.append(Link(unquote(urlsplit(target).path.rsplit("/", 1)[-1]), target, sha256))
    return links


def _json_links(body: str, url: str) -> list[Link]:
    files = json.loads(body)["files"]
    return [
        Link(file["filename"], urljoin(url, file["url"]), file.get("hashes", {}).get("sha256", ""))
        for file in files
    ]


def parse_page(body: str, content_type: str, url: str) -> list[Link]:
    """The files on a package's page, in either form.  Raises ``ValueError`` for neither."""
    if not content_type.endswith("json"):
        return _html_links(body, url)
    try:
        return _json_links(body, url)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a package page: {error!r}") from error
