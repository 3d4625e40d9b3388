"""Opens the engines that the settings name; the only importer of adapters."""

from __future__ import annotations

import secrets
from pathlib import Path

from flask import Flask

from catalog.errors import SettingsError
from catalog.files import FileStore, LocalFiles
from catalog.queue import ImmediateQueue, JobQueue
from catalog.search import SearchEngine, synonyms
from catalog.search.analysis import use_synonyms
from catalog.services.attempts import open_storage
from catalog.settings import Settings
from catalog.tabular.journal import Journal, LocalJournal
from catalog.tabular.store import TableStore


def init_app(app: Flask, settings: Settings) -> None:
    """Put the opened engines where the ports look for them: `app.extensions["weft"]`."""
    own = Path(settings.search_synonyms) if settings.search_synonyms else None
    use_synonyms(synonyms.read(own))
    app.extensions["weft"] = {
        "settings": settings,
        "search": open_search(settings.search_url, settings),
        "tables": open_tables(settings),
        "journal": open_journal(settings),
        "files": open_files(settings),
        "queue": open_queue(app, settings.queue_url),
        "limits": open_storage(app, settings.limits_url),
    }


def _address(name: str, url: str) -> tuple[str, str]:
    scheme, found, rest = url.partition(":")
    if not found:
        raise SettingsError("%(name)s: %(url)s has no scheme", name=name, url=url)
    return scheme, rest


def _unknown(name: str, scheme: str, known: str) -> SettingsError:
    return SettingsError(
        "%(name)s: unknown scheme %(scheme)s, use one of %(known)s",
        name=name,
        scheme=scheme,
        known=known,
    )


def open_search(url: str, settings: Settings | None = None) -> SearchEngine:
    """The search engine at `url`; `settings` say who asks it."""
    scheme, rest = _address("WEFT_SEARCH_URL", url)
    if scheme == "tantivy":
        from catalog.search.tantivy_engine import TantivyEngine

        return TantivyEngine(Path(rest))
    if scheme in ("elasticsearch+http", "elasticsearch+https"):
        from catalog.search.elastic_engine import ElasticEngine

        return ElasticEngine(url, settings or Settings())
    known = "tantivy:<folder>, elasticsearch+http://<host>:<port>/<prefix>"
    raise _unknown("WEFT_SEARCH_URL", scheme, known)


def open_tables(settings: Settings) -> TableStore:
    """The store of serving copies; a shared journal leaves them to each machine."""
    from catalog.tabular.lance_store import LanceStore

    scheme, _ = _address("WEFT_TABLES_URL", settings.tables_url)
    if scheme in ("lance", "s3"):
        return LanceStore(settings.tables_folder / "serving")
    raise _unknown("WEFT_TABLES_URL", scheme, "lance:<folder>, s3://<bucket>/<prefix>")


def open_journal(settings: Settings) -> Journal:
    """The journal's files."""
    scheme, _ = _address("WEFT_TABLES_URL", settings.tables_url)
    if scheme != "s3":
        return LocalJournal(settings.tables_folder / "journal")
    from catalog.bucket import Bucket
    from catalog.tabular.s3_journal import S3Journal

    return S3Journal(
        Bucket.at("WEFT_TABLES_URL", settings.journal_url, settings),
        settings.tables_folder / "cache",
        most_bytes=settings.tables_cache_mb * 1_000_000,
    )


def open_files(settings: Settings) -> FileStore:
    """The file store."""
    scheme, rest = _address("WEFT_FILES_URL", settings.files_url)
    match scheme:
        case "file":
            return LocalFiles(Path(rest))
        case "s3":
            from catalog.bucket import Bucket
            from catalog.files.s3_store import S3Files

            bucket = Bucket.at("WEFT_FILES_URL", settings.files_url, settings)
            return S3Files(bucket, Path(settings.data_dir) / "scratch")
    raise _unknown("WEFT_FILES_URL", scheme, "file:<folder>, s3://<bucket>/<prefix>")


def open_queue(app: Flask, url: str) -> JobQueue:
    """The job queue at `url`."""
    scheme, rest = _address("WEFT_QUEUE_URL", url)
    match scheme:
        case "immediate":
            return ImmediateQueue()
        case "sqlite":
            from catalog.queue.huey_queue import HueyQueue

            return HueyQueue.sqlite(app, Path(rest))
        case "postgresql" | "postgresql+psycopg":
            from catalog.queue.huey_queue import HueyQueue

            return HueyQueue.postgresql(app, url)
        case "redis" | "rediss":
            from catalog.queue.huey_queue import HueyQueue

            return HueyQueue.redis(app, url)
    raise _unknown("WEFT_QUEUE_URL", scheme, "sqlite:<file>, postgresql://…, redis://…, immediate:")


def secret_key(settings: Settings) -> str:
    """The key of the settings, or one made once and kept in the data folder, readable by its owner only."""
    if settings.secret_key:
        return settings.secret_key
    file = Path(settings.data_dir) / "secret_key"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f".secret_key-{secrets.token_hex(4)}")
        beside.touch(mode=0o600)
        beside.write_text(secrets.token_hex(32))
        try:
            file.hardlink_to(beside)  # fails if another process was first: then its key is used
        except FileExistsError:
            pass
        finally:
            beside.unlink()
    return file.read_text()


def take_key(folder: Path, settings: Settings) -> None:
    """Take over the key that the portal of a folder has made, so that what it sealed can still be opened.

    Raises SettingsError if the settings have another one, or none although that portal was given its own.
    """
    made, own = folder / "secret_key", Path(settings.data_dir) / "secret_key"
    if not made.exists():
        if not settings.secret_key:
            raise SettingsError("WEFT_SECRET_KEY must be that of the portal that is moved")
        return
    if not settings.secret_key and not own.exists():
        own.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        own.touch(mode=0o600)
        own.write_text(made.read_text())
    if secret_key(settings) != made.read_text():
        raise SettingsError(
            "the portal that is moved has another key than WEFT_SECRET_KEY: it is in %(file)s",
            file=made,
        )
