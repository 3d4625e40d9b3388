"""The format `yaml`: AWS's registry, and folders with other names of fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalog.errors import NotFound, Unreadable
from catalog.schemas.drafts import DatasetDraft
from harvesters.formats.yaml_folder import YAMLFolder
from harvesters.harvester import Files
from harvesters.http import Http
from tests.make_server import Served, plain
from tests.make_source import drafts, opened

FORMAT = YAMLFolder()
REGISTRY = """
Name: Mangroves
Description: |
  Where they *grow*
Documentation: See https://docs.example/a, https://b.example
Contact: "[Desk](https://desk.example/)"
ManagedBy: "[Pacific Community](https://spc.example/)"
UpdateFrequency: Not updated
Tags: [environmental, climate, climate]
License: "[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/)"
Citation: To be cited
DeprecatedNotice: Do not use
Resources:
- {Description: Data, ARN: "arn:aws:s3:::deep-data/v1/x", Region: us-west-2, Type: S3 Bucket}
- {Description: "[Browse](https://x.example)", ARN: "arn:aws:s3:::deep-data", Type: S3 Bucket}
- {Description: News, ARN: "arn:aws:sns:us-west-2:1:new", Region: us-west-2, Type: SNS Topic}
- {Description: Web, Host: d1.cloudfront.example, Type: CloudFront Distribution}
"""


def described(http: Http, folder: Path, text: str, **options: Any) -> DatasetDraft:
    (folder / "A_b.yaml").write_text(text, "utf-8")
    (folder / "README.md").write_text("no dataset")
    return drafts(FORMAT, str(folder), http, **options)["A_b"]


def test_a_dataset_of_the_registry(http: Http, folder: Path) -> None:
    draft = described(http, folder, REGISTRY)
    assert (draft.slug, draft.title) == ("a-b", {"en": "Mangroves"})
    assert (draft.description, draft.notice) == ({"en": "Where they *grow*"}, {"en": "Do not use"})
    assert (draft.license, draft.frequency) == ("CC-BY-4.0", "never")
    assert (draft.tags, draft.themes) == (("environmental", "climate"), ("environment",))
    assert (draft.landing_page, draft.contact) == ("https://docs.example/a", "Desk")
    assert draft.details == {
        "publisher": {"name": "Pacific Community", "url": "https://spc.example/"},
        "contact_point": {"url": "https://desk.example/"},
    }
    assert draft.extras == {"Citation": "To be cited", "publisher": "Pacific Community"}
    assert [(one.format, one.url) for one in draft.resources] == [
        ("S3", "https://deep-data.s3.us-west-2.amazonaws.com/v1/x"),
        ("S3", "https://deep-data.s3.amazonaws.com/"),
        ("SNS-TOPIC", ""),
        ("CLOUDFRONT-DISTRIBUTION", "https://d1.cloudfront.example/"),
    ]


def test_fields_may_have_other_names(http: Http, folder: Path) -> None:
    text = """
titre: Arbres
date: 2024-05-31
fichiers: [{nom: Tout, lien: "https://a.example/a.csv", genre: csv}]
Contact: desk@a.example
UpdateFrequency: when the moon is full
ManagedBy: https://office.example/
"""
    names = {
        "title": "titre", "issued": "date", "resources": "fichiers", "resource_title": "nom",
        "resource_url": "lien", "resource_format": "genre",
    }  # fmt: skip
    draft = described(http, folder, text, language="fr", names=names, load_files=True)
    assert (draft.title, str(draft.issued)[:10]) == ({"fr": "Arbres"}, "2024-05-31")
    assert (draft.contact, draft.license) == ("desk@a.example", "notspecified")
    assert draft.details == {"contact_point": {"email": "desk@a.example"}}
    assert draft.extras == {"updates": "when the moon is full"}
    assert draft.resources[0].load["part"] == {"url": "https://a.example/a.csv"}


def test_a_file_that_cannot_be_read_is_a_record_with_its_error(http: Http, folder: Path) -> None:
    (folder / "a.yml").write_text("- a\n- b\n")
    (found,) = FORMAT.records(opened(FORMAT, str(folder)), http)
    assert isinstance(found.error, Unreadable)


def test_a_missing_folder(http: Http, folder: Path) -> None:
    (folder / "a.yml").write_text("a: b")
    with pytest.raises(NotFound):
        list(FORMAT.records(opened(FORMAT, str(folder / "a.yml")), http))


def test_linked_files_may_be_fetched(server: Served, http: Http, tmp_path: Path) -> None:
    server.behaviours["/a.csv"] = plain(b"x\n1\n")
    source = opened(FORMAT, "/unused")
    content = FORMAT.content(source, http, {"part": {"url": f"{server.url}/a.csv"}}, tmp_path)
    assert isinstance(content, Files)
    assert content.paths[0].read_text() == "x\n1\n"
