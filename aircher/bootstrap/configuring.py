"""The configuration as front ends and the composition root reach it.

Importing this is cheap: what only shows or changes settings is imported where it is used.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from aircher.bootstrap.places import home
from aircher.bootstrap.strategies import unknown_strategies
from aircher.config.atomic import write_private
from aircher.config.content import read_content
from aircher.config.layers import Flag, file_layer
from aircher.config.load import Config, Places, combine, load
from aircher.config.names import BUILT_IN, Names
from aircher.config.rows import name_of
from aircher.config.trust import Trust, digest
from aircher.domain.classes import dataclass
from aircher.domain.errors import ConfigError, StorageError, UsageError
from aircher.domain.settings import ConfigProblem, ConfigValue
from aircher.providers.addresses import host_fault
from aircher.providers.vendors import vendors

PROJECT_FILE = ".aircher.toml"

__all__ = ["Config", "Flag"]


def config_path(environ: Mapping[str, str] | None = None) -> Path:
    """The user's file, there or not: $AIRCHER_CONFIG, or $XDG_CONFIG_HOME/aircher/config.toml.

    The same place (``~/.config``) on every platform, so that dotfiles can be shared.
    """
    variables = os.environ if environ is None else environ
    if named := variables.get("AIRCHER_CONFIG"):
        if named.startswith("~/"):
            home()
        return Path(os.path.expanduser(named))  # Path's own raises for "~nobody"
    folder = _absolute(variables.get("XDG_CONFIG_HOME")) or home() / ".config"
    return folder / "aircher" / "config.toml"


def data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The folder for sessions, ledger and trust; it may not exist yet."""
    variables = os.environ if environ is None else environ
    if folder := _absolute(variables.get("XDG_DATA_HOME")):
        return folder / "aircher"
    home()
    import platformdirs

    return platformdirs.user_data_path("aircher")


def _absolute(text: str | None) -> Path | None:
    """XDG's rule: a relative path in these variables counts as not set."""
    path = Path(text) if text else None
    return path if path and path.is_absolute() else None


def project_path(folder: Path | None = None) -> Path:
    """Where the project's file would be: the root of the work tree, else the folder itself."""
    here = Path.cwd() if folder is None else folder.resolve()
    root = next((one for one in (here, *here.parents) if (one / ".git").exists()), here)
    return root / PROJECT_FILE


@cache
def provider_names() -> Names:
    """Every name and alias of a provider that needs no base_url."""
    names = dict(BUILT_IN)
    for vendor in vendors().values():
        names.update(dict.fromkeys((vendor.name, *vendor.aliases), vendor.name))
    return MappingProxyType(names)


def load_config(
    environ: Mapping[str, str] | None = None,
    *,
    folder: Path | None = None,
    flags: Sequence[Flag] = (),
) -> Config:
    """The configuration from all layers; never raises for what a user wrote (see ``problems``).

    ``folder`` is where the user works (the current one by default).
    """
    variables = os.environ if environ is None else environ
    places = Places(
        user=config_path(variables),
        project=project_path(folder),
        trust=_trust(variables),
        user_required=bool(variables.get("AIRCHER_CONFIG")),
    )
    config = load(places, environ=variables, flags=flags, names=provider_names())
    more = (*unknown_strategies(config), *_unfit_addresses(config))
    return replace(config, problems=(*config.problems, *more)) if more else config


def _unfit_addresses(config: Config) -> Iterator[ConfigProblem]:
    """The addresses that no call would be made to, each with its line."""
    for name, provider in config.providers.named.items():
        path = ("providers", name, "base_url")
        fault, origin = host_fault(provider.base_url or ""), config.origins.get(path)
        if fault and origin is not None:
            hint = "give the address of a model server, such as https://host/v1"
            yield origin.problem(path, f"providers.{name}.base_url {fault}", hint)


def key_variables(config: Config | None = None) -> Collection[str]:
    """Every environment variable that holds a vendor's key; no program that we start gets one."""
    own = (config or load_config()).providers.named.values()
    named = {one.api_key_env for one in own if one.api_key_env}
    return frozenset(named.union(*(row.key_env for row in vendors().values())))


def key_values(config: Config | None = None) -> frozenset[str]:
    """The keys in the environment, so that a log can leave them out wherever they turn up."""
    values = (os.environ.get(name, "") for name in key_variables(config))
    return frozenset(value for value in values if len(value) >= 8)


def _trust(variables: Mapping[str, str]) -> Trust:
    return Trust(data_dir(variables) / "trusted.json")


def require_sound(config: Config) -> Config:
    """The configuration, if nothing is wrong with it; else raises ``ConfigError`` with it all."""
    if config.problems:
        raise ConfigError(
            "the configuration has mistakes:\n" + "\n".join(f"  {one}" for one in config.problems),
            hint="`aircher config edit` opens the file.",
        )
    return config


def values(config: Config) -> list[ConfigValue]:
    """All settings for a list or a screen; nothing that looks like a key is shown."""
    from aircher.config import describe

    return describe.rows(config)


def find_values(config: Config, key: str) -> list[ConfigValue]:
    """The settings of one key or section; raises ``UsageError`` if there are none."""
    from aircher.config import describe, edit

    rows = [row for row in values(config) if row.key == key or row.key.startswith(f"{key}.")]
    if rows:
        return rows
    path, _ = edit.find_key(key)
    name = name_of(path)
    return [row for row in values(config) if row.key == name] or [describe.row_at(config, path)]


def set_value(key: str, text: str, environ: Mapping[str, str] | None = None) -> str:
    """Sets a value in the user's file, comments kept; returns it as TOML.

    Raises ``UsageError`` (unknown key), ``ConfigError`` (bad value), ``StorageError``.
    """
    from aircher.config import edit

    return edit.set_value(config_path(environ), key, text, names=provider_names())


def unset(key: str, environ: Mapping[str, str] | None = None) -> bool:
    """Takes a value out of the user's file; False if it was not there.  Raises as ``set_value``."""
    from aircher.config import edit

    return edit.unset(config_path(environ), key, names=provider_names())


def ensure_file(environ: Mapping[str, str] | None = None) -> Path:
    """The user's file, made from the example (all of it commented out) if there is none."""
    file = config_path(environ)
    if not file.exists():
        from aircher.config.describe import example_toml

        try:
            write_private(file, example_toml().encode())
        except OSError as error:
            raise StorageError(
                f"{file} cannot be made: {error.strerror}.", hint="Check its folder's permissions."
            ) from error
    return file


def example() -> str:
    """The example file's text."""
    from aircher.config import describe

    return describe.example_toml()


def schema() -> str:
    """The JSON Schema's text."""
    import json

    from aircher.config import describe

    return json.dumps(describe.json_schema(), indent=2, ensure_ascii=False) + "\n"


def manual() -> str:
    """The text of docs/config.md."""
    from aircher.config import describe

    return describe.markdown()


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A project's file as it was read once: what it would set, and what is wrong with it."""

    path: Path
    settings: tuple[str, ...] = ()
    problems: tuple[ConfigProblem, ...] = ()
    trusted: bool = False


def project_file(
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    trust: bool = False,
) -> ProjectFile:
    """Reads the project's file; with ``trust`` that very content is trusted, unless something is
    wrong with it.

    Raises ``UsageError`` if there is no such file, ``StorageError`` if the trust cannot be
    written.
    """
    file = project_path(folder)
    content = read_content(file, follow=False)
    if content.missing:
        raise UsageError(f"There is no {PROJECT_FILE} here.", hint=f"It would be {file}.")
    if content.problem:
        return ProjectFile(file, problems=(content.problem,))
    names = provider_names()
    variables = os.environ if environ is None else environ
    user = config_path(variables)
    theirs = file_layer(str(file), content.text, names=names, project=True)
    layers = [file_layer(str(user), read_content(user).text, names=names), theirs]
    problems = tuple(one for one in combine(layers, names=names).problems if one.file == str(file))
    trusted = _trust(variables).allows(file, content.data)
    if trust and not problems:
        try:
            _trust(variables).add(file, content.data)
        except OSError as error:
            raise StorageError(f"The trust cannot be written: {error.strerror}.") from error
        trusted = True
    return ProjectFile(file, tuple(map(name_of, theirs.values)), problems, trusted)


def trusted_files(environ: Mapping[str, str] | None = None) -> list[tuple[Path, str]]:
    """Every file that was trusted, with how it is now: "as trusted", "changed" or "gone"."""
    found = []
    for path, known in sorted(_trust(os.environ if environ is None else environ).all().items()):
        content = read_content(path, follow=False)
        same = content.problem is None and digest(content.data) == known
        found.append((path, "gone" if content.missing else "as trusted" if same else "changed"))
    return found


def untrust_project(
    file: Path | None = None, environ: Mapping[str, str] | None = None
) -> tuple[Path, bool]:
    """Forgets a file, the project's by default; False if it was not trusted."""
    file = file or project_path()
    try:
        return file, _trust(os.environ if environ is None else environ).remove(file)
    except OSError as error:
        raise StorageError(f"The trust cannot be written: {error.strerror}.") from error
