"""Catalogues in other languages: CKAN, Socrata, data.json, DCAT, JKAN, ISO records, Amazon's registry."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import orjson

from bench.entry import REAL, Entry, Texts, loaded, packed, plain
from harvesters.terms import texts_of


def _ckan() -> Iterator[Entry]:
    for file in sorted((REAL / "ckan-dados-gov-br").glob("*.json.gz")):
        for package in orjson.loads(gzip.decompress(file.read_bytes()))["result"]["results"]:
            yield _package(f"br:{package['name']}", package, "pt")


def _humanitarian() -> Iterator[Entry]:
    for _, content in packed("hdx-fixtures/fixtures.tar.gz", "dataset_search_results.yaml"):
        for package in loaded(content)["results"]:
            yield _package(f"hdx:{package['name']}", package, "en")


def _package(key: str, package: dict[str, Any], language: str) -> Entry:
    return Entry(
        key=key,
        title={language: package["title"]},
        description={language: plain(package.get("notes"))},
        organization=(package.get("organization") or {}).get("title") or "",
        tags=tuple(str(tag["name"]) for tag in package.get("tags", ())),
        modified=str(package.get("metadata_modified") or ""),
        files=tuple(
            (str(part.get("name") or ""), str(part.get("format") or ""))
            for part in package.get("resources") or ()
        ),
    )


def _socrata() -> Iterator[Entry]:
    for file in sorted((REAL / "socrata-catalog").glob("*.jsonl.gz")):
        domain = file.name.removesuffix(".jsonl.gz")
        for line in gzip.decompress(file.read_bytes()).splitlines():
            record = orjson.loads(line)
            resource = record["resource"]
            kinds = record["classification"]
            yield Entry(
                key=f"socrata:{domain}/{resource['id']}",
                title={"en": resource["name"]},
                description={"en": plain(resource["description"])},
                organization=resource["attribution"] or domain,
                tags=(*kinds["domain_tags"], kinds.get("domain_category") or ""),
                modified=resource["updatedAt"],
                files=(("", "CSV"),),
                columns=tuple((name, {}) for name in resource["columns_name"]),
            )


def _data_json() -> Iterator[Entry]:
    """The newest harvest of each county's, city's and state's portal."""
    files = sorted((REAL / "us-datajson-portals" / "arcgis-hub").glob("*.json.gz"))
    newest = {file.name.split("_")[0]: file for file in files}
    for portal, file in newest.items():
        for body in json.loads(gzip.decompress(file.read_bytes()))["dataset"]:
            yield Entry(
                key=f"us:{portal}/{str(body['identifier']).rsplit('/', 1)[-1]}",
                title={"en": plain(body["title"])},
                description={"en": plain(body.get("description"))},
                organization=(body.get("publisher") or {}).get("name") or "",
                tags=tuple(str(word) for word in body.get("keyword", ())),
                modified=str(body.get("modified") or ""),
                files=tuple(
                    (str(part.get("title") or ""), str(part.get("format") or ""))
                    for part in body.get("distribution", ())
                ),
            )


def _belgium() -> Iterator[Entry]:
    """Datasets of data.gov.be, read line by line: the files have one statement a line, and RDF readers take minutes."""
    found: list[tuple[str, dict[str, str]]] = []
    names: dict[str, str] = {}
    for file in sorted((REAL / "belgium-dcat-ap").glob("page-*.ttl.gz")):
        subject = ""
        parts: dict[str, str] = {}
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                if start := _SUBJECT.match(line):
                    subject, parts = start[1], {}
                    if "dcat#Dataset>" in start[2]:
                        found.append((subject, parts))
                elif statement := _STATEMENT.match(line):
                    parts.setdefault(statement[1], statement[2])
                    if statement[1] == "name":
                        names[subject] = statement[2]
    used: set[str] = set()
    for iri, parts in found:
        name = iri.rstrip("/").rsplit("/", 1)[-1]
        key = iri.split("://", 1)[-1] if name in used else name
        used.add(key)
        publisher = names.get(parts.get("publisher", "").strip(" <>;."), "")
        yield Entry(
            key=f"be:{key}",
            title=_literals(parts.get("title", "")),
            description={
                tag: text
                for tag, text in _literals(parts.get("description", "")).items()
                if "-t-" not in tag
            },
            organization=" / ".join(_literals(publisher).values()),
            tags=tuple(dict.fromkeys(text for text, _ in _pairs(parts.get("keyword", "")))),
            modified="".join(text for text, _ in _pairs(parts.get("modified", ""))[:1]),
        )


_SUBJECT = re.compile(r"<([^>]+)> a (.+)")
_STATEMENT = re.compile(
    r"    <http[^>]*[/#](title|description|keyword|modified|publisher|name)> (.+)"
)
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"(?:@([A-Za-z0-9-]+))?')


def _pairs(statement: str) -> list[tuple[str, str]]:
    """Texts with their language tags."""
    return [
        (text.replace('\\"', '"').replace("\\n", "\n").replace("\\r", ""), tag)
        for text, tag in _LITERAL.findall(statement)
    ]


def _literals(statement: str) -> Texts:
    return texts_of([(tag, plain(text)) for text, tag in _pairs(statement)], "mul")


def _amazon() -> Iterator[Entry]:
    for path, content in packed("aws-open-data-registry/datasets-yaml.tar.gz", ".yaml"):
        body = loaded(content)
        yield Entry(
            key=f"aws:{Path(path).stem}",
            title={"en": str(body["Name"])},
            description={"en": plain(body.get("Description"))},
            organization=str(body.get("ManagedBy") or ""),
            tags=tuple(str(tag) for tag in body.get("Tags") or ()),
            files=tuple(
                (str(part.get("Description") or "")[:200], "API")
                for part in body.get("Resources") or ()
            ),
        )


def _philadelphia() -> Iterator[Entry]:
    for path, content in packed("philadelphia-jkan/jkan.tar.gz", ".md"):
        if not path.startswith("_datasets/"):
            continue
        body = loaded(content.decode("utf-8").split("\n---", 1)[0])
        yield Entry(
            key=f"phl:{Path(path).stem}",
            title={"en": str(body.get("title") or "")},
            description={"en": plain(body.get("notes"))},
            organization=str(body.get("organization") or ""),
            tags=tuple(str(tag) for tag in body.get("tags") or ()),
            modified=str(body.get("modified") or ""),
            files=tuple(
                (str(part.get("name") or ""), str(part.get("format") or ""))
                for part in body.get("resources") or ()
            ),
        )


def _spatial() -> Iterator[Entry]:
    """ISO 19139 and Dublin Core records of pycsw's suites."""
    for path, content in packed("iso-csw-oai/pycsw-suites.tar.gz", ".xml"):
        if "/data/" not in path:
            continue
        texts: dict[str, list[str]] = {}
        for element in ET.fromstring(content).iter():  # noqa: S314 # files of a test suite
            name = element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""
            text = " ".join("".join(element.itertext()).split())
            if name in ("title", "abstract", "keyword", "subject", "organisationName") and text:
                texts.setdefault(name, []).append(text)
        yield Entry(
            key=f"iso:{Path(path).parts[-3]}/{Path(path).stem}",
            title={"en": texts.get("title", [""])[0]},
            description={"en": texts.get("abstract", [""])[0]},
            organization=texts.get("organisationName", [""])[0],
            tags=tuple(dict.fromkeys([*texts.get("keyword", ()), *texts.get("subject", ())])),
        )


READERS = (_ckan, _humanitarian, _amazon, _philadelphia, _spatial, _belgium, _socrata, _data_json)
