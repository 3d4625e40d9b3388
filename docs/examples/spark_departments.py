"""Counts and joins over the tables of all departments, by Spark, from the files of the journal.

    wsgi.py tables-manifest > manifest.json
    spark-submit docs/examples/spark_departments.py manifest.json --key code --out report.json

Needs nothing but `pyspark`, and Hadoop's connector where the journal is on S3: see docs/how-to/spark.md. The functions
`rows_of` and `union_of` are a start for jobs of your own.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 # as all of Spark's documentation has it

DELETED = 3
TYPES = {
    "string": "string",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "date": "date",
    "datetime": "timestamp_ntz",
    "geojson": "string",
}
Table = Mapping[str, Any]
Types = Mapping[str, str]


def rows_of(spark: SparkSession, journal: str, table: Table) -> DataFrame:
    """The rows of a table at its newest release, under published names, each with its number in `_row`."""
    types = {column["stored"]: TYPES[column["type"]] for column in table["columns"]}
    rows = _base(spark, journal, table["base"], types)
    if table["deltas"]:
        last = _last_changes(spark, journal, table["deltas"], types)
        kept = rows.join(last.select("_row"), "_row", "left_anti")
        rows = kept.unionByName(last.where(F.col("op") != DELETED).drop("op"))
    named = [F.col(column["stored"]).alias(column["name"]) for column in table["columns"]]
    return rows.select("_row", *named)


def union_of(parts: Iterable[DataFrame]) -> DataFrame:
    """All rows of some frames with the same columns."""
    first, *others = parts
    for other in others:
        first = first.unionByName(other)
    return first


def _base(spark: SparkSession, journal: str, file: Table, types: Types) -> DataFrame:
    """All rows as the base has them; without a column of numbers they count from 0."""
    read = spark.read.parquet(f"{journal}/{file['path']}")
    number = F.col("row") if file["numbered"] else F.col("_metadata.row_index")
    return read.select(number.alias("_row"), *_columns(read, types))


def _last_changes(
    spark: SparkSession, journal: str, files: Iterable[Table], types: Types
) -> DataFrame:
    """What the deltas leave of each row that they touch, with `op`."""
    changes = []
    for file in files:
        read = spark.read.parquet(f"{journal}/{file['path']}")
        known = [F.col("row").alias("_row"), F.col("op"), F.lit(file["position"]).alias("_at")]
        changes.append(read.select(*known, *_columns(read, types)))
    newest_first = Window.partitionBy("_row").orderBy(F.col("_at").desc())
    ranked = union_of(changes).withColumn("_rank", F.row_number().over(newest_first))
    return ranked.where(F.col("_rank") == 1).drop("_rank", "_at")


def _columns(read: DataFrame, types: Types) -> list[Column]:
    """The stored columns; those that came after this file are empty in it."""
    there = set(read.columns)
    return [
        (F.col(name) if name in there else F.lit(None)).cast(kind).alias(name)
        for name, kind in types.items()
    ]


def counts(spark: SparkSession, journal: str, tables: Iterable[Table]) -> DataFrame:
    """Tables and rows of each department, in one job over all of them."""
    counted = union_of(
        rows_of(spark, journal, table).agg(
            F.lit(table["organization"]).alias("organization"), F.count("*").alias("rows")
        )
        for table in tables
    )
    totals = counted.groupBy("organization").agg(
        F.count("*").alias("tables"), F.sum("rows").alias("rows")
    )
    return totals.orderBy("organization")


def matches(spark: SparkSession, journal: str, tables: Iterable[Table], key: str) -> DataFrame:
    """For each two departments: how many values of the column `key` both have, and the rows that meet by it."""
    keyed = union_of(
        rows_of(spark, journal, table).select(
            F.lit(table["organization"]).alias("organization"),
            F.col(f"`{key.replace('`', '``')}`").cast("string").alias("key"),
        )
        for table in tables
    )
    found = keyed.where(F.col("key").isNotNull()).groupBy("organization", "key").count()
    left, right = found.alias("left"), found.alias("right")
    met = left.join(
        right,
        (F.col("left.key") == F.col("right.key"))
        & (F.col("left.organization") < F.col("right.organization")),
    )
    pairs = met.groupBy(
        F.col("left.organization").alias("one"), F.col("right.organization").alias("other")
    )
    return pairs.agg(
        F.count("*").alias("keys"), F.sum(F.col("left.count") * F.col("right.count")).alias("rows")
    ).orderBy("one", "other")


def main() -> None:
    """Read the manifest, ask, and write the report."""
    parser = argparse.ArgumentParser(description="Counts and joins over all departments")
    parser.add_argument("manifest", type=Path, help="what `wsgi.py tables-manifest` printed")
    parser.add_argument("--key", help="a column by whose values departments are joined")
    parser.add_argument("--out", type=Path, help="file for the report; else it is printed")
    asked = parser.parse_args()
    manifest = json.loads(asked.manifest.read_text("utf-8"))
    journal = manifest["journal"].replace("s3://", "s3a://", 1)
    tables = manifest["tables"]
    spark = SparkSession.builder.appName("weft-departments").getOrCreate()
    try:
        report: dict[str, Any] = {"counts": _plain(counts(spark, journal, tables))}
        keyed = [t for t in tables if asked.key in [column["name"] for column in t["columns"]]]
        if keyed:
            report["matches"] = _plain(matches(spark, journal, keyed, asked.key))
    finally:
        spark.stop()
    text = json.dumps(report, ensure_ascii=False, indent=1)
    if asked.out:
        asked.out.write_text(text, "utf-8")
    else:
        print(text)


def _plain(frame: DataFrame) -> list[dict[str, Any]]:
    return [row.asDict() for row in frame.collect()]


if __name__ == "__main__":
    main()
