"""What is Elasticsearch's own: addresses, rebuilds beside writers, other versions, outages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from elasticsearch import Elasticsearch

from catalog.engines import open_search
from catalog.errors import SettingsError, Unavailable
from catalog.search import Document, SearchQuery
from catalog.search import elastic_client as client_module
from catalog.search import elastic_indexes as indexes_module
from catalog.search.elastic_client import Address
from catalog.search.elastic_engine import ElasticEngine
from catalog.settings import Settings
from tests.make_document import make_document
from tests.make_elastic import ElasticServer
from tests.make_server import make_server, plain


@pytest.fixture
def engine(elastic: ElasticServer) -> ElasticEngine:
    return another(elastic.make_url())


def another(url: str) -> ElasticEngine:
    """The engine of another process at the same address."""
    made = open_search(url, Settings())
    assert isinstance(made, ElasticEngine)
    return made


def found(engine: ElasticEngine, text: str = "") -> list[str]:
    return sorted(hit.id for hit in engine.search(SearchQuery(text)).hits)


def indexes(elastic: ElasticServer, engine: ElasticEngine) -> list[str]:
    """The names of the indexes that there are for this engine."""
    with Elasticsearch(f"http://{elastic.address}") as client:
        return sorted(client.indices.get(index=f"{engine._indexes.alias}*").body)


def test_hosts_get_the_port_of_their_scheme() -> None:
    settings = Settings(search_ca="/etc/ca.pem", search_user="weft", search_password="secret")
    secure = Address.at("elasticsearch+https://one,two:9201,[::1]/weft", settings)
    assert secure.hosts == ("https://one:443", "https://two:9201", "https://[::1]:443")
    assert secure.prefix == "weft"
    assert secure.options["ca_certs"] == "/etc/ca.pem"
    assert secure.options["basic_auth"] == ("weft", "secret")
    assert "secret" not in repr(secure)
    assert "secret" not in repr(settings)
    plain_one = Address.at("elasticsearch+http://one/weft", Settings(search_ca="/etc/ca.pem"))
    assert plain_one.hosts == ("http://one:9200",)
    assert "ca_certs" not in plain_one.options


@pytest.mark.parametrize(
    "url",
    [
        "elasticsearch+http://one:9200",
        "elasticsearch+http://one:9200/",
        "elasticsearch+http:///weft",
        "elasticsearch+http://one:9200/Weft",
        "elasticsearch+http://one:9200/a/b",
        "elasticsearch+ftp://one/weft",
    ],
)
def test_an_address_that_is_none_is_refused_with_what_one_looks_like(url: str) -> None:
    with pytest.raises(SettingsError, match=r"elasticsearch\+http://<host>:<port>/<prefix>"):
        Address.at(url, Settings())


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError, match="WEFT_SEARCH_PASSWORD") as refusal:
        open_search("elasticsearch+https://weft:secret@one/weft", Settings())
    assert "secret" not in str(refusal.value)


def test_the_user_and_the_password_are_sent() -> None:
    product = {"X-Elastic-Product": "Elasticsearch"}
    with make_server({"/weft-v*": plain(b"{}", headers=product)}) as served:
        settings = Settings(search_user="weft", search_password="secret")
        engine = open_search(f"elasticsearch+http://{served.host}/weft", settings)
        engine.delete(["nothing is there"])
    headers = {name.lower(): value for name, value in served.asked[0][2].items()}
    assert headers["authorization"] == "Basic d2VmdDpzZWNyZXQ="


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(401, "refuses the portal's user"), (403, "refuses"), (503, "cannot work"), (429, "cannot")],
)
def test_a_server_that_refuses_is_unavailable_with_the_reason(status: int, sentence: str) -> None:
    product = {"X-Elastic-Product": "Elasticsearch"}
    with make_server({"/weft-v*": plain(b"{}", status=status, headers=product)}) as served:
        engine = open_search(f"elasticsearch+http://{served.host}/weft", Settings())
        with pytest.raises(Unavailable, match=sentence):
            engine.ids()


def test_an_older_document_does_not_replace_a_newer_one(engine: ElasticEngine) -> None:
    new = replace(make_document(en="New"), version=2)
    engine.put([new])
    engine.put([replace(make_document(en="Old"), version=1), make_document("2")])
    assert (found(engine, "new"), found(engine, "old")) == (["1"], [])
    engine.put([replace(make_document(en="Newer"), version=3), replace(new, version=2)])
    assert (found(engine, "newer"), found(engine)) == (["1"], ["1", "2"])


def test_writers_of_one_document_at_a_time_end_with_the_newest(engine: ElasticEngine) -> None:
    engine.put([make_document("other")])

    def write(version: int) -> None:
        document = make_document(en=f"Number{version}")
        another_one.put([replace(document, version=version)])

    another_one = engine
    threads = [threading.Thread(target=write, args=(version,)) for version in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found(engine, "number4") == ["1"]
    assert found(engine) == ["1", "other"]


def test_what_is_written_and_deleted_during_a_rebuild_counts(
    elastic: ElasticServer, engine: ElasticEngine
) -> None:
    engine.put([make_document(id_) for id_ in ("kept", "changed", "deleted", "back")])
    other = another(f"elasticsearch+http://{elastic.address}/{engine._indexes.alias}")

    def documents() -> Iterator[Document]:
        # What the rebuild has read from the database before others changed it.
        read = [make_document(id_) for id_ in ("kept", "changed", "deleted", "back")]
        other.put([replace(make_document("changed", en="Changed"), version=1)])
        other.delete(["deleted", "back", "unknown"])
        other.put([make_document("back", en="Restored"), make_document("new")])
        yield from read
        assert found(engine) == ["back", "changed", "kept", "new"]

    engine.rebuild(documents())
    assert found(engine) == ["back", "changed", "kept", "new"]
    assert found(engine, "changed") == ["changed"]
    assert found(engine, "restored") == ["back"]
    assert engine.ids() == {"back", "changed", "kept", "new"}
    assert len(indexes(elastic, engine)) == 1


def test_two_rebuilds_do_not_get_in_each_others_way(
    elastic: ElasticServer, engine: ElasticEngine
) -> None:
    engine.put([make_document("old")])

    def documents() -> Iterator[Document]:
        yield make_document("first")
        with pytest.raises(Unavailable, match="another process"):
            engine.rebuild([make_document("second")])

    engine.rebuild(documents())
    assert found(engine) == ["first"]
    assert len(indexes(elastic, engine)) == 1


def test_a_rebuild_that_died_is_replaced_and_one_that_slept_does_not_come_back(
    elastic: ElasticServer, engine: ElasticEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.put([make_document("old")])
    monkeypatch.setattr(indexes_module, "DEAD_SECONDS", -1.0)

    def documents() -> Iterator[Document]:
        yield make_document("first")
        engine.rebuild([make_document("second")])

    with pytest.raises(Unavailable, match="another process"):
        engine.rebuild(documents())
    assert found(engine) == ["second"]
    assert len(indexes(elastic, engine)) == 1


def test_a_long_rebuild_says_that_it_lives(
    engine: ElasticEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes_module, "BEAT_SECONDS", -1.0)
    monkeypatch.setattr("catalog.search.elastic_lines.REQUEST_BYTES", 1)
    engine.rebuild(make_document(str(n)) for n in range(10))
    assert len(found(engine)) == 10


def test_an_index_of_another_version_answers_until_it_is_rebuilt(
    elastic: ElasticServer, engine: ElasticEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(indexes_module, "VERSION", "0")
        engine.put([make_document("old")])
    with pytest.raises(Unavailable, match="another version"):
        engine.stamps()
    with pytest.raises(Unavailable, match="another version"):
        engine.put([make_document("new")])
    assert found(engine) == ["old"]

    def documents() -> Iterator[Document]:
        engine.put([make_document("new")])  # goes to the index that is being filled
        yield make_document("old")
        assert found(engine) == ["old"]

    engine.rebuild(documents())
    assert found(engine) == ["new", "old"]
    assert len(indexes(elastic, engine)) == 1
    assert engine.stamps() == {"old": "", "new": ""}


def test_many_documents_are_sent_in_several_requests(
    engine: ElasticEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.search.elastic_lines.REQUEST_BYTES", 2000)
    engine.put(make_document(str(n)) for n in range(20))
    assert len(found(engine)) == 20
    monkeypatch.setattr("catalog.search.elastic_engine.WALKED", 7)
    assert engine.ids() == {str(n) for n in range(20)}
    engine.delete(str(n) for n in range(19))
    assert found(engine) == ["19"]


def test_while_the_server_is_down_nobody_waits_and_then_it_is_found_again(
    elastic: ElasticServer, engine: ElasticEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "PAUSE_SECONDS", 3600.0)
    patient = another(f"elasticsearch+http://{elastic.address}/{engine._indexes.alias}")
    engine.put([make_document("kept")])
    elastic.stop()
    try:
        for _ in range(3):
            with pytest.raises(Unavailable, match="does not answer"):
                engine.search(SearchQuery())
        with pytest.raises(Unavailable, match="does not answer"):
            engine.put([make_document("lost")])
        with pytest.raises(Unavailable, match="does not answer"):
            patient.rebuild([make_document("lost")])
        assert patient._caller.breaker.is_open
    finally:
        elastic.start()
    with pytest.raises(Unavailable):
        patient.search(SearchQuery())  # its pause has not ended
    recovered = another(f"elasticsearch+http://{elastic.address}/{engine._indexes.alias}")
    assert found(recovered) == ["kept"]
    recovered.put([make_document("new")])
    assert found(recovered) == ["kept", "new"]
