"""Secrets made on the spot from their vendors' formats, and look-alikes that are none.

Nothing here is a secret: every value is drawn from a seeded generator when it is asked for, so no
secret-looking text stands in the repository.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import string
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
ALNUM = LOWER + UPPER + DIGITS
HEX = DIGITS + "abcdef"
URLSAFE = ALNUM + "-_"
BASE64 = ALNUM + "+/"
BASE32 = UPPER + "234567"


class Maker(random.Random):
    """A seeded generator with the few shapes that keys have."""

    def of(self, alphabet: str, size: int) -> str:
        """``size`` characters of the alphabet, with at least one digit where it has any."""
        made = self.choices(alphabet, k=size)
        if set(alphabet) & set(DIGITS) and not any(c.isdigit() for c in made):
            made[self.randrange(size)] = self.choice([c for c in alphabet if c.isdigit()])
        return "".join(made)

    def password(self) -> str:
        """As people set them: words, digits, a sign."""
        words = ("Maple", "river", "Tango", "quartz", "Delta", "violet", "Saturn", "pepper")
        return f"{self.choice(words)}{self.choice('-_#!.')}{self.choice(words)}{self.randint(10, 9999)}"

    def lines(self, alphabet: str, count: int, width: int = 64) -> str:
        """A block of lines, the last of them shorter."""
        rows = [self.of(alphabet, width) for _ in range(count - 1)]
        return "\n".join([*rows, self.of(alphabet, width // 2) + "=="])


def _pem(name: str) -> Callable[[Maker], str]:
    return lambda r: f"-----BEGIN {name}-----\n{r.lines(BASE64, 12)}\n-----END {name}-----"


def _jwt(r: Maker) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"sub": r.of(DIGITS, 9), "iss": "accounts", "exp": 1_900_000_000 + r.randrange(9999)}
    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}.{r.of(URLSAFE, 43)}"


FORMATS: dict[str, Callable[[Maker], str]] = {
    "aws access key id": lambda r: r.choice(("AKIA", "ASIA")) + r.of(BASE32, 16),
    "aws secret key": lambda r: r.of(BASE64, 40),
    "github token": lambda r: r.choice(("ghp_", "gho_", "ghs_", "ghr_")) + r.of(ALNUM, 36),
    "github fine-grained token": lambda r: f"github_pat_{r.of(ALNUM, 22)}_{r.of(ALNUM, 59)}",
    "gitlab token": lambda r: "glpat-" + r.of(URLSAFE.replace("-", ""), 20),
    "gitlab deploy token": lambda r: "gldt-" + r.of(ALNUM, 20),
    "slack bot token": lambda r: f"xoxb-{r.of(DIGITS, 12)}-{r.of(DIGITS, 13)}-{r.of(ALNUM, 24)}",
    "slack webhook": lambda r: (
        "https://hooks.slack.com/services/"
        f"T{r.of(UPPER + DIGITS, 8)}/B{r.of(UPPER + DIGITS, 8)}/{r.of(ALNUM, 24)}"
    ),
    "stripe live key": lambda r: r.choice(("sk_live_", "rk_live_")) + r.of(ALNUM, 24),
    "stripe webhook secret": lambda r: "whsec_" + r.of(ALNUM, 32),
    "openai project key": lambda r: f"sk-proj-{r.of(ALNUM, 74)}T3BlbkFJ{r.of(ALNUM, 74)}",
    "openai key": lambda r: f"sk-{r.of(ALNUM, 20)}T3BlbkFJ{r.of(ALNUM, 20)}",
    "anthropic key": lambda r: f"sk-ant-api03-{r.of(URLSAFE, 93)}AA",
    "google api key": lambda r: "AIza" + r.of(ALNUM, 35),
    "google oauth secret": lambda r: "GOCSPX-" + r.of(URLSAFE, 28),
    "google oauth token": lambda r: "ya29." + r.of(URLSAFE, 120),
    "groq key": lambda r: "gsk_" + r.of(ALNUM, 52),
    "xai key": lambda r: "xai-" + r.of(ALNUM, 80),
    "perplexity key": lambda r: "pplx-" + r.of(ALNUM, 48),
    "hugging face token": lambda r: "hf_" + r.of(LOWER, 34),
    "replicate token": lambda r: "r8_" + r.of(ALNUM, 37),
    "deepseek key": lambda r: "sk-" + r.of(HEX, 32),
    "openrouter key": lambda r: "sk-or-v1-" + r.of(HEX, 64),
    "npm token": lambda r: "npm_" + r.of(LOWER + DIGITS, 36),
    "pypi token": lambda r: "pypi-AgEIcHlwaS5vcmc" + r.of(URLSAFE, 120),
    "sendgrid key": lambda r: f"SG.{r.of(ALNUM, 22)}.{r.of(ALNUM, 43)}",
    "twilio key": lambda r: "SK" + r.of(HEX, 32),
    "mailgun key": lambda r: "key-" + r.of(HEX, 32),
    "telegram bot token": lambda r: f"{r.of('123456789', 10)}:AA{r.of(URLSAFE, 33)}",
    "discord webhook": lambda r: (
        f"https://discord.com/api/webhooks/{r.of('123456789', 18)}/{r.of(URLSAFE, 68)}"
    ),
    "digitalocean token": lambda r: "dop_v1_" + r.of(HEX, 64),
    "shopify token": lambda r: "shpat_" + r.of(HEX, 32),
    "databricks token": lambda r: "dapi" + r.of(HEX, 32),
    "hashicorp vault token": lambda r: "hvs." + r.of(URLSAFE, 95),
    "docker hub token": lambda r: "dckr_pat_" + r.of(URLSAFE, 27),
    "postman key": lambda r: f"PMAK-{r.of(HEX, 24)}-{r.of(HEX, 34)}",
    "azure storage key": lambda r: (
        "DefaultEndpointsProtocol=https;AccountName=web"
        f"{r.of(DIGITS, 3)};AccountKey={r.of(BASE64, 86)}=="
    ),
    "azure client secret": lambda r: f"{r.of(ALNUM, 3)}8Q~{r.of(ALNUM + '_~.-', 33)}a",
    "json web token": _jwt,
    "rsa private key": _pem("RSA PRIVATE KEY"),
    "openssh private key": _pem("OPENSSH PRIVATE KEY"),
    "pkcs8 private key": _pem("PRIVATE KEY"),
    "connection string": lambda r: (
        f"{r.choice(('postgresql', 'mysql', 'mongodb+srv', 'redis'))}://"
        f"app:{r.password()}@db-{r.randint(1, 9)}.internal:5432/orders"
    ),
    "basic-auth url": lambda r: (
        f"https://deploy:{r.of(ALNUM, 16)}@git.company.internal/team/app.git"
    ),
    "ado.net password": lambda r: f"Server=db;Database=orders;User Id=app;Password={r.password()};",
    "netrc": lambda r: f"machine api.internal\n  login ci\n  password {r.of(ALNUM, 18)}",
    "npmrc": lambda r: f"//registry.internal/:_authToken={uuid.UUID(int=r.getrandbits(128))}",
    "kubeconfig": lambda r: f"    client-key-data: {r.of(BASE64, 600)}",
    "docker config": lambda r: f'{{"auths": {{"hub": {{"auth": "{r.of(BASE64, 40)}"}}}}}}',
    "authorization header": lambda r: f"Authorization: Bearer {r.of(URLSAFE, 40)}",
    "generic api key": lambda r: r.of(ALNUM, 32),
    "generic hex secret": lambda r: r.of(HEX, 40),
    "password": lambda r: r.password(),
}
"""Kind -> a value in that kind's format."""

_ASSIGNED: dict[str, tuple[str, ...]] = {
    "aws secret key": ("aws_secret_access_key",),
    "twilio key": ("TWILIO_API_KEY",),
    "mailgun key": ("MAILGUN_API_KEY",),
    "generic api key": ("api_key", "PAYMENTS_API_KEY", "accessToken"),
    "generic hex secret": ("client_secret", "SECRET_KEY", "signing_key"),
    "password": ("password", "DB_PASSWORD", "smtp_passwd"),
}
"""Kinds that only their name gives away, and such names."""

_PLACES = (
    ("code", '{name} = "{secret}"\nclient = connect({name}, timeout=30)\n'),
    ("env file", "PORT=8080\n{NAME}={secret}\nDEBUG=false\n"),
    ("yaml", "service:\n  port: 8080\n  {name}: {secret}\n  retries: 3\n"),
    ("json", '{{"host": "example.org", "{name}": "{secret}", "retries": 3}}\n'),
    (
        "diff",
        "@@ -1,3 +1,4 @@\n import os\n+{name} = '{secret}'\n-{name} = None\n print(os.name)\n",
    ),
    ("log", "2026-11-21T10:00:01Z INFO request id=41 {name}={secret} status=200\n"),
    ("prose", "Hi, why is this refused? My {name} is {secret}, thanks.\n"),
    ("shell", "export {NAME}='{secret}'\n./deploy.sh --region eu\n"),
)
_WHOLE = (
    ("file", "{secret}\n"),
    ("diff", "@@ -0,0 +1 @@\n{added}\n"),
    ("prose", "This is in my settings:\n\n{secret}\n\nWhat is wrong with it?\n"),
)
"""For kinds that bring their own surroundings, such as a key block or a .netrc."""

_STANDS_ALONE = frozenset(
    {
        "rsa private key", "openssh private key", "pkcs8 private key", "netrc", "npmrc",
        "kubeconfig", "docker config", "authorization header", "ado.net password",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Planted:
    """A text with one secret in it; ``core`` is the part that may not be left in it."""

    kind: str
    place: str
    text: str
    core: str


def planted(per_kind: int = 3, seed: int = 2026) -> Iterator[Planted]:
    """``per_kind`` secrets of every kind, each in another surrounding."""
    r = Maker(seed)
    for index, (kind, make) in enumerate(FORMATS.items()):
        for turn in range(per_kind):
            secret = make(r)
            if kind in _STANDS_ALONE:
                place, form = _WHOLE[turn % len(_WHOLE)]
                added = "\n".join(f"+{line}" for line in secret.splitlines())
                yield Planted(kind, place, form.format(secret=secret, added=added), _core(secret))
                continue
            place, form = _PLACES[(index + turn) % len(_PLACES)]
            names = _ASSIGNED.get(kind, ("token", "api_key", "value"))
            name = names[turn % len(names)]
            text = form.format(name=name, NAME=name.upper(), secret=secret)
            yield Planted(kind, place, text, _core(secret))


def _core(secret: str) -> str:
    """What of it is secret: the middle of a block, the password of an address."""
    if "-----BEGIN" in secret:
        return secret.splitlines()[4]
    if "://" in secret and "@" in secret:
        return secret.split("://")[1].split("@", maxsplit=1)[0].split(":")[1]
    for sign in ("AccountKey=", "Password=", "password ", "_authToken=", "Bearer ", '"auth": "'):
        if sign in secret:
            return secret.split(sign)[1].rstrip(';"}= ')
    return secret.rsplit("/services/", maxsplit=1)[-1].rsplit(": ", maxsplit=1)[-1]


def _sha(r: Maker, name: str = "sha1") -> str:
    return hashlib.new(name, r.randbytes(20)).hexdigest()


def _integrity(r: Maker) -> str:
    return "sha512-" + base64.b64encode(r.randbytes(64)).decode()


def _words(r: Maker, sign: str, count: int = 4) -> str:
    words = [
        "user",
        "session",
        "cache",
        "primary",
        "order",
        "invoice",
        "render",
        "layout",
        "token",
        "remote",
        "local",
        "handler",
    ]
    return sign.join(r.choice(words) for _ in range(count))


LOOKALIKES: tuple[Callable[[Maker], str], ...] = (
    lambda r: f'id = "{uuid.UUID(int=r.getrandbits(128))}"',
    lambda r: f"request_id={uuid.UUID(int=r.getrandbits(128))} status=200",
    lambda r: f"commit {_sha(r)}",
    lambda r: f"rev: {_sha(r)}",
    lambda r: f"index {_sha(r)[:7]}..{_sha(r)[:7]} 100644",
    lambda r: f'"integrity": "{_integrity(r)}"',
    lambda r: f"    --hash=sha256:{_sha(r, 'sha256')}",
    lambda r: f'checksum = "{_sha(r, "sha256")}"',
    lambda r: f"etag: {_sha(r, 'md5')}",
    lambda r: f'<img src="data:image/png;base64,{base64.b64encode(r.randbytes(300)).decode()}">',
    lambda r: (
        f"background: url(data:font/woff2;base64,{base64.b64encode(r.randbytes(200)).decode()})"
    ),
    lambda r: f".a{_sha(r)[:6]}{{color:#{_sha(r)[:6]};margin:0 auto}}",
    lambda r: "!function(e,t){var n=e[0].k,r=t.o7&&t.p9;e.exports=n?r:t.q1}(window,{o7:1,q1:2});",
    lambda r: 'AWS_ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"',
    lambda r: "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    lambda r: 'api_key = "your-api-key-here"',
    lambda r: "OPENAI_API_KEY=sk-...",
    lambda r: "OPENAI_API_KEY=<your key>",
    lambda r: 'token = os.environ["API_TOKEN"]',
    lambda r: "const apiKey = process.env.STRIPE_API_KEY;",
    lambda r: "password: ${{ secrets.DB_PASSWORD }}",
    lambda r: "password: {{ vault_db_password }}",
    lambda r: 'password = getpass.getpass("Password: ")',
    lambda r: "PASSWORD=changeme",
    lambda r: 'password = "password"',
    lambda r: "postgres://postgres:postgres@localhost:5432/test",
    lambda r: "https://user:password@example.com/path",
    lambda r: "mysql://root:${DB_PASSWORD}@db/orders",
    lambda r: "def set_token(self, token: str, secret: str | None = None) -> None:",
    lambda r: "token = self._next_token(stream, position)",
    lambda r: f"secret_name = {_words(r, '-')!r}",
    lambda r: f"cache_key = {_words(r, ':')!r}",
    lambda r: f"primary_key = {_words(r, '_')!r}",
    lambda r: f"token_type_{r.randint(1, 9)} = {_words(r, '.')!r}",
    lambda r: "Authorization: Bearer <token>",
    lambda r: "curl -H 'Authorization: Bearer $TOKEN' https://api.example.com/v1",
    lambda r: "curl -u user:pass https://example.com",
    lambda r: "-----BEGIN PUBLIC KEY-----\n" + r.lines(BASE64, 5) + "\n-----END PUBLIC KEY-----",
    lambda r: "-----BEGIN CERTIFICATE-----\n" + r.lines(BASE64, 9) + "\n-----END CERTIFICATE-----",
    lambda r: "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----",
    lambda r: f"ssh-rsa AAAAB3NzaC1yc2E{r.of(BASE64, 300)} me@laptop",
    lambda r: f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5{r.of(BASE64, 48)} me@laptop",
    lambda r: f"pk_live_{r.of(ALNUM, 24)}",
    lambda r: f"image: registry.internal/app@sha256:{_sha(r, 'sha256')}",
    lambda r: f"h1:{base64.b64encode(r.randbytes(32)).decode()}",
    lambda r: f"timestamp=1763719{r.of(DIGITS, 9)} version=3.11.{r.randint(0, 9)}",
    lambda r: f"public_key: {r.of(BASE64, 43)}=",
    lambda r: f"fingerprint: SHA256:{r.of(BASE64, 43)}",
    lambda r: "password_hash = pbkdf2_hmac(name, secret_bytes, salt, 600000)",
    lambda r: (
        f"class {''.join(w.title() for w in _words(r, ' ').split())}TokenProvider2(BaseProvider):"
    ),
)
"""Lines that look like secrets to a careless eye."""


def lookalikes(per_form: int = 4, seed: int = 2026) -> Iterator[str]:
    """``per_form`` texts of each form, in usual surroundings."""
    r = Maker(seed)
    for form in LOOKALIKES:
        for _ in range(per_form):
            yield f"def load():\n    pass\n\n{form(r)}\n"
