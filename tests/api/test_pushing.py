"""What departments' programs send: records and rows in batches, each batch once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.errors import Invalid
from catalog.models.dataset import Dataset
from catalog.models.vocabulary import MemberRole
from catalog.permissions import SCHEDULER
from harvesters import operating, pushing, runs, services
from harvesters.harvester import Source
from harvesters.models import HarvestRun
from harvesters.registry import harvester_of
from tests.make_ckan import make_app, make_key
from tests.make_source import make_source

COLUMNS = [{"name": "id", "type": "integer"}, {"name": "name"}]


class Sender:
    """A department's program."""

    def __init__(self, client: FlaskClient, keys: dict[str, str]) -> None:
        self.client, self.keys = client, keys
        self.batches = 0

    def ask(
        self, path: str, status: int = 200, who: str = "publisher", lang: str = "en", **body: Any
    ) -> Any:
        """Send it, under a new name if it has none."""
        self.batches += 1
        answer = self.client.open(
            f"/api/v1/sources/{path}",
            method="POST" if body else "GET",
            query_string={"lang": lang},
            json={"batch": f"b{self.batches}", **body} if body else None,
            headers={"Authorization": f"Bearer {self.keys[who]}"},
        )
        assert answer.status_code == status, answer.text
        return answer.json

    def send(self, slug: str, *records: Any, **more: Any) -> Any:
        """Send records."""
        return self.ask(f"{slug}/records", records=list(records), **more)


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sender]:
    with make_app(tmp_path_factory.mktemp("pushing")) as app:
        for slug in ("parks", "lists", "rows", "gone"):
            make_source("push", "https://parks.example.org", slug)
        make_source("files", "/nowhere", "files")
        keys = {
            "editor": make_key("bureau", name="editor"),
            "publisher": make_key("bureau", name="publisher", member=MemberRole.PUBLISHER),
        }
        yield Sender(app.test_client(), keys)


def one(key: str, title: str = "", **more: Any) -> dict[str, Any]:
    """A record."""
    return {"key": key, "dataset": {"title": title or f"公园 {key}", **more}}


def seen(what: Any, key: str) -> list[Any]:
    """A field of the datasets with the key, as it is now."""
    db.session.rollback()  # what other sessions wrote since
    return list(db.session.scalars(select(what).where(Dataset.record_key == key)))


def runs_of(slug: str) -> list[HarvestRun]:
    """The runs of a source, as they are now."""
    db.session.rollback()
    return services.runs(SCHEDULER, services.source(SCHEDULER, slug).id, limit=50)


def public(slug: str) -> set[str]:
    """Keys of the datasets of a source that are public."""
    db.session.rollback()
    source = services.source(SCHEDULER, slug)
    found = db.session.scalars(
        select(Dataset.record_key).where(
            Dataset.source_id == source.id, Dataset.state == "published"
        )
    )
    return {key for key in found if key}


def test_records_are_taken_each_for_itself_and_wrong_ones_are_named(sender: Sender) -> None:
    wrong = one("w", license="nobody knows it")
    broken = {"key": "x", "dataset": "no description"}
    answer = sender.send("parks", one("a"), one("b"), wrong, broken, {"dataset": {}})
    counts = {name: answer[name] for name in ("seen", "created", "refused", "repeated")}
    assert counts == {"seen": 5, "created": 2, "refused": 3, "repeated": False}
    assert [problem["key"] for problem in answer["problems"]] == ["w", "x", ""]
    assert "license" in answer["problems"][0]["problems"]
    assert answer["problems"][2]["detail"] == "the record has no key"
    assert public("parks") == {"a", "b"}
    run = runs_of("parks")[0]
    assert (run.id, run.state, run.created, run.refused) == (answer["run"], "done", 2, 3)
    assert seen(Dataset.title, "a") == [{"zh": "公园 a"}]


def test_a_refused_record_that_is_to_be_private_is_not_shown_to_everybody(sender: Sender) -> None:
    wrong = {"license": "nobody knows it"}
    answer = sender.send("parks", one("v", **wrong), one("w", "内部", private=True, **wrong))
    db.session.rollback()
    kept = {found.key: found.raw for found in services.records(SCHEDULER, answer["run"])}
    assert "公园 v" in kept["v"]
    assert kept["w"] == ""
    assert "内部" in operating.explain(SCHEDULER, "parks", "w").raw


def test_the_same_batch_again_changes_nothing_and_another_one_of_its_name_is_refused(
    sender: Sender,
) -> None:
    first = sender.send("parks", one("c"), batch="night 1")
    assert first["created"] == 1
    sender.send("parks", one("c", "另一个名字"))
    before = len(runs_of("parks"))
    again = sender.send("parks", one("c"), batch="night 1")
    assert again == {**first, "repeated": True}
    assert sender.ask("parks/batches/night 1") == again
    assert seen(Dataset.title, "c") == [{"zh": "另一个名字"}]
    assert len(runs_of("parks")) == before
    assert sender.send("parks", one("d"), batch="night 1", status=409)["code"] == "conflict"
    assert sender.ask("parks/batches/night 2", 404)["code"] == "not_found"


def test_a_batch_that_comes_twice_at_the_same_moment_is_kept_once(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sender.send("parks", one("e"), batch="twice")
    known = pushing._known
    looks = iter([lambda *_: None, known])  # it was not there when the second one looked first
    monkeypatch.setattr(pushing, "_known", lambda *given: next(looks)(*given))
    assert sender.send("parks", one("e"), batch="twice") == {**first, "repeated": True}


def test_the_end_of_a_full_list_withdraws_what_no_batch_of_it_had(sender: Sender) -> None:
    sender.send("lists", *(one(str(number)) for number in range(6)))
    sender.send("lists", one("0"), one("1"), one("2"), list="l1")
    assert sender.send("lists", one("3"), one("6"), list="l1", end=True)["retired"] == 2
    assert public("lists") == {"0", "1", "2", "3", "6"}
    few = sender.send("lists", one("0"), list="l2", end=True)
    assert (few["retired"], len(few["notes"])) == (0, 1)
    assert "4 of 5 datasets vanished" in few["notes"][0]
    assert len(public("lists")) == 5
    assert sender.send("lists", end=True, status=422)["problems"]["list"]


def test_a_record_that_is_said_to_be_gone_is_withdrawn_and_can_come_back(sender: Sender) -> None:
    sender.send("gone", one("g"))
    ids = seen(Dataset.id, "g")
    assert sender.send("gone", {"key": "g", "gone": True})["retired"] == 1
    assert public("gone") == set()
    assert sender.send("gone", one("g"))["changed"] == 1
    assert (public("gone"), seen(Dataset.id, "g")) == ({"g"}, ids)


def test_rows_come_by_their_key_and_the_first_make_the_table(sender: Sender) -> None:
    sender.send("rows", one("r", resources=[{"key": "data", "title": "行", "load": {"part": {}}}]))
    rows = [{"id": number, "name": f"行 {number}"} for number in range(3)]
    sender.ask("rows/rows", 422, dataset="r", records=rows)
    made = sender.ask("rows/rows", dataset="r", records=rows, columns=COLUMNS, primary_key=["id"])
    assert (made["inserted"], made["rows"]) == (3, 3)
    sent = {"dataset": "r", "records": [{"id": 1, "name": "其他"}], "delete": [{"id": 2}]}
    changed = sender.ask("rows/rows", batch="r2", **sent)
    assert (changed["updated"], changed["deleted"], changed["rows"]) == (1, 1, 2)
    assert sender.ask("rows/rows", batch="r2", **sent) == {**changed, "repeated": True}
    wrong = sender.ask("rows/rows", 422, dataset="r", records=[{"id": "no number"}])
    assert "0" in wrong["problems"]
    found = runs_of("rows")
    assert [run.state for run in found[:2]] == ["failed", "done"]
    assert found[1].notes[0]["context"]["updated"] == 1
    sender.ask("rows/rows", 422, dataset="r", reason="nothing")
    sender.ask("rows/rows", 404, dataset="other", records=rows)


def test_only_publishers_send_and_only_to_sources_that_are_sent_to(sender: Sender) -> None:
    assert sender.send("parks", one("z"), who="editor", status=403)["code"] == "denied"
    assert sender.send("files", one("z"), status=409)["code"] == "conflict"
    db.session.rollback()
    source = services.source(SCHEDULER, "parks")
    with transaction():
        waiting = runs.ask(source, "somebody")
    assert sender.send("parks", one("z"), status=503)["code"] == "unavailable"
    lease = runs.claim(waiting.id)
    assert lease is not None
    runs.end(lease, {}, None, [])
    assert sender.send("parks", one("z"))["created"] == 1


def test_a_run_of_a_source_that_is_sent_says_how_its_records_come(sender: Sender) -> None:
    db.session.rollback()
    services.run_now(SCHEDULER, services.source(SCHEDULER, "parks").id)
    found = runs_of("parks")[0]
    assert (found.state, "nothing to fetch" in found.problem["message"]) == ("failed", True)
    with pytest.raises(Invalid, match="nothing to fetch"):
        harvester_of("push").content(Source("https://x.example"), None, {}, None)  # type: ignore[arg-type] # nothing is used


def test_a_number_that_no_database_holds_is_refused_with_its_record(sender: Sender) -> None:
    """It stands in what the batch is known by, too."""
    dataset = {"title": "Parks", "extras": {"area": 10**30}}
    taken = sender.send("lists", {"key": "large", "dataset": dataset})
    assert taken["refused"] == 1
    assert list(taken["problems"][0]["problems"]) == ["extras"]
