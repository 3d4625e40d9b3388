"""All settings of the portal: one frozen dataclass, read once, and the only reader of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from catalog.errors import SettingsError

PREFIX = "WEFT_"


@dataclass(frozen=True)
class Settings:
    """Every field is read from `WEFT_<NAME>`; the defaults run the whole portal with no service."""

    data_dir: str = "var"
    """Folder for the database, indexes, tables and files of the embedded engines."""
    database_url: str = field(default="", repr=False)
    """`postgresql://<user>:<password>@<host>/<database>`, or another URL of SQLAlchemy; empty means SQLite in `data_dir`."""
    search_url: str = ""
    """`tantivy:<folder>`, or `elasticsearch+http://<host>:<port>/<prefix>` (also `+https`, and hosts separated by
    commas), where the portal's indexes begin with the prefix; empty means Tantivy in `data_dir`."""
    search_synonyms: str = ""
    """File of further synonyms for search: one group of words a line, between commas."""
    search_user: str = ""
    """User of Elasticsearch, who may manage the indexes that begin with the prefix."""
    search_password: str = field(default="", repr=False)
    """Password of that user; empty asks without one."""
    search_ca: str = ""
    """File with the certificates that Elasticsearch's is checked by; empty means the machine's."""
    search_shards: int = 1
    """Parts of the index in Elasticsearch; one is right below some million datasets."""
    search_replicas: int = 0
    """Copies of the index on other machines of the Elasticsearch cluster."""
    tables_url: str = ""
    """`lance:<folder>` for journal and serving copies, or `s3://<bucket>/<prefix>` for a journal that many machines
    share, each with serving copies of its own in `data_dir`; empty means Lance in `data_dir`."""
    tables_cache_mb: int = 20_000
    """Space in `data_dir` for files of a journal on S3, in MB; files used within the last quarter of an hour stay."""
    files_url: str = ""
    """`file:<folder>` or `s3://<bucket>/<prefix>` for uploaded, harvested and released files; empty means a folder
    in `data_dir`."""
    s3_endpoint: str = ""
    """Address of S3-compatible storage, such as `https://s3.example.gov`; empty means Amazon's of the region."""
    s3_region: str = "us-east-1"
    """Region of the buckets; most storage of one's own takes any."""
    s3_key: str = ""
    """Access key of the buckets; empty means what the machine has (`AWS_*` variables or its role)."""
    s3_secret: str = field(default="", repr=False)
    """Secret of the access key."""
    s3_bucket_in_host: bool = False
    """Ask `https://<bucket>.<endpoint>/` instead of `https://<endpoint>/<bucket>/`, as some providers demand."""
    redis_url: str = field(default="", repr=False)
    """`redis://<host>:<port>/<number>` (also `rediss://`) for jobs and the counts of calls, where the next two name
    nothing else; empty means no Redis."""
    queue_url: str = ""
    """`sqlite:<file>`; `postgresql://…`, the same as the database's address, or `redis://…`, for workers on many
    machines; `immediate:` to run jobs at once (tests); empty means `redis_url`, or else SQLite in `data_dir`."""
    limits_url: str = ""
    """Where the counts of calls are kept; `memory://` is right for exactly one web process, `redis://…` for any number;
    empty means `redis_url`, or else memory."""
    web_processes: int = 1
    """Number of web processes that the operator starts; more than one needs shared limits."""
    secret_key: str = field(default="", repr=False)
    """Signs sessions and encrypts sources' passwords; empty means a random key kept in `data_dir`."""
    site_url: str = ""
    """Public address of the portal without a slash at the end; empty means that of the request."""
    site_title_zh: str = "织 · 城市公共数据开放平台"
    site_title_en: str = "Weft city open data"
    time_zone: str = "Asia/Shanghai"
    """The city's time zone: pages show moments in it, and sources that name no zone are read in it."""
    secure_cookies: bool = False
    """Send cookies over HTTPS only; turn on wherever the portal is served over HTTPS."""
    trusted_proxies: int = 0
    """Number of reverse proxies in front whose `X-Forwarded-*` headers are believed."""
    limit_anonymous: str = "300/minute;20000/day"
    """Calls of the API without a key, by address: an office shares one, and a client of CKAN asks for each dataset."""
    limit_basic: str = "1200/minute;100000/day"
    """Calls of the API with a key of the plan `basic`."""
    limit_extended: str = "6000/minute;1000000/day"
    """Calls of the API with a key of the plan `extended`."""
    limit_sign_in: str = "10/minute;50/hour"
    """Attempts to sign in or to register, by address."""
    oidc_issuer: str = ""
    """Address of an OpenID provider where people may sign in, as its discovery document names it; empty means none."""
    oidc_name: str = ""
    """How people call that provider, such as `city single sign-on`; empty means its host."""
    oidc_client_id: str = ""
    """The portal's name at the provider."""
    oidc_client_secret: str = field(default="", repr=False)
    """The portal's secret at the provider; empty for a public client."""
    oidc_scopes: str = "openid profile email"
    """What the provider is asked for."""
    oidc_claims: str = ""
    """What claims make of people, as JSON or the path of a JSON file:
    `{"groups": {"ecology-publishers": {"organization": "ecology", "role": "publisher"}}}`."""
    oidc_link_email: bool = False
    """Let the provider's verified e-mail address take over the account that has the same one here."""
    oidc_private_hosts: str = ""
    """Comma-separated `host:port` of the provider, beside the issuer's own, that have private addresses."""
    smtp_url: str = field(default="", repr=False)
    """`smtp://user:password@host:port` (with STARTTLS where offered) or `smtps://…`; empty means that no mail is sent."""
    mail_from: str = ""
    """Sender of mails, such as `Open data <data@city.example>`."""
    max_body_bytes: int = 10_000_000
    """Largest request body, in bytes."""
    max_upload_bytes: int = 500_000_000
    """Largest file that somebody with a key may upload, in bytes."""
    max_fetch_bytes: int = 2_000_000_000
    """Largest file that a harvest may fetch, in bytes."""
    fetch_timeout_seconds: float = 30.0
    """Longest wait for a source's next bytes."""
    fetch_private_hosts: str = ""
    """Comma-separated `host:port` that harvests may reach although the address is private."""
    fetch_folders: str = ""
    """Folders (separated by `:`) that harvest sources may read files from; empty means none."""
    release_files_mb: int = 20_000
    """Space for releases as files, in MB; above it those that were used longest ago are let go."""
    query_timeout_seconds: float = 10.0
    """Longest time of one table query."""
    page_file_rows: int = 1_000_000
    """Most rows of one page of a table as CSV, JSON lines, Arrow or Parquet, which is sent while it is read; a page of
    JSON has at most 10,000."""
    query_memory_mb: int = 512
    """Memory that DuckDB may take in a process, in MB."""
    compare_memory_mb: int = 1_500
    """Memory that DuckDB may take while a worker compares or rewrites a whole table, in MB."""
    sql_timeout_seconds: float = 20.0
    """Longest time of one SQL statement; its child process is ended a second later."""
    sql_memory_mb: int = 512
    """Memory that DuckDB may take in the child process of an SQL statement, in MB."""
    sql_processes: int = 2
    """SQL statements that run at the same time, each in a child process; a caller has all of these but one."""
    sql_wait_seconds: float = 3.0
    """Longest wait for another SQL statement to end, before the caller is asked to come again."""
    sql_rows: int = 50_000
    """Most rows in the answer to an SQL statement; more are cut off, and the answer says so."""
    sql_answer_bytes: int = 32_000_000
    """Most bytes in the answer to an SQL statement."""
    sql_needs: str = ""
    """Means of the kernel without which no SQL is run, such as `landlock,seccomp`; empty: what there is will do."""
    sql_scan_anonymous: int = 500_000_000
    """Rows that an SQL statement without a key may read, in all its tables together."""
    sql_scan_basic: int = 1_000_000_000
    """Rows that an SQL statement with a key of the plan `basic` may read."""
    sql_scan_extended: int = 10_000_000_000
    """Rows that an SQL statement with a key of the plan `extended` may read."""
    limit_sql_anonymous: str = "10000000000/hour"
    """Rows that SQL statements without a key may read, by address; a statement counts as 100,000 at least."""
    limit_sql_basic: str = "50000000000/hour"
    """Rows that SQL statements with a key of the plan `basic` may read."""
    limit_sql_extended: str = "1000000000000/hour"
    """Rows that SQL statements with a key of the plan `extended` may read."""
    log_level: str = "INFO"

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:  # noqa: TID251 # this is the one reader
        """The settings that `env` names; an unknown or ill-typed `WEFT_*` raises SettingsError."""
        known = {one.name: one for one in fields(cls)}
        given: dict[str, object] = {}
        for key, text in env.items():
            if not key.startswith(PREFIX):
                continue
            name = key.removeprefix(PREFIX).lower()
            if name not in known:
                raise SettingsError("%(key)s is no setting of Weft", key=key)
            given[name] = _parse(key, text, str(known[name].type))
        return cls(**given).resolved()  # type: ignore[arg-type] # types were checked by _parse

    def resolved(self) -> Settings:
        """The same settings with every empty address filled in from `data_dir`, and checked."""
        base = Path(self.data_dir).absolute()
        filled = {
            "data_dir": str(base),
            "database_url": _with_driver(self.database_url)
            or f"sqlite:///{base / 'catalog.sqlite'}",
            "search_url": self.search_url or f"tantivy:{base / 'search'}",
            "tables_url": self.tables_url or f"lance:{base / 'tables'}",
            "files_url": self.files_url or f"file:{base / 'files'}",
            "queue_url": self.queue_url or self.redis_url or f"sqlite:{base / 'queue.sqlite'}",
            "limits_url": self.limits_url or self.redis_url or "memory://",
        }
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        whole = Settings(**{**values, **filled})
        whole.check()
        return whole

    @property
    def tables_folder(self) -> Path:
        """Where this machine has tables: all of them, or its copies and what it has fetched of a shared journal."""
        scheme, _, rest = self.tables_url.partition(":")
        return Path(self.data_dir) / "tables" if scheme == "s3" else Path(rest)

    @property
    def journal_url(self) -> str:
        """Where the files of the journal lie, for programs that read them without the portal."""
        if self.tables_url.startswith("s3:"):
            return f"{self.tables_url.rstrip('/')}/journal"
        return (self.tables_folder / "journal").absolute().as_uri()

    def check(self) -> None:
        """Refuse combinations that would give wrong answers."""
        if self.web_processes > 1 and self.limits_url.startswith("memory:"):
            raise SettingsError(
                "WEFT_WEB_PROCESSES is %(count)s, but limits are counted in memory: "
                "set WEFT_REDIS_URL to a Redis address or start one web process",
                count=self.web_processes,
            )
        if self.oidc_issuer and not self.oidc_client_id:
            raise SettingsError("WEFT_OIDC_ISSUER needs WEFT_OIDC_CLIENT_ID")
        if self.smtp_url and not (self.mail_from and self.site_url):
            raise SettingsError("WEFT_SMTP_URL needs WEFT_MAIL_FROM and WEFT_SITE_URL")


def _with_driver(url: str) -> str:
    """The address of a PostgreSQL database with the name of the driver that comes along."""
    scheme, found, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if found and scheme in ("postgresql", "postgres") else url


def _parse(key: str, text: str, kind: str) -> object:
    try:
        match kind:
            case "bool":
                return {"1": True, "true": True, "0": False, "false": False}[text.lower()]
            case "int":
                return int(text)
            case "float":
                return float(text)
    except (KeyError, ValueError) as error:
        raise SettingsError("%(key)s must be of type %(kind)s", key=key, kind=kind) from error
    return text
