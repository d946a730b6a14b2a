"""Where prompts and keys may go: every spelling of what is not allowed is refused."""

import itertools

import pytest

from aircher.domain.errors import ConfigError
from aircher.providers.addresses import checked_url

pytestmark = pytest.mark.security

METADATA = [
    "169.254.169.254",
    "2852039166",  # decimal
    "0xa9fea9fe",  # hexadecimal
    "0xA9.0xFE.0xA9.0xFE",
    "025177524776",  # octal
    "0251.0376.0251.0376",
    "169.254.43518",  # three parts
    "169.16689662",  # two parts
    "169.0xfe.0251.254",
    "00169.254.169.254",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::169.254.169.254]",
    "[0:0:0:0:0:ffff:a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]",  # 6to4
    "[64:ff9b::a9fe:a9fe]",  # NAT64
    "[64:ff9b:1::a9fe:a9fe]",  # NAT64 of one's own network
    "[64:ff9b:1:a9fe:a9:fe00::]",  # the same, elsewhere in it
    "[::ffff:0:a9fe:a9fe]",  # SIIT
    "[fe80::1]",
    "[fe80::a9fe:a9fe%25eth0]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "169.254.170.2",  # ECS
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "metadata.google.internal",
    "METADATA.google.INTERNAL",
    "metadata",
    "instance-data.ec2.internal",
    "\uff11\uff16\uff19.254.169.254",  # full-width digits
    "169\u3002254\u3002169\u3002254",  # ideographic full stops
    "1%36%39.254.169.254",
    "0.0.0.0",
    "0",
    "[::]",
    "224.0.0.1",
    "[ff02::1]",
    "127.1",
    "0x7f000001",
    "2130706433",
]


@pytest.mark.parametrize("host", METADATA)
def test_link_local_and_metadata_addresses_are_refused_in_all_spellings(host: str) -> None:
    for scheme, dot, port, allow in itertools.product(
        ("http", "https"), ("", "."), ("", ":8080"), (True, False)
    ):
        if dot and host.endswith("]"):
            continue
        url = f"{scheme}://{host}{dot}{port}/v1"
        with pytest.raises(ConfigError) as caught:
            checked_url("openai", url, allow_http=allow)
        assert caught.value.message.count(".") == 1
        assert caught.value.hint


OTHER = {
    "user name": "https://user@api.example.com/v1",
    "password": "https://user:canary@api.example.com/v1",
    "empty user": "https://@api.example.com/v1",
    "disguised user": "https://api.openai.com%20@evil.example/v1",
    "backslash": "https://api.openai.com\\@evil.example/v1",
    "CR": "https://api.example.com/v1\rX-Evil: 1",
    "LF": "https://api.example.com/\nv1",
    "CRLF in host": "https://api.example\r\n.com/v1",
    "tab": "https://api.\texample.com/v1",
    "NUL": "https://api.example.com\0.evil.example/v1",
    "escape": "https://api.example.com/\x1b]0;x\x07",
    "bidi": "https://api.example.com/\u202ev1",
    "plain http": "http://api.example.com/v1",
    "http on the net at home": "http://192.168.1.10/v1",
    "a name like localhost": "http://localhost.evil.example/v1",
    "loopback as a user": "http://localhost@evil.example/v1",
    "file": "file:///etc/passwd",
    "ftp": "ftp://api.example.com/v1",
    "javascript": "javascript:alert(1)",
    "no scheme": "api.example.com/v1",
    "no host": "https:///v1",
    "query": "https://api.example.com/v1?key=canary",
    "fragment": "https://api.example.com/v1#canary",
    "port 0": "https://api.example.com:0/v1",
    "port 99999": "https://api.example.com:99999/v1",
    "half an IPv6": "https://[::1/v1",
}


@pytest.mark.parametrize("what", OTHER)
def test_what_is_no_plain_https_address_is_refused_without_repeating_it(what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked_url("openai", OTHER[what])
    assert "canary" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "https://gateway.example.com:8443/a/b",
        "https://192.168.1.10/v1",
        "https://[2606:4700::1111]/v1",
        "https://b\u00fccher.example/v1",
        "https://4chan.example/v1",
        "https://0xdead.example/v1",
        "http://127.0.0.1:11434",
        "http://127.8.8.8/v1",
        "http://[::1]:8080/v1",
        "http://localhost:1234/v1",
        "http://model.localhost/v1",
    ],
)
def test_what_is_plainly_right_is_taken(url: str) -> None:
    assert checked_url("openai", f"{url}/") == url


def test_a_name_that_stands_for_metadata_is_refused_where_no_certificate_proves_it() -> None:
    url = "http://169-254-169-254.names.example/v1"
    for found in (["169.254.169.254"], ["10.0.0.1", "fe80::1%eth0"], ["::ffff:a9fe:a9fe"]):
        with pytest.raises(ConfigError, match="is a name for an address of this link"):
            checked_url("openai", url, allow_http=True, resolve=lambda _, found=found: found)
    assert checked_url("openai", url, allow_http=True, resolve=lambda _: ["10.0.0.1"]) == url

    def fails(_host: str) -> list[str]:
        raise OSError

    assert checked_url("openai", url, allow_http=True, resolve=fails) == url
