"""Tables of any length, always the same for the same seed: what a city's hotline records about reports of its people.

A row is some 80 bytes of CSV: a code, a code of a district, texts in Chinese, a date, numbers and categories.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

BATCH = 250_000
"""Rows that are made at once, from a seed of their own: any part can be made without the parts before."""
COLUMNS = (
    "工单编号",
    "区划代码",
    "类别",
    "受理日期",
    "内容",
    "金额",
    "件数",
    "评分",
    "状态",
    "承办单位",
)


def _words(text: str) -> list[str]:
    return text.split()


DISTRICTS = [
    f"3101{number:02d}" for number in (1, 4, 5, 6, 7, 9, 10, 12, 13, 14, 15, 16, 17, 18, 20, 51)
]
KINDS = _words(
    "环卫 交通 供水 物业 噪声 社保 医疗 教育 消费 劳动 户籍 绿化 燃气 公交 规划 税务 养老 食品 旅游 农业"
)
STATES = _words("办结 在办 待办 回访 退回")
ROADS = _words(
    "淮海 延安 中山 南京 四川 西藏 河南 福建 浙江 江西 山西 陕西 石门 华山 衡山 天目 长宁 虹桥 漕溪 龙华 肇嘉 徐家 打浦 瑞金"
)
WAYS = _words("路 街 巷 里 坊 弄 东路 西路 一村 新村")
THINGS = _words(
    "路灯 井盖 垃圾 绿化 树枝 水管 电梯 车位 围墙 护栏 广告牌 人行道 盲道 污水 油烟 施工 共享单车 健身器材 公厕 站牌 信号灯 "
    "隔离桩 雨棚 消防栓 充电桩 楼道 天然气 暖气 快递柜 宠物"
)
TROUBLES = _words(
    "损坏 缺失 堵塞 渗漏 扰民 占道 积水 倒伏 老化 异味 不亮 未清理 乱堆放 无人管理 存在隐患 需要维修"
)
OFFICES = _words("城管 房管 环卫 水务 绿化 公安 居委 卫生 市场 建管 交警 供电 燃气 街道")
FIRST_DAY = np.datetime64("2019-01-01", "D")
DAYS = 2_500


def batches(rows: int, *, seed: int = 1, department: int = 0) -> Iterator[pa.RecordBatch]:
    """The rows of a department's table; another department or seed has other rows."""
    for start in range(0, rows, BATCH):
        random = np.random.default_rng((seed, department, start))
        yield _batch(random, start, min(BATCH, rows - start), department)


def write_csv(file: Path, made: Iterator[pa.RecordBatch]) -> int:
    """Write rows as CSV with a header; the number of bytes."""
    first = next(made)
    options = pacsv.WriteOptions(quoting_style="none", quoting_header="none")
    with pacsv.CSVWriter(file, first.schema, write_options=options) as writer:
        writer.write_batch(first)
        for batch in made:
            writer.write_batch(batch)
    return file.stat().st_size


def changed(
    made: Iterator[pa.RecordBatch], *, release: int, every: int = 1_000
) -> Iterator[pa.RecordBatch]:
    """The rows of a later release: one in `every` has another state, amount and score."""
    random = np.random.default_rng((release, 7))
    for batch in made:
        count = batch.num_rows
        chosen = np.zeros(count, bool)
        chosen[random.choice(count, max(1, count // every), replace=False)] = True
        mask = pa.array(chosen)
        amounts = pa.array(np.round(random.gamma(2.0, 900.0, count), 2) + release / 100)
        states = pa.array(STATES).take(pa.array(random.integers(0, len(STATES), count)))
        arrays = dict(zip(batch.schema.names, batch.columns, strict=True))
        arrays["金额"] = pc.if_else(mask, pc.round(amounts, 2), arrays["金额"])
        arrays["状态"] = pc.if_else(mask, states, arrays["状态"])
        yield pa.record_batch(list(arrays.values()), schema=batch.schema)


def records(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Rows as the API takes them."""
    made = batch.set_column(3, COLUMNS[3], batch.column(3).cast(pa.string()))
    return list(made.to_pylist())


def upserts(rows: int, count: int, *, seed: int) -> list[dict[str, Any]]:
    """Records for an upsert into a table of so many rows: nine of ten change a row, one is new."""
    random = np.random.default_rng((seed, 11))
    made = _batch(random, 0, count, 0)
    numbers = random.choice(rows, count, replace=False)
    numbers[: count // 10] = rows + seed * count + np.arange(count // 10)
    return records(made.set_column(0, COLUMNS[0], _codes(numbers, 0)))


def _codes(numbers: npt.NDArray[np.int64], department: int) -> pa.Array:
    digits = pc.utf8_lpad(pa.array(numbers + 1).cast(pa.string()), 7, "0")
    return _joined(pa.array([chr(65 + department % 26)] * len(numbers)), digits)


def _batch(random: np.random.Generator, start: int, rows: int, department: int) -> pa.RecordBatch:
    codes = _codes(np.arange(start, start + rows), department)
    content = _joined(
        _picked(random, ROADS, rows), _picked(random, WAYS, rows, skew=1.8), _picked(random, THINGS, rows, skew=1.5),
        _picked(random, TROUBLES, rows, skew=1.8),
    )  # fmt: skip
    amounts = pa.array(np.round(random.gamma(2.0, 900.0, rows), 2), mask=random.random(rows) < 0.02)
    scores = pa.array(random.integers(10, 51, rows) / 10, mask=random.random(rows) < 0.3)
    arrays = [
        codes,
        _picked(random, DISTRICTS, rows, skew=1.3),
        _picked(random, KINDS, rows, skew=1.5),
        pa.array(FIRST_DAY + random.integers(0, DAYS, rows)),
        content,
        amounts,
        pa.array(random.geometric(0.2, rows)),
        scores,
        _picked(random, STATES, rows, skew=2.5),
        _picked(random, OFFICES, rows),
    ]
    return pa.record_batch(arrays, names=list(COLUMNS))


def _picked(
    random: np.random.Generator, words: list[str], rows: int, *, skew: float = 1.0
) -> pa.Array:
    """Words by chance; with a skew the first ones are more frequent, as in life."""
    places = (random.random(rows) ** skew * len(words)).astype(np.int32)
    return pa.array(words).take(pa.array(places))


def _joined(*parts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")
