"""Descriptions of datasets for benchmarks: real catalogues where they are at hand, else made-up ones.

The real ones (CKAN, data.json and Socrata catalogues) are looked for in `../shared/data/dev` beside
the checkout; without them every description is generated, always in the same way.
"""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from catalog.errors import Invalid
from catalog.schemas.dataset import dataset_draft
from catalog.schemas.drafts import DatasetDraft

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "dev"
TOPICS = (
    ("空气质量监测", "air quality monitoring"), ("公交线路站点", "bus lines and stops"), ("常住人口统计", "resident population"),
    ("医疗机构名录", "register of medical institutions"), ("学校基本信息", "schools"), ("财政预算执行", "budget execution"),
    ("企业信用信息", "company credit records"), ("地表水水质", "surface water quality"), ("停车场泊位", "parking spaces"),
    ("建设项目审批", "approval of building projects"), ("食品抽检结果", "results of food inspections"), ("城市绿地", "urban green spaces"),
    ("社会保险参保", "social insurance members"), ("交通事故", "traffic accidents"), ("公共图书馆", "public libraries"),
    ("垃圾分类收集点", "waste collection points"), ("噪声监测", "noise monitoring"), ("电力消费", "electricity consumption"),
)  # fmt: skip
PLACES = (
    ("浦东新区", "Pudong"), ("黄浦区", "Huangpu"), ("徐汇区", "Xuhui"), ("海淀区", "Haidian"), ("朝阳区", "Chaoyang"),
    ("天河区", "Tianhe"), ("福田区", "Futian"), ("武侯区", "Wuhou"), ("鼓楼区", "Gulou"), ("江岸区", "Jiang'an"),
)  # fmt: skip
FORMATS = ("CSV", "XLSX", "JSON", "API", "GEOJSON", "PDF", "XML", "SHP")
FREQUENCIES = ("daily", "weekly", "monthly", "annual", "irregular", "unknown")


def drafts(organization: str = "") -> Iterator[DatasetDraft]:
    """Drafts without end, every second one Chinese; an empty organization spreads them over many."""
    foreign = itertools.chain(_real(), made_up(start=1_000_000))
    for at, (ours, theirs) in enumerate(zip(made_up(), foreign, strict=False)):
        for offset, described in enumerate((ours, theirs)):
            described["organization"] = organization or f"department-{(at * 7 + offset) % 60}"
            described["themes"] = []
            try:
                yield dataset_draft(described)
            except Invalid:
                continue


def made_up(start: int = 0) -> Iterator[dict[str, Any]]:
    """Descriptions of what cities publish, without end."""
    for n in itertools.count(start):
        topic_zh, topic_en = TOPICS[n % len(TOPICS)]
        place_zh, place_en = PLACES[n // len(TOPICS) % len(PLACES)]
        year = 2000 + n // 180 % 26
        more = f" {n // 4680}" if n >= 4680 else ""
        yield {
            "title": {
                "zh": f"{place_zh}{topic_zh}{year}年{more}",
                "en": f"{topic_en.capitalize()} in {place_en}, {year}{more}",
            },
            "description": {
                "zh": f"{place_zh}{topic_zh}数据，含编号、名称、地址、{TOPICS[(n + 5) % len(TOPICS)][0]}指标等字段，按年度更新。"
                * 4,
                "en": f"Figures on {topic_en} in {place_en}: code, name, address and {TOPICS[(n + 7) % len(TOPICS)][1]}. "
                * 4,
            },
            "frequency": FREQUENCIES[n % len(FREQUENCIES)],
            "access": ("open", "open", "open", "on_application")[n % 4],
            "tags": [topic_zh, topic_en, place_zh],
            "modified": f"{min(year + n % 3, 2026)}-0{n % 9 + 1}-01",
            "resources": [
                {
                    "key": f"r{at}",
                    "title": {"zh": f"{topic_zh}{FORMATS[(n + at) % 8]}"},
                    "format": FORMATS[(n + at) % 8],
                }
                for at in range(n % 3 + 1)
            ],
        }


def _real() -> Iterator[dict[str, Any]]:
    yield from _ckan()
    yield from _socrata()
    yield from _data_json()


def _ckan() -> Iterator[dict[str, Any]]:
    for file in sorted((REAL / "ckan-dados-gov-br").glob("*.json.gz")):
        for package in orjson.loads(gzip.decompress(file.read_bytes()))["result"]["results"]:
            yield {
                "title": {"pt": package["title"]},
                "description": {"pt": package["notes"] or ""},
                "tags": [tag["name"] for tag in package["tags"]],
                "modified": package["metadata_modified"],
                "resources": [
                    _resource(resource["id"], "pt", resource["name"], resource["format"])
                    for resource in package["resources"]
                ],
            }


def _socrata() -> Iterator[dict[str, Any]]:
    for file in sorted((REAL / "socrata-catalog").glob("*.jsonl.gz")):
        for line in gzip.decompress(file.read_bytes()).splitlines():
            record = orjson.loads(line)
            resource = record["resource"]
            columns = " ".join(resource["columns_name"])[:1000]
            yield {
                "title": {"en": resource["name"]},
                "description": {"en": resource["description"] or ""},
                "tags": record["classification"]["domain_tags"],
                "modified": resource["updatedAt"],
                "resources": [_resource(resource["id"], "en", columns, "CSV")],
            }


def _data_json() -> Iterator[dict[str, Any]]:
    for file in sorted((REAL / "us-datajson-portals" / "arcgis-hub").glob("*.json.gz")):
        for dataset in orjson.loads(gzip.decompress(file.read_bytes()))["dataset"]:
            yield {
                "title": {"en": dataset["title"]},
                "description": {"en": dataset.get("description", "")},
                "tags": [str(word) for word in dataset.get("keyword", ())],
                "modified": dataset.get("modified"),
                "resources": [
                    _resource(str(at), "en", part.get("title", ""), part.get("format", ""))
                    for at, part in enumerate(dataset.get("distribution", ()))
                ],
            }


def _resource(key: str, language: str, title: str | None, format_: str | None) -> dict[str, Any]:
    return {"key": key, "title": {language: (title or "")[:900]}, "format": (format_ or "")[:40]}
