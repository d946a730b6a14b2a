"""Reading pip's settings and an index's pages."""

from __future__ import annotations

import os
import subprocess
from urllib.parse import urlsplit

import pytest

from aircher.providers.local.index import (
    Link,
    parse_default_index,
    parse_page,
    parse_pip_config,
    pip_command,
    project_url,
    read_settings,
)


def test_later_sections_win() -> None:
    listing = """\
:env:.index-url='https://env.invalid/simple'
download.cert='/ca.pem'
global.cert='/other.pem'
global.extra-index-url='https://a.invalid https://b.invalid'
global.index-url='https://global.invalid/simple'
install.proxy='http://not-for-downloads.invalid'
nonsense
global.bad=unquoted
"""
    assert parse_pip_config(listing) == {
        "cert": "/ca.pem",
        "extra-index-url": "https://a.invalid https://b.invalid",
        "index-url": "https://env.invalid/simple",
    }


def test_the_installed_pip_tells_its_default_index() -> None:
    environ = {**os.environ, "PIP_CONFIG_FILE": os.devnull, "COLUMNS": "400"}
    help_text = subprocess.run(
        [*pip_command(), "help", "download"],
        capture_output=True,
        text=True,
        env=environ,
        check=True,
    ).stdout
    url = urlsplit(parse_default_index(help_text))
    assert url.scheme == "https"
    assert url.path.rstrip("/").endswith("simple")
    assert parse_default_index("--index-url <url>  whatever") == ""


def test_settings_come_from_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "https://first.invalid/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://second.invalid https://third.invalid")
    monkeypatch.setenv("PIP_CERT", "/ca.pem")
    monkeypatch.setenv("PIP_PROXY", "http://proxy.invalid:3128")
    monkeypatch.delenv("PIP_NO_INDEX", raising=False)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    settings = read_settings(os.environ)
    assert settings.urls == (
        "https://first.invalid/simple",
        "https://second.invalid",
        "https://third.invalid",
    )
    assert settings.ca_files == ("/ca.pem",)
    assert settings.proxy == "http://proxy.invalid:3128"
    monkeypatch.setenv("PIP_NO_INDEX", "true")
    assert read_settings(os.environ).urls == ()


def test_pages() -> None:
    page = project_url("https://index.invalid/simple/", "Some_Package.x")
    assert page == "https://index.invalid/simple/some-package-x/"
    html = '<a class="x" href="../../files/a%2Bb-1.whl#sha256=ab12">a+b</a><a>no</a>'
    assert parse_page(html, "text/html", page) == [
        Link("a+b-1.whl", "https://index.invalid/files/a%2Bb-1.whl", "ab12")
    ]
    assert parse_page('<a href="/x.whl#md5=1">x</a>', "text/html", page)[0].sha256 == ""
    json_type = "application/vnd.pypi.simple.v1+json"
    json_page = '{"files": [{"filename": "x.whl", "url": "/x.whl", "hashes": {"sha256": "cd"}}]}'
    assert parse_page(json_page, json_type, page) == [
        Link("x.whl", "https://index.invalid/x.whl", "cd")
    ]
    for broken in ("[]", "{}", "{", '{"files": [{}]}', '{"files": 3}'):
        with pytest.raises(ValueError):
            parse_page(broken, json_type, page)
