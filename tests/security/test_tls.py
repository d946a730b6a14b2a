"""TLS is always verified; a company's own authority is trusted by naming its file."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from aircher.domain.errors import ConfigError, NetworkFailed, ProviderError
from aircher.providers.registry import ProviderSetup, Registry
from aircher.providers.transport import trust
from aircher.providers.vendors import Vendor

pytestmark = pytest.mark.security

KINDS = ["openai", "anthropic", "gemini", "ollama"]


def authority(folder: Path, *, expired: bool = False) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a company")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=-1 if expired else 9))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "ca.pem", folder / "ca.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, secret


class Quiet(BaseHTTPRequestHandler):
    """Lists no models, in every dialect's way."""

    seen = 0

    def do_GET(self) -> None:
        Quiet.seen += 1
        body = b'{"data": [], "models": [], "has_more": false}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


class Serving(ThreadingHTTPServer):
    """A refused handshake is what is wanted here."""

    def handle_error(self, *_args: object) -> None:
        pass


@pytest.fixture(params=["valid", "expired"])
def secure(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[str, Path, bool]]:
    pem, secret = authority(tmp_path, expired=request.param == "expired")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    server = Serving(("127.0.0.1", 0), Quiet)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    Quiet.seen = 0
    yield f"https://127.0.0.1:{server.server_address[1]}", pem, request.param == "valid"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_certificate_counts_only_when_its_authority_is_trusted(
    secure: tuple[str, Path, bool], kind: str
) -> None:
    url, pem, valid = secure
    for ca_file, works in (("", False), (str(pem), valid)):
        row = Vendor("x", "X", kind, url)
        setup = ProviderSetup(row, key=lambda: "sk-canary", options={"ca_file": ca_file})
        registry = Registry({"x": setup})
        try:
            provider = await registry.get("x")
            if works:
                assert list(await provider.models()) == []
                assert Quiet.seen == 1
            else:
                with pytest.raises(ProviderError) as refused:
                    await provider.models()
                assert isinstance(refused.value, NetworkFailed)
                assert "certificate" in refused.value.message
                assert Quiet.seen == 0
        finally:
            await registry.aclose()


def test_no_context_of_ours_lets_a_certificate_pass_unseen(tmp_path: Path) -> None:
    pem, _ = authority(tmp_path)
    for context in (trust(), trust(str(pem))):
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_that_holds_none_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"network\.ca_file cannot be used"):
        trust(str(file))
