"""Chinese catalogues: the demo, a statistical yearbook, notices of health commissions, outlines, villages, stations."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from bench.entry import REAL, ROOT, Entry, loaded, packed

HAN = re.compile(r"[\u4e00-\u9fff]")


def _demo() -> Iterator[Entry]:
    """What the demo's sources declare, in Chinese and English."""
    declared = loaded((ROOT / "demo" / "sources.yaml").read_text("utf-8"))
    names = {org["slug"]: " ".join(org["title"].values()) for org in declared["organizations"]}
    for source in declared["sources"]:
        defaults = source.get("options", {}).get("defaults", {})
        for body in _declared(source.get("options", {})):
            yield Entry(
                key=f"demo:{body['slug']}",
                title=body["title"],
                description=body.get("description", {}),
                organization=names[source["organization"]],
                tags=tuple(body.get("tags", defaults.get("tags", ()))),
                modified=str(body.get("modified", defaults.get("modified", ""))),
                spatial=str(body.get("spatial", defaults.get("spatial", ""))),
                columns=tuple(
                    (name, column.get("label", {}))
                    for name, column in body.get("columns", {}).items()
                ),
            )


def _declared(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "slug" in node and isinstance(node.get("title"), dict):
            yield node
        else:
            for part in node.values():
                yield from _declared(part)
    elif isinstance(node, list):
        for part in node:
            yield from _declared(part)


def _yearbook() -> Iterator[Entry]:
    """Tables of the statistical yearbook: the title is the file's name, the theme its folders, columns its header."""
    for path, content in packed("nbs-yearbook-csv/national-data.tar.gz", ".csv"):
        name = path.removeprefix("data/zb/").removesuffix(".csv")
        *folders, title = name.split("/")
        lines = content.decode("utf-8").splitlines()
        columns = [column.strip('"') for column in lines[0].split(",")[1:]]
        years = [line.split(",", 1)[0] for line in lines[1:] if line.strip()]
        span = f"{years[0]}—{years[-1]}" if years else ""
        yield Entry(
            key=f"nbs:{name}",
            title={"zh": title},
            description={"zh": f"{'，'.join(folders)}。{title}，年度数据，{span}。"},
            organization="国家统计局 National Bureau of Statistics",
            tags=tuple(folders),
            spatial="全国",
            files=((title, "CSV"),),
            columns=tuple((column, {}) for column in columns),
        )


def _notices() -> Iterator[Entry]:
    """Daily notices of health commissions, by day and province."""
    for path, content in packed("covid19-wuhan-2019-ncov/reports-yaml.tar.gz", ".yaml"):
        name = Path(path).stem
        text = content.decode("utf-8")
        place = found[1] if (found := re.search(r"^省: *(\S+)", text, re.MULTILINE)) else "全国"
        yield Entry(
            key=f"covid:{name}",
            title={"zh": f"{name}新型冠状病毒肺炎疫情通报"},
            description={"zh": re.sub(r"^地址:.*$", "", text, flags=re.MULTILINE)},
            organization="卫生健康委员会 Health Commission",
            tags=("疫情", "新冠肺炎", place),
            spatial=place,
        )


def _outlines() -> Iterator[Entry]:
    """Outlines of cities and districts by province, under the names that the features have."""
    provinces = loaded(PROVINCES)
    for file in sorted((REAL / "china-city-geojson").glob("*.geojson.gz")):
        name = file.name.removesuffix(".geojson.gz")
        features = orjson.loads(gzip.decompress(file.read_bytes()))["features"]
        parts = [str(feature["properties"].get("name", "")) for feature in features]
        yield Entry(
            key=f"outline:{name}",
            title={"zh": f"{provinces[name]}行政区界轮廓"},
            description={"zh": f"GeoJSON 面数据，含：{'、'.join(parts)}。"},
            organization="规划和自然资源局",
            tags=("行政区界", "地图", "GeoJSON"),
            spatial=provinces[name],
            files=((f"{name}.geojson", "GEOJSON"),),
        )


PROVINCES = """
{anhui: 安徽省, aomen: 澳门, beijing: 北京市, chongqing: 重庆市, fujian: 福建省, gansu: 甘肃省, guangdong: 广东省,
guangxi: 广西壮族自治区, guizhou: 贵州省, hainan: 海南省, hebei: 河北省, heilongjiang: 黑龙江省, henan: 河南省, hubei: 湖北省,
hunan: 湖南省, jiangsu: 江苏省, jiangxi: 江西省, jilin: 吉林省, liaoning: 辽宁省, neimenggu: 内蒙古自治区, ningxia: 宁夏回族自治区,
qinghai: 青海省, shandong: 山东省, shanghai: 上海市, shanxi: 山西省, shanxi1: 陕西省, sichuan: 四川省, taiwan: 台湾,
tianjin: 天津市, xianggang: 香港, xinjiang: 新疆维吾尔自治区, yunnan: 云南省, zhejiang: 浙江省}
"""


def _taiwan() -> Iterator[Entry]:
    """Population and education by village, in traditional characters."""
    for file in sorted((REAL / "taiwan-population").glob("*.csv.gz")):
        name = file.name.removesuffix(".csv.gz")
        kind, *when = name.split("-")
        encoding = "utf-16" if when[0] in ("2013", "2014") else "utf-8-sig"
        with gzip.open(file, "rt", encoding=encoding) as lines:
            header = re.split(r"[,\t]", lines.readline().strip())
        title = (
            f"{when[0]}年{when[1]}月村里戶數與人口"
            if kind == "cunli"
            else f"{when[0]}年村里教育程度"
        )
        yield Entry(
            key=f"tw:{name}",
            title={"zh-Hant": title},
            description={"zh-Hant": f"{title}，按鄉鎮市區與村里統計，含村里代碼。"},
            organization="內政部",
            tags=("人口", "村里", "臺灣"),
            spatial="臺灣",
            files=((file.name, "CSV"),),
            columns=tuple((column, {}) for column in header),
        )


def _stations() -> Iterator[Entry]:
    """Hourly air quality of eight stations of Beijing."""
    names = {
        "Changping": "昌平", "Dingling": "定陵", "Guanyuan": "官园", "Gucheng": "古城", "Nongzhanguan": "农展馆",
        "Tiantan": "天坛", "Wanliu": "万柳", "Wanshouxigong": "万寿西宫",
    }  # fmt: skip
    for file in sorted((REAL / "beijing-air-quality").glob("PRSA_*.csv.gz")):
        station = file.name.split("_")[2]
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            header = [name.strip('"') for name in lines.readline().strip().split(",")]
        yield Entry(
            key=f"air:{station}",
            title={
                "zh": f"北京{names[station]}监测站空气质量小时数据",
                "en": f"Hourly air quality at {station} station, Beijing",
            },
            description={
                "zh": "2013年3月至2017年2月，含 PM2.5、PM10、二氧化硫、二氧化氮、一氧化碳、臭氧与气象要素。"
            },
            organization="生态环境局",
            tags=("空气质量", "PM2.5", "监测站"),
            spatial="北京市",
            files=((file.name, "CSV"),),
            columns=tuple((column, {}) for column in header),
        )


def _colleges() -> Iterator[Entry]:
    yield Entry(
        key="moe:colleges",
        title={"zh": "全国普通高等学校名单"},
        description={"zh": "教育部公布的普通高等学校名单：学校名称、学校标识码、主管部门、所在地、办学层次、备注。"},
        organization="教育部",
        tags=("高等学校", "大学", "名单"),
        files=(("全国普通高等学校名单.xls", "XLS"),),
        columns=tuple(
            (name, {}) for name in ("序号", "学校名称", "学校标识码", "主管部门", "所在地", "办学层次", "备注")
        ),
    )  # fmt: skip


def _portals() -> Iterator[Entry]:
    """Data portals of the world with a name or a description in Chinese characters."""
    import pyarrow.parquet as pq

    table = pq.read_table(
        REAL / "dataportals-registry" / "full.parquet",
        columns=["id", "name", "description", "owner", "tags"],
    )
    for row in table.to_pylist():
        text = f"{row['name']} {row['description'] or ''}"
        if HAN.search(text):
            yield Entry(
                key=f"portal:{row['id']}",
                title={"mul": row["name"]},
                description={"mul": row["description"] or ""},
                organization=(row["owner"] or {}).get("name") or "",
                tags=tuple(str(tag).strip('"') for tag in row["tags"] or ()),
            )


READERS = (_demo, _yearbook, _notices, _outlines, _taiwan, _stations, _colleges, _portals)
