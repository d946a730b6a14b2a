"""Facts of models, and the index they are read from."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from aircher.catalog import index
from aircher.catalog.catalog import ModelCatalog
from aircher.catalog.facts import CustomModel
from aircher.domain.models import Feature, ModelFacts, ModelRef

CATALOG = ModelCatalog()
SONNET = frozenset(
    {"vision", "documents", "tools", "json", "thinking", "streaming", "long_context"}
)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("claude", "claude-sonnet-4-5"),
        ("anthropic", "claude-sonnet-4-5-20250929"),
        ("claude", "claude-sonnet-4-5-latest"),
        ("vertex", "claude-sonnet-4-5@20250929"),
        ("openrouter", "anthropic/claude-sonnet-4.5"),
        ("azure", "claude-sonnet-4-5"),
    ],
)
def test_one_model_by_all_its_names(provider: str, model: str) -> None:
    facts = CATALOG.facts(ModelRef(provider, model))
    assert (facts.context_window, facts.max_output) == (200_000, 64_000)
    assert facts.features == SONNET
    assert (facts.input_price, facts.output_price) == (Decimal(3), Decimal(15))
    assert "models.dev" in facts.source
    assert "genai-prices" in facts.source


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("vertex_claude", "claude-sonnet-4-5@20250929"),
        ("a-gateway-of-mine", "anthropic/claude-sonnet-4.5:beta"),
    ],
)
def test_a_resellers_name_leads_to_the_makers_row(provider: str, model: str) -> None:
    facts = CATALOG.facts(ModelRef(provider, model))
    assert (facts.max_output, facts.features) == (64_000, SONNET)


def test_an_unknown_model_has_unknown_facts() -> None:
    ref = ModelRef("openai", "gpt-of-tomorrow")
    assert CATALOG.facts(ref) == ModelFacts(ref)


def test_a_priced_model_without_a_row_of_ours_keeps_its_features_unknown() -> None:
    facts = CATALOG.facts(ModelRef("groq", "mistral-saba-24b"))
    assert facts.features is None
    assert facts.max_output is None
    assert facts.input_price is not None


def test_a_longer_name_is_not_taken_for_a_shorter_one() -> None:
    assert CATALOG.facts(ModelRef("openai", "gpt-5-mini-tts")).max_output is None


def test_the_users_word_wins() -> None:
    ref = ModelRef("claude", "claude-sonnet-4-5")
    custom = CustomModel(context_window=1_000, features=frozenset({"tools"}))
    facts = ModelCatalog(custom={ref: custom}).facts(ref)
    assert facts.context_window == 1_000
    assert facts.features == {"tools"}
    assert facts.input_price == Decimal(3)
    assert facts.source.startswith("your configuration")


def test_a_model_here_is_free_and_local() -> None:
    ref = ModelRef("local", "smollm2")
    facts = ModelCatalog(local_providers={"local"}).facts(ref)
    assert facts.free
    assert facts.features == {"local", "streaming"}
    assert (facts.input_price, facts.context_window) == (Decimal(0), None)


def test_known_lists_the_configured_providers_under_their_names() -> None:
    mine = ModelRef("corp", "in-house")
    catalog = ModelCatalog(custom={mine: CustomModel()}, providers=["claude", "corp", "gemini"])
    known = catalog.known()
    refs = [facts.ref for facts in known]
    assert refs[0] == mine
    assert {ref.provider for ref in refs} == {"corp", "claude", "gemini"}
    assert ModelRef("claude", "claude-sonnet-4-5") in refs
    assert len(refs) == len(set(refs)) > 50


def test_known_lists_everything_where_nothing_is_configured() -> None:
    providers = {facts.ref.provider for facts in CATALOG.known()}
    assert {"openai", "anthropic", "google", "openrouter", "groq"} <= providers


def test_our_table_is_sound() -> None:
    table = tomllib.loads(index.FACTS.read_text("utf-8"))
    lists = index.build()["providers"]
    for key, row in table.items():
        assert key.partition("/")[0] in lists, key
        assert set(row) == {"context_window", "max_output", "features", "source", "date"}, key
        assert set(row["features"]) <= set(get_args(Feature)), key
        assert row["max_output"] <= row["context_window"], key
        assert date.fromisoformat(row["date"]) <= date(2026, 11, 21), key
        assert row["source"], key


def ask(folder: Path) -> str:
    """Facts and cost of one model in a fresh process; says whether the data was imported."""
    script = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC;"
        "from aircher.catalog.catalog import ModelCatalog;"
        "from aircher.domain.models import ModelRef; from aircher.domain.usage import Tokens;"
        f"c = ModelCatalog(cache_folder=Path({str(folder)!r})); r = ModelRef('openai', 'gpt-5-nano');"
        "print(c.facts(r).max_output, c.cost(r, Tokens(1000, output=1), datetime.now(UTC)).nano_usd,"
        "'genai_prices' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return out.stdout.strip()


def test_the_index_is_built_once_and_then_read(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "aircher"
    assert ask(folder) == "128000 50400 True"
    assert ask(folder) == "128000 50400 False"
    [file] = folder.iterdir()
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"key": "old"}', b"\xff\xfe"])
def test_a_damaged_or_old_index_is_built_anew(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "models.json").write_bytes(damage)
    assert ModelCatalog(cache_folder=tmp_path).facts(ModelRef("openai", "gpt-5")).max_output
    assert index.load(tmp_path)["version"] == index.build()["version"]
    assert (tmp_path / "models.json").stat().st_size > 100_000


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert ModelCatalog(cache_folder=blocked).facts(ModelRef("openai", "gpt-5")).max_output
    assert blocked.read_text() == "not a folder"


@pytest.mark.parametrize(
    ("ref", "score"),
    [
        (ModelRef("claude", "claude-opus-5-5"), 0.847),
        (ModelRef("openrouter", "anthropic/claude-sonnet-5.5"), 0.817),  # by its maker's row
        (ModelRef("gemini", "gemini-3-flash-preview"), 0.71),
        (ModelRef("openai", "gpt-99-tomorrow"), None),
        (ModelRef("openai", "gpt-5-minim"), None),
    ],
)
def test_quality_has_its_source_and_date_or_is_unknown(ref: ModelRef, score: float | None) -> None:
    found = CATALOG.facts(ref).quality
    assert (found.score if found else None) == score
    assert found is None or (found.source, found.date) == ("whatmodel.sh", "2026-10")


def test_the_users_own_score_stands_for_the_published_one() -> None:
    ref = ModelRef("claude", "claude-opus-5-5")
    mine = ModelCatalog(custom={ref: CustomModel(quality=0.1)}).facts(ref)
    assert mine.quality is not None
    assert (mine.quality.score, mine.quality.source) == (0.1, "your configuration")
    assert mine.context_window == 1_000_000  # the rest is as known


def test_a_model_released_tomorrow_works_by_name_with_nothing_known() -> None:
    found = CATALOG.facts(ModelRef("openai", "gpt-99-tomorrow"))
    assert (found.context_window, found.max_output, found.input_price) == (None, None, None)
    assert (found.features, found.quality, found.carbon) == (None, None, None)


def test_every_row_of_our_tables_makes_sense() -> None:
    index_ = index.build()
    assert len(index_["facts"]) + len(index_["more"]) > 500
    for window, longest, features, day in index_["more"].values():
        assert window >= 0 <= longest
        assert set(features.split()) <= set(get_args(Feature))
        assert day[:2] == "20"
    assert all(0 < score < 1 for score in index_["quality"]["scores"].values())
    assert all(0 < low <= high for low, high in index_["carbon"]["grams"].values())


def test_carbon_is_an_estimate_with_its_source() -> None:
    small = CATALOG.facts(ModelRef("openai", "gpt-6-luna")).carbon
    large = CATALOG.facts(ModelRef("claude", "claude-opus-5-5")).carbon
    assert small is not None
    assert large is not None
    assert small.middle < large.middle
    assert "estimate" in small.source
