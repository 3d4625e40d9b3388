"""Buckets: addresses, keys and what the server refuses."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from catalog import engines
from catalog.bucket import Bucket
from catalog.errors import SettingsError, Unavailable
from catalog.files.s3_store import S3Files
from catalog.services import health
from catalog.settings import Settings
from catalog.tabular.s3_journal import S3Journal
from tests.make_s3 import SECRET, S3Server
from wsgi import create_app


@pytest.mark.parametrize("url", ["s3:bucket", "s3://", "s3:///prefix"])
def test_an_address_without_a_bucket_is_refused_with_the_name_of_the_setting(url: str):
    with pytest.raises(SettingsError, match="WEFT_FILES_URL must be s3://<bucket>/<prefix>"):
        engines.open_files(Settings(files_url=url))


def test_the_settings_open_files_and_journal_in_a_bucket(s3: S3Server, tmp_path: Path):
    url = f"s3://{s3.make_bucket()}/weft"
    settings = s3.settings(data_dir=str(tmp_path), files_url=url, tables_url=url)
    files = engines.open_files(settings)
    journal = engines.open_journal(settings)
    assert isinstance(files, S3Files)
    assert isinstance(journal, S3Journal)
    files.put("a.csv", b"a")
    source = tmp_path / "source"
    source.write_bytes(b"b")
    added = journal.add("t1", 1, source)
    assert sorted(one.key for one in s3.open(url).listed()) == ["a.csv", f"journal/{added.path}"]
    assert engines.open_tables(settings).served("t1") == 0


def test_a_wrong_secret_is_unavailable_and_never_written_to_the_log(
    s3: S3Server, caplog: pytest.LogCaptureFixture
):
    settings = replace(s3.settings(), s3_secret="a wrong secret")
    bucket = Bucket.at("x", f"s3://{s3.make_bucket()}", settings)
    with caplog.at_level(logging.DEBUG), pytest.raises(Unavailable) as refused:
        bucket.get("a")
    assert "403" in caplog.text
    for text in (caplog.text, str(refused.value), repr(settings), repr(s3.settings())):
        assert "a wrong secret" not in text
        assert SECRET not in text


def test_a_bucket_that_does_not_exist_is_unavailable(s3: S3Server):
    bucket = s3.open("s3://nobody-made-this")
    for ask in (bucket.check, lambda: bucket.send("a", b"1"), lambda: list(bucket.listed())):
        with pytest.raises(Unavailable):
            ask()


def test_the_portal_says_that_its_bucket_is_away(s3: S3Server, tmp_path: Path):
    settings = s3.settings(data_dir=str(tmp_path), queue_url="immediate:")
    there, away = f"s3://{s3.make_bucket()}/weft", "s3://nobody-made-this/weft"
    for url, named in ((there, set()), (away, {"files", "tables"})):
        app = create_app(replace(settings, files_url=url, tables_url=url))
        with app.app_context():
            assert set(health.troubles()) & {"files", "tables"} == named


def test_the_name_of_the_bucket_can_stand_in_the_host(
    s3: S3Server, caplog: pytest.LogCaptureFixture
):
    settings = Settings(
        s3_endpoint="http://127.0.0.1.invalid:1/", s3_bucket_in_host=True, s3_key="k", s3_secret="s"
    )
    with caplog.at_level(logging.WARNING), pytest.raises(Unavailable):
        Bucket.at("x", "s3://city/weft", settings).get("a")
    assert "http://city.127.0.0.1.invalid:1/weft/a" in caplog.text
