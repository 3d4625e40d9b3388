"""Maps and Parquet: layers and files of columns become tables, geometries are GeoJSON in WGS-84."""

from __future__ import annotations

import json
import warnings
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyproj
import pytest
import shapely

from catalog.errors import Unreadable
from catalog.tabular.reading.geometry import called, conversion
from tests.make_reading import make_file, make_zip, names_of, read, rows_of, said_by, types_of

POINTS = [shapely.Point(440000, 4430000), None, shapely.Point(441000, 4431000)]
NAMES = np.array(["东城", "西城", None], object)


def make_map(path: Path, crs: str | None = "EPSG:4547", **options: Any) -> Path:
    """A map of three features, the second without a place."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a map without a coordinate system is meant
        _write_map(path, crs, options)
    return path


def _write_map(path: Path, crs: str | None, options: dict[str, Any]) -> None:
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array(POINTS, object)),
        [NAMES, np.array([1, 2, 3]), np.array(["2020-01-02", "2020-01-03", None], "datetime64[D]")],
        ["名称", "n", "day"],
        geometry_type="Point",
        crs=crs,
        **options,
    )


def zipped(folder: Path, stem: str = "map", into: str = "map") -> Path:
    parts = {f"{into}{path.suffix}": path.read_bytes() for path in folder.glob(f"{stem}.*")}
    return make_zip(folder / "map.zip", {**parts, f"{into}.shp.xml": "<x/>"})


def test_a_shapefile_in_a_zip_is_one_table_with_places_in_degrees(tmp_path: Path) -> None:
    make_map(tmp_path / "map.shp", encoding="UTF-8")
    (table,) = read(zipped(tmp_path, into="区/图"), tmp_path / "out")
    assert table.key == "区/图.shp"
    assert types_of(table) == {
        "名称": "string",
        "n": "integer",
        "day": "date",
        "geometry": "geojson",
    }
    first, second, _ = rows_of(table)
    assert first[:3] == ("东城", 1, date(2020, 1, 2))
    assert json.loads(first[3])["coordinates"] == pytest.approx([113.297, 40.002], abs=0.001)
    assert second[3] is None
    assert "converted from CGCS2000 / 3-degree Gauss-Kruger CM 114E (EPSG:4547) to WGS-84" in said_by(table)  # fmt: skip


@pytest.mark.parametrize("page", [None, "UTF-8"])
def test_texts_of_a_shapefile_that_says_its_encoding_wrongly_are_read(
    tmp_path: Path, page: str | None
) -> None:
    make_map(tmp_path / "map.shp", encoding="GB18030")
    said = tmp_path / "map.cpg"
    said.unlink(missing_ok=True)
    if page:
        said.write_text(page)
    dbf = bytearray((tmp_path / "map.dbf").read_bytes())
    dbf[29] = 0  # no language in the header either
    (tmp_path / "map.dbf").write_bytes(dbf)
    (table,) = read(zipped(tmp_path), tmp_path / "out")
    assert [row[0] for row in rows_of(table)] == ["东城", "西城", None]


def test_a_shapefile_whose_parts_lie_side_by_side_is_read_once(tmp_path: Path) -> None:
    make_map(tmp_path / "map.shp")
    paths = sorted(tmp_path.glob("map.*"))
    assert len(paths) >= 4
    (table,) = read(paths, tmp_path / "out")
    assert table.rows == 3


def test_a_part_of_a_shapefile_is_told_what_it_lacks(tmp_path: Path) -> None:
    path = make_map(tmp_path / "map.shp")
    path.with_suffix(".dbf").unlink()
    with pytest.raises(Unreadable, match="only one part of a shapefile"):
        read(path, tmp_path / "out")
    alone = make_zip(tmp_path / "alone.zip", {"map.shp": path.read_bytes()})
    with pytest.raises(Unreadable, match="only one part of a shapefile"):
        read(alone, tmp_path / "out")


def test_a_map_without_a_coordinate_system_keeps_its_numbers(tmp_path: Path) -> None:
    make_map(tmp_path / "map.gpkg", crs=None, layer="图层")
    (table,) = read(tmp_path / "map.gpkg", tmp_path / "out")
    assert json.loads(rows_of(table)[0][-1])["coordinates"] == [440000, 4430000]
    assert "does not say its coordinate system" in said_by(table)


def test_each_layer_of_a_geopackage_is_a_table(tmp_path: Path) -> None:
    path = make_map(tmp_path / "map.gpkg", layer="点", crs="EPSG:4326")
    pyogrio.raw.write(
        path, None, [np.array(["a"], object)], ["t"], layer="list", append=True, geometry_type=None
    )
    tables = read(path, tmp_path / "out")
    assert [(table.key, table.rows) for table in tables] == [("点", 3), ("list", 1)]
    assert tables[0].title == {"zh": "点"}
    assert names_of(tables[1]) == ["t"]
    (only,) = read(path, tmp_path / "out", sheets=("list",))
    assert only.key == "list"
    with pytest.raises(Unreadable, match="has no layer other"):
        read(path, tmp_path / "out", sheets=("other",))


def test_damaged_maps_are_refused(tmp_path: Path) -> None:
    path = make_map(tmp_path / "map.gpkg")
    content = path.read_bytes()
    cut = make_file(tmp_path, "cut.gpkg", content[:5_000])
    with pytest.raises(Unreadable, match="cut off or damaged"):
        read(cut, tmp_path / "out")
    plain = make_file(tmp_path, "plain.db", content[:68] + b"\0\0\0\0" + content[72:])
    with pytest.raises(Unreadable, match="is a SQLite file"):
        read(plain, tmp_path / "out")


def test_an_unknown_system_is_called_by_what_was_said() -> None:
    assert called("nothing") == "nothing"
    assert conversion("EPSG:4326") is None


def make_parquet(path: Path, table: pa.Table) -> Path:
    pq.write_table(table, path)
    return path


def test_parquet_keeps_its_types_and_values(tmp_path: Path) -> None:
    table = pa.table(
        {
            "整数": pa.array([1, None], pa.int32()),
            "f": pa.array([0.1, float("nan")]),
            "f32": pa.array([0.1, 1.5], pa.float32()),
            "t": pa.array(["007", ""]),
            "d": pa.array(["a", "a"]).dictionary_encode(),
            "b": [True, False],
            "day": [date(2020, 1, 2), None],
            "at": pa.array([datetime(2020, 1, 2, 3), None], pa.timestamp("ms")),
            "zone": pa.array([datetime(2020, 1, 2, 3), None], pa.timestamp("s", "Asia/Shanghai")),
            "ns": pa.array([1, None], pa.timestamp("ns")),
            "dec": [Decimal("1.10"), Decimal("2.25")],
            "list": [[1, 2], None],
        }
    )
    (found,) = read(make_parquet(tmp_path / "t.parquet", table), tmp_path / "out")
    assert types_of(found) == {
        "整数": "integer", "f": "number", "f32": "number", "t": "string", "d": "string", "b": "boolean",
        "day": "date", "at": "datetime", "zone": "string", "ns": "string", "dec": "number", "list": "string",
    }  # fmt: skip
    assert rows_of(found)[0] == (
        1, 0.1, 0.1, "007", "a", True, date(2020, 1, 2), datetime(2020, 1, 2, 3), "2020-01-02T03:00:00.000Z",
        "1970-01-01 00:00:00.000000001", 1.1, "[1,2]",
    )  # fmt: skip
    assert rows_of(found)[1][:3] == (None, None, 1.5)


@pytest.mark.parametrize("crs", [None, "EPSG:3857"])
def test_geoparquet_has_places(tmp_path: Path, crs: str | None) -> None:
    said = pyproj.CRS(crs).to_json_dict() if crs else None
    about = {"columns": {"g": {"encoding": "WKB", **({"crs": said} if said else {})}, "k": {"encoding": "point"}}}  # fmt: skip
    point = shapely.Point(12958000, 4852000) if crs else shapely.Point(116.4, 39.9)
    table = pa.table({"g": [shapely.to_wkb(point)], "k": ["x"]})
    table = table.replace_schema_metadata({"geo": json.dumps(about)})
    (found,) = read(make_parquet(tmp_path / "t.parquet", table), tmp_path / "out")
    assert types_of(found)["g"] == "geojson"
    assert json.loads(rows_of(found)[0][0])["coordinates"] == pytest.approx([116.4, 39.9], abs=0.02)
    assert ("converted from WGS 84 / Pseudo-Mercator" in said_by(found)) is bool(crs)


def geojson(crs: str, *coordinates: float) -> str:
    shape = {"type": "Point", "coordinates": coordinates}
    features = [
        {"type": "Feature", "properties": {"n": 1}, "geometry": shape},
        {"type": "Feature", "properties": {"n": 2}, "geometry": None},
    ]
    named = {"type": "name", "properties": {"name": crs}}
    return json.dumps({"type": "FeatureCollection", "crs": named, "features": features})


def test_geojson_that_names_another_system_is_converted(tmp_path: Path) -> None:
    text = geojson("urn:ogc:def:crs:EPSG::3857", 12958000, 4852000)
    (table,) = read(make_file(tmp_path, "a.geojson", text), tmp_path / "out")
    first, second = rows_of(table)
    assert json.loads(first[1])["coordinates"] == pytest.approx([116.4, 39.9], abs=0.02)
    assert second == (2, None)
    assert "converted from WGS 84 / Pseudo-Mercator" in said_by(table)
    plain = geojson("urn:ogc:def:crs:OGC:1.3:CRS84", 116.4, 39.9)
    (table,) = read(make_file(tmp_path, "b.geojson", plain), tmp_path / "out")
    assert json.loads(rows_of(table)[0][1])["coordinates"] == [116.4, 39.9]
    assert said_by(table) == ""
    with pytest.raises(Unreadable, match="cannot be read or converted"):
        read(make_file(tmp_path, "c.geojson", geojson("nothing", 1, 2)), tmp_path / "out")


def test_broken_parquet_and_broken_geometries_are_refused(tmp_path: Path) -> None:
    path = make_parquet(tmp_path / "t.parquet", pa.table({"a": [1]}))
    cut = make_file(tmp_path, "cut.parquet", path.read_bytes()[:-9])
    with pytest.raises(Unreadable, match="no whole Parquet file"):
        read(cut, tmp_path / "out")
    table = pa.table({"g": [b"x"]}).replace_schema_metadata(
        {"geo": json.dumps({"columns": {"g": {"encoding": "WKB", "crs": {"id": {"authority": "EPSG", "code": 4326}}}}})}
    )  # fmt: skip
    with pytest.raises(Unreadable, match="geometries that cannot be read"):
        read(make_parquet(tmp_path / "g.parquet", table), tmp_path / "out")
    odd = pa.table({"g": ["x"]}).replace_schema_metadata({"geo": "[1"})
    (found,) = read(make_parquet(tmp_path / "o.parquet", odd), tmp_path / "out")
    assert types_of(found) == {"g": "string"}
