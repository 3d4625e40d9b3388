import stat
from pathlib import Path

import pytest
from flask import Flask

from catalog import engines
from catalog.errors import SettingsError
from catalog.settings import Settings


@pytest.mark.parametrize(
    ("open_it", "url"),
    [
        (engines.open_search, "solr:somewhere"),
        (lambda url: engines.open_tables(Settings(tables_url=url)), "oracle:somewhere"),
        (lambda url: engines.open_files(Settings(files_url=url)), "ftp:somewhere"),
        (lambda url: engines.open_queue(Flask("x"), url), "rabbit:somewhere"),
    ],
)
def test_an_unknown_scheme_is_refused_with_the_known_ones(open_it, url: str):
    with pytest.raises(SettingsError, match="use one of"):
        open_it(url)


def test_an_address_without_a_scheme_is_refused():
    with pytest.raises(SettingsError, match="has no scheme"):
        engines.open_search("just-a-folder")


def test_the_secret_key_is_made_once_and_kept_for_its_owner_only(tmp_path: Path):
    settings = Settings(data_dir=str(tmp_path))
    key = engines.secret_key(settings)
    assert len(key) == 64
    assert engines.secret_key(settings) == key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [place.name for place in tmp_path.iterdir()] == ["secret_key"]


def test_a_key_of_the_settings_goes_first(tmp_path: Path):
    assert engines.secret_key(Settings(data_dir=str(tmp_path), secret_key="mine")) == "mine"


def test_two_processes_that_start_together_agree_on_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = Settings(data_dir=str(tmp_path))
    (tmp_path / "secret_key").write_text("of the other process")
    real, asked = Path.exists, iter([False])
    monkeypatch.setattr(
        Path, "exists", lambda self: next(asked, None) if self.name == "secret_key" else real(self)
    )
    assert engines.secret_key(settings) == "of the other process"
