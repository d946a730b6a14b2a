"""What is written is the user's alone from the first byte, whatever the umask; nothing is written
through another's link or into another's file.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from pathlib import Path

import pytest

from aircher.bootstrap.configuring import set_value
from aircher.bootstrap.opening import open_database
from aircher.catalog.index import load
from aircher.cli.main import main
from aircher.config.atomic import read_private, write_private
from aircher.domain.errors import StorageError
from aircher.domain.messages import user

pytestmark = pytest.mark.security


def test_everything_is_private_whatever_the_umask(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlock = home / "unlock"
    unlock.write_bytes(os.urandom(32))
    unlock.chmod(0o600)
    project = tmp_path / "project"
    project.mkdir()
    (project / ".aircher.toml").write_text('[ui]\ntheme = "nord"\n')
    monkeypatch.chdir(project)
    before = os.umask(0)
    try:
        load(home / ".cache" / "aircher")
        opened = open_database()  # first, so that it makes ~/.local and ~/.local/share
        for words in (
            ("config", "set", "secrets.key_file", str(unlock)),
            ("keys", "set", "openai"),
            ("trust",),
        ):
            monkeypatch.setattr(sys, "stdin", io.StringIO("sk-canary-0123456789"))
            assert main(words) == 0
        session = opened.sessions.create(title="x")
        opened.sessions.add(session.id, user("hello"))
        export = home / "out.md"
        assert main(["sessions", "export", session.id, "-o", str(export)]) == 0
        modes = {one: stat.S_IMODE(one.lstat().st_mode) for one in home.rglob("*")}
        opened.close()
    finally:
        os.umask(before)
    names = {one.name for one in modes}
    assert {
        "config.toml",
        "keys.sealed",
        "trusted.json",
        "aircher.db",
        "out.md",
        "models.json",
    } <= names
    wrong = {str(p): oct(m) for p, m in modes.items() if m != (0o700 if p.is_dir() else 0o600)}
    assert wrong == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_another_user_is_neither_read_nor_written(
    home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    file = folder / "file"
    file.write_text("theirs")
    os.chown(file, 12345, 12345)
    for through_link in (False, True):
        with pytest.raises(OSError, match="belongs to another user"):
            write_private(file, b"mine", through_link=through_link)
    with pytest.raises(OSError, match="belongs to another user"):
        read_private(file)
    link = tmp_path / "link"
    link.symlink_to(file)
    for through_link in (False, True):
        with pytest.raises(OSError, match="it is a link" if not through_link else "another user"):
            write_private(link, b"mine", through_link=through_link)
    os.chown(folder, 12345, 12345)
    with pytest.raises(OSError, match="its folder belongs to another user"):
        write_private(folder / "new", b"mine")
    assert file.read_text() == "theirs"
    assert [one.name for one in folder.iterdir()] == ["file"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_configuration_of_another_user_s_is_not_changed(home: Path) -> None:
    file = home / ".config" / "aircher" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[ui]\ntheme = "a"\n')
    os.chown(file, 12345, 12345)
    with pytest.raises(StorageError, match="belongs to another user"):
        set_value("ui.theme", "b")
    assert file.read_text() == '[ui]\ntheme = "a"\n'


def test_a_link_of_the_user_s_own_keeps_pointing_to_the_dotfiles(home: Path) -> None:
    file = home / ".config" / "aircher" / "config.toml"
    file.parent.mkdir(parents=True)
    (home / "dotfiles.toml").write_text("")
    file.symlink_to(home / "dotfiles.toml")
    set_value("ui.theme", "b")
    assert file.is_symlink()
    assert "theme" in (home / "dotfiles.toml").read_text()


@pytest.mark.parametrize("what", ["keys.sealed", "trusted.json", "keyring.json"])
def test_data_is_never_written_through_a_link(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    data = home / ".local" / "share" / "aircher"
    data.mkdir(parents=True)
    victim = tmp_path / "victim"
    (data / what).symlink_to(victim)
    with pytest.raises(OSError, match="it is a link"):
        write_private(data / what, b"x")
    (tmp_path / ".aircher.toml").write_text('[ui]\ntheme = "nord"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO("sk-canary-0123456789"))
    code = main(["trust"] if what == "trusted.json" else ["keys", "rm", "openai"])
    assert code in {0, 9}
    assert not victim.exists()
