"""Spark reads the files of the journal: the example job over all departments, from disk and from S3."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from catalog.db import db
from catalog.models.table import DataTable
from catalog.models.vocabulary import ColumnType
from catalog.permissions import ANYONE
from catalog.services import tables
from catalog.settings import Settings
from catalog.tabular.query import TableQuery
from tests.make_dataset import make_organization
from tests.make_portal import load_rows, make_served
from tests.make_s3 import ROOT, S3Server
from tests.make_table import Row, make_columns
from wsgi import weft

SPARK = ROOT / ".services" / "spark"
CONNECTOR = ROOT / ".services" / "s3a"
CHEAP = [
    *("--conf", "spark.ui.enabled=false"),
    *("--conf", "spark.sql.shuffle.partitions=2"),
    *("--conf", "spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1"),
    *("--driver-memory", "512m"),
]
COLUMNS = make_columns(code=ColumnType.STRING, count=ColumnType.INTEGER)


def spark_submit() -> str:
    """The program that starts a job, or a skip."""
    if not (SPARK / "installed").exists() or not any(CONNECTOR.glob("hadoop-aws-*.jar")):
        pytest.skip("no Spark on this machine: tests/services/install gets it, which needs Java 17")
    return str(SPARK / "bin" / "spark-submit")


@pytest.fixture(params=["disk", "s3"])
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """The journal in a folder, and in a bucket."""
    spark_submit()
    if request.param == "disk":
        return settings
    s3: S3Server = request.getfixturevalue("s3")
    there = s3.settings()
    return replace(
        settings,
        tables_url=f"s3://{s3.make_bucket()}/weft",
        s3_endpoint=there.s3_endpoint,
        s3_key=there.s3_key,
        s3_secret=there.s3_secret,
    )


def make_rows(first: int, end: int) -> tuple[Row, ...]:
    return tuple({"code": f"{at % 50:06d}", "count": at} for at in range(first, end))


def make_departments(folder: Path) -> None:
    """Three departments: one whose table was changed in place, one loaded once, one without the common column."""
    for slug in ("police", "health", "parks"):
        make_organization(slug)
    police = make_served(
        folder, name="A", organization="police", columns=COLUMNS, rows=make_rows(0, 300)
    )
    changed = [*make_rows(0, 300), {"code": "000098", "count": 1}]
    changed[7] = {"code": "000099", "count": 7}
    del changed[20:23]
    load_rows(police.resource, folder, columns=COLUMNS, rows=tuple(changed))
    changed[8] = {"code": "000041", "count": 8}
    load_rows(police.resource, folder, columns=COLUMNS, rows=tuple(changed))
    make_served(folder, name="B", organization="health", columns=COLUMNS, rows=make_rows(40, 75))
    make_served(folder, name="C", organization="parks")


def expected() -> dict[str, list[dict[str, Any]]]:
    """What the portal itself says."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for table in db.session.scalars(select(DataTable)).all():
        page = tables.rows(ANYONE, table.id, TableQuery(limit=1000))
        slug = tables.show(ANYONE, table.id).resource.dataset.organization.slug
        rows[slug] = page.data.to_pylist()
    counts = [{"organization": o, "tables": 1, "rows": len(rows[o])} for o in sorted(rows)]
    codes = {slug: Counter(row["code"] for row in rows[slug]) for slug in ("health", "police")}
    both = codes["health"].keys() & codes["police"].keys()
    met = sum(codes["health"][code] * codes["police"][code] for code in both)
    return {
        "counts": counts,
        "matches": [{"one": "health", "other": "police", "keys": len(both), "rows": met}],
    }


def manifest(settings: Settings) -> dict[str, Any]:
    """What the command prints."""
    given = {
        "WEFT_DATA_DIR": settings.data_dir,
        "WEFT_TABLES_URL": settings.tables_url,
        "WEFT_S3_ENDPOINT": settings.s3_endpoint,
        "WEFT_S3_KEY": settings.s3_key,
        "WEFT_S3_SECRET": settings.s3_secret,
    }
    ran = CliRunner().invoke(weft, ["tables-manifest"], env=given, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return dict(json.loads(ran.stdout))


def s3a(settings: Settings) -> list[str]:
    """How a job is told of the bucket."""
    said = {
        "endpoint": settings.s3_endpoint,
        "endpoint.region": settings.s3_region,
        "access.key": settings.s3_key,
        "secret.key": settings.s3_secret,
        "path.style.access": "true",
    }
    jars = ",".join(str(jar) for jar in sorted(CONNECTOR.glob("*.jar")))
    pairs = [f"spark.hadoop.fs.s3a.{name}={value}" for name, value in said.items() if value]
    return ["--jars", jars, *(part for pair in pairs for part in ("--conf", pair))]


def test_spark_counts_and_joins_all_departments_as_the_portal_does(
    app: Flask, settings: Settings, tmp_path: Path
):
    make_departments(tmp_path)
    said = manifest(settings)
    assert [
        len(table["deltas"]) for table in said["tables"] if table["organization"] == "police"
    ] == [2]
    (tmp_path / "manifest.json").write_text(json.dumps(said))
    job = [
        str(ROOT / "docs" / "examples" / "spark_departments.py"),
        "manifest.json",
        "--key",
        "code",
    ]
    ran = subprocess.run(
        [
            spark_submit(),
            "--master",
            "local[2]",
            *CHEAP,
            *s3a(settings),
            *job,
            "--out",
            "report.json",
        ],
        cwd=tmp_path,
        env={
            **os.environ,  # noqa: TID251 # hands the environment on
            "PYSPARK_PYTHON": str(SPARK / "bin" / "python"),
            "SPARK_LOCAL_IP": "127.0.0.1",
        },
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    assert json.loads((tmp_path / "report.json").read_text()) == expected()
