"""What a child does with a statement, run in this process: it keeps its rights, and can be looked at."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from catalog.errors import BadQuery, CatalogError, Unavailable
from catalog.tabular.sandbox import Answer, Call, Given, GivenColumn, Limits, rights, wire
from catalog.tabular.sandbox import child as program
from catalog.tabular.sandbox.files import HandedOver
from catalog.tabular.sandbox.functions import FUNCTIONS, TABLE_FUNCTIONS
from catalog.tabular.sandbox.syscalls import MACHINES, Machine
from tests.make_table import make_parquet

LIMITS = Limits(seconds=5.0, rows=50, bytes=1_000_000, memory_mb=200, threads=1)
COLUMNS = (GivenColumn("station", "c0"), GivenColumn("no", "c1"), GivenColumn("PM2.5", "c2"))


@pytest.fixture
def table(tmp_path: Path) -> Given:
    file = make_parquet(tmp_path / "a.parquet")
    return Given(f"read_parquet('{file}', file_row_number=true)", (file,), COLUMNS)


def ask(
    sql: str, table: Given | None = None, values: Sequence[object] = (), limits: Limits = LIMITS
) -> Answer:
    """What a child answers that was not started: it runs in a thread."""
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=program.answer, args=(theirs, ["nothing"], -1))
    thread.start()
    with ours:
        hello, _ = wire.receive(ours)
        assert hello["rights"] == ["nothing"]
        call = Call(ours, limits, limits.rows)
        try:
            asked = call.tables(sql, values)
            return call.run([table for _ in asked if table])
        finally:
            thread.join()
            theirs.close()


def rows(answer: Answer) -> list[tuple[object, ...]]:
    return list(zip(*(column.to_pylist() for column in answer.data.columns), strict=True))


def test_an_open_table_is_read_from_its_file(table: Given) -> None:
    program.load()
    answer = ask("SELECT no, station FROM t WHERE no < ? ORDER BY no DESC LIMIT 1", table, [3])
    assert rows(answer) == [(2, "顺义")]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT count(*) FROM t WHERE no = 1", [(1,)]),
        ("SELECT * FROM t WHERE no = 1", [("***", 1, 9.5)]),
        ("SELECT t FROM t WHERE t.no = 1", [('{"station":"***","no":1,"PM2.5":9.5}',)]),
        ("SELECT s FROM t AS t(s) WHERE no = 2", [("***",)]),
        ("SELECT 1 FROM t LIMIT 1", [(1,)]),
        ("SELECT count(*) FROM t a JOIN t b USING (no)", [(6,)]),
    ],
)
def test_of_a_covered_table_only_masked_values_are_seen(
    table: Given, sql: str, found: list[tuple[object, ...]]
) -> None:
    columns = (GivenColumn("station", "c0", (1, 1)), *COLUMNS[1:])
    assert rows(ask(sql, Given(table.relation, table.files, columns, covered=True))) == found


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT nothing FROM t", "nothing"),
        ("SELECT no::DATE FROM t", "CAST"),
        ("SELECT sum(station) FROM t", "sum"),
        ("SELECT 1; SELECT 2", "one SELECT"),
        ("DROP TABLE t", "one SELECT"),
        ("SELEC", "not understood"),
        ("SELECT " + "(" * 3000 + "1" + ")" * 3000, "deep"),
        ("SELECT " + "[" * 3000 + "]" * 3000, "deep"),
        ("SELECT 'x'" + " " * 60_000, "longer"),
        ("SELECT " + ", ".join(f"(FROM t{at})" for at in range(201)), "200 tables"),
        ("SELECT DEFAULT", "DEFAULT"),
        ("SELECT 1::a.b", "b"),
        ("SELECT getenv('x')", "getenv"),
        ("FROM glob('*')", "glob"),
        ("FROM range('a')", "range"),
        ("FROM range(1, 2, 3, 4)", "range"),
        ("FROM range(2, 1000000000, 3)", "range"),
        ("FROM t AT (VERSION => 1 + 1)", "AT"),
        ("SELECT $a", "a"),
        ("SELECT ?", "?"),
    ],
)
def test_what_is_wrong_is_said(table: Given, sql: str, words: str) -> None:
    with pytest.raises(BadQuery) as caught:
        ask(sql, table)
    assert words.lower() in str(caught.value).lower()


def test_a_conversion_that_fails_says_nothing_of_ours(table: Given) -> None:
    with pytest.raises(BadQuery) as caught:
        ask("SELECT station::INTEGER FROM t", table)
    assert "weft" not in str(caught.value)
    assert "parquet" not in str(caught.value)


def test_a_file_that_is_none_is_not_named(tmp_path: Path) -> None:
    file = tmp_path / "b.parquet"
    file.write_bytes(b"PAR1 nonsense that is no Parquet at all PAR1")
    with pytest.raises(BadQuery) as caught:
        ask("SELECT 1 FROM t", Given(f"read_parquet('{file}')", (file,), COLUMNS))
    assert str(tmp_path) not in str(caught.value)
    assert "weft" not in str(caught.value)


def test_time_and_memory_have_an_end(table: Given) -> None:
    short = Limits(seconds=0.2, memory_mb=50, threads=1)
    with pytest.raises(BadQuery, match="longer than"):
        ask("SELECT count(*) FROM range(1000000) a, range(1000000) b", limits=short)
    with pytest.raises(BadQuery, match="memory"):
        ask("SELECT list(repeat('x', 100000) || range) FROM range(10000)", limits=short)


def test_an_answer_is_cut_to_its_bytes() -> None:
    small = Limits(bytes=10_000, threads=1)
    answer = ask("SELECT repeat('x', 100) FROM range(1000)", limits=small)
    assert answer.truncated
    assert 0 < answer.data.num_rows < 100


def test_every_function_that_is_allowed_exists_or_is_syntax() -> None:
    known = {
        name.lower()
        for (name,) in duckdb.sql(
            "SELECT DISTINCT function_name FROM duckdb_functions()"
        ).fetchall()
    }
    syntax = {"coalesce", "ifnull", "grouping", "grouping_id", "!", "->", "xor", "unnest", "<>"}
    windows = {"cume_dist", "dense_rank", "fill", "first_value", "lag", "last_value", "lead"}
    windows |= {"nth_value", "ntile", "percent_rank", "rank", "rank_dense", "row_number"}
    assert set(FUNCTIONS) - known <= syntax | windows
    assert known >= TABLE_FUNCTIONS


FURTHER = """
read_ glob scan duckdb_ pragma setting secret getenv variable query serialize sleep write_log pg_ current_s nextval
"""


@pytest.mark.parametrize("word", FURTHER.split())
def test_no_function_is_allowed_that_reaches_further(word: str) -> None:
    assert not [name for name in FUNCTIONS if word in name]


def test_files_that_were_handed_over_are_all_there_is(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"0123456789")
    files, others = HandedOver(), HandedOver()
    assert files.protocol != others.protocol
    address = files.add(os.open(file, os.O_RDONLY))
    with files.open(address) as view:
        assert (view.readable(), view.seekable()) == (True, True)
        assert view.seek(-3, os.SEEK_END) == view.tell() == 7
        assert (view.read(2), view.seek(-1, os.SEEK_CUR), view.read()) == (b"78", 8, b"89")
        buffer = bytearray(4)
        assert (view.seek(8), view.readinto(buffer), bytes(buffer)) == (8, 2, b"89\0\0")
    assert files.info(address)["size"] == 10
    assert (files.exists(address), files.isfile(address)) == (True, True)
    assert (files.glob(address), files.glob(files.root + "*")) == ([address], [])
    assert files.modified(address) == files.created(address)
    for path in (str(file), files.root + "9.parquet", "/etc/passwd"):
        with pytest.raises(FileNotFoundError):
            files.open(path)
    with pytest.raises(PermissionError):
        files.open(address, "wb")


HEAD = struct.Struct("!IIQ")


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"short",
        HEAD.pack(2**31, 0, 0),
        HEAD.pack(5, 0, 0) + b"{{{{{",
        HEAD.pack(2, 0, 0) + b"[]",
        HEAD.pack(2, 0, 7) + b"{}",
        HEAD.pack(2, 1, 0) + b"{}x",
        HEAD.pack(200_000, 0, 0) + b"[" * 200_000,
    ],
)
def test_what_no_honest_child_says_is_not_believed(sent: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        writer = threading.Thread(target=lambda: (theirs.sendall(sent), theirs.close()))
        writer.start()
        with pytest.raises(wire.Ended):
            wire.receive(ours)
        writer.join()


@pytest.mark.parametrize(
    ("message", "content"),
    [
        ({"names": ["a"], "types": ["integer"], "truncated": False}, b"no Arrow"),
        ({"names": ["a"]}, b""),
        ({"error": "gone", "code": "odd"}, b""),
    ],
)
def test_an_answer_that_is_none_is_an_error_of_ours(
    message: dict[str, object], content: bytes
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire.send(theirs, message, content=content)
        with pytest.raises(Unavailable):
            Call(ours, LIMITS, 10).run([])


def test_more_content_than_is_allowed_is_not_read() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(HEAD.pack(2, 0, 10**12) + b"{}")
        with pytest.raises(wire.Ended):
            wire.receive_content(ours, 1_000)


def test_a_child_that_says_nothing_is_given_up() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        call = Call(ours, Limits(seconds=-1.4), 10)
        with pytest.raises(CatalogError, match="longer than"):
            call.run([])


def decided(machine: Machine, number: int, *arguments: int, audit: int = 0) -> str:
    """What the kernel would do with a system call: the filter's program, run as the kernel runs it."""
    data = struct.pack(
        "IIQ6Q", number, audit or machine.audit, 0, *arguments, *[0] * (6 - len(arguments))
    )
    steps = list(struct.iter_unpack("HBBI", rights._filter(machine, 7)))
    at, loaded = 0, 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        match code:
            case 0x20:
                (loaded,) = struct.unpack_from("I", data, value)
            case 0x15:
                at += yes if loaded == value else no
            case 0x45:
                at += yes if loaded & value else no
            case _:
                return {0x7FFF0000: "allowed", 0x80000000: "killed"}.get(
                    value, f"error {value & 0xFFFF}"
                )


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_a_filter_allows_computing_and_refuses_all_else(machine: Machine) -> None:
    allowed = {number for number in range(600) if decided(machine, number) == "allowed"}
    looked_into = {machine.mmap, machine.mprotect, machine.prlimit64}
    assert allowed == {*machine.allowed.values(), *looked_into}
    assert decided(machine, machine.mmap, 0, 4096, 1 | 4) == "error 1"  # new code
    assert decided(machine, machine.mprotect, 0, 4096, 4) == "error 1"
    assert decided(machine, machine.clone, 0x11) == "error 1"  # a process
    assert decided(machine, machine.clone, rights.CLONE_THREAD | 0x100) == "allowed"
    assert decided(machine, machine.clone3) == "error 38"
    assert decided(machine, machine.tgkill, 7) == "allowed"
    assert decided(machine, machine.tgkill, 8) == "error 1"
    assert decided(machine, machine.prlimit64, 8) == "error 1"
    assert decided(machine, machine.newfstatat, 3, 0, 0, rights.AT_EMPTY_PATH) == "allowed"
    assert (
        decided(machine, machine.allowed["read"], audit=0x40000003) == "killed"
    )  # of another machine


@pytest.mark.parametrize(
    ("name", "of_x86_64", "of_aarch64"),
    [("openat", 257, 56), ("execve", 59, 221), ("socket", 41, 198), ("ptrace", 101, 117), ("kill", 62, 129),
     ("io_uring_setup", 425, 425), ("connect", 42, 203), ("unshare", 272, 97), ("mount", 165, 40), ("bpf", 321, 280)],
)  # fmt: skip
def test_no_machine_lets_a_child_reach_out(name: str, of_x86_64: int, of_aarch64: int) -> None:
    assert decided(MACHINES["x86_64"], of_x86_64) == "error 1", name
    assert decided(MACHINES["aarch64"], of_aarch64) == "error 1", name


def test_a_machine_without_a_list_has_no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert rights._seccomp() is False


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_the_filter_of_system_calls_is_a_list_of_whole_steps(machine: Machine) -> None:
    program = rights._filter(machine, 7)
    steps = [struct.unpack("HBBI", part) for (part,) in struct.iter_unpack("8s", program)]
    assert len(steps) < 4096
    for at, (code, yes, no, _) in enumerate(steps):
        if code & 7 == 5:  # a jump stays inside
            assert at + 1 + max(yes, no) < len(steps)
    assert steps[-1][3] == 0x00050001
    rights.limit_memory(1, -1)
    handle = rights.open_memory()
    assert handle > 0
    os.close(handle)
