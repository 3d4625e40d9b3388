"""The child that runs strangers' SQL: what it can reach, what it may take, and what is left when it fails."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.errors import BadQuery, CatalogError, TooMany, Unavailable
from catalog.tabular.sandbox import Answer, Given, GivenColumn, Limits, Sandbox
from catalog.tabular.sandbox.syscalls import MACHINES
from tests.make_table import make_parquet

ROOT = Path(__file__).parents[2]
SHORT = Limits(seconds=2.0, rows=100, bytes=2_000_000, memory_mb=200)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(SHORT)
    yield made
    made.close()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Given:
    """The stations without the column of their days, which is withheld."""
    file = make_parquet(tmp_path_factory.mktemp("tables") / "it's.parquet")
    return given(file)


def given(file: Path, *, covered: bool = False) -> Given:
    literal = str(file).replace("'", "''")
    columns = (("station", "c0"), ("no", "c1"), ("PM2.5", "c2"), ('open`"now', "c3"))
    named = tuple(GivenColumn(name, stored) for name, stored in columns)
    return Given(f"read_parquet('{literal}')", (file,), named, covered)


def ask(sandbox: Sandbox, sql: str, *tables: Given, values: Sequence[object] = ()) -> Answer:
    with sandbox.call() as call:
        asked = call.tables(sql, values)
        return call.run([*tables] if len(tables) == len(asked) else [tables[0]] * len(asked))


def rows(answer: Answer) -> list[tuple[object, ...]]:
    return list(zip(*(column.to_pylist() for column in answer.data.columns), strict=True))


@pytest.mark.parametrize("covered", [False, True])
def test_a_statement_reads_the_columns_it_was_given(
    sandbox: Sandbox, table: Given, covered: bool
) -> None:
    table = Given(table.relation, table.files, table.columns, covered)
    answer = ask(sandbox, "SELECT * FROM t WHERE no < 3 ORDER BY no DESC LIMIT 2", table)
    assert rows(answer) == [("顺义", 2, None, False), ("东四", 1, 9.5, True)]
    assert [column.name for column in answer.columns] == ["station", "no", "PM2.5", 'open`"now']
    assert [column.type.value for column in answer.columns][:2] == ["string", "integer"]


@pytest.mark.parametrize("covered", [False, True])
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM t",
        "SELECT count(*) FROM t a JOIN t b USING (no)",
        'SELECT count(*) FROM t a, t b WHERE a.no = b.no AND a."PM2.5" > 0',
        "SELECT count(no) FROM (SELECT t FROM t) x(no)",
        "SELECT t FROM t ORDER BY t.no",
        "SELECT b FROM t AS t(a, b)",
        "SELECT * FROM t NATURAL JOIN t u",
        "SELECT #2 FROM t",
        "SELECT columns('n.*') FROM t",
        "WITH t AS (SELECT no FROM t) SELECT sum(no / 2) FROM t",
        "SELECT struct_pack(a := no, b := station) FROM t",
    ],
)
def test_a_covered_table_answers_as_an_open_one(
    sandbox: Sandbox, table: Given, sql: str, covered: bool
) -> None:
    open_ = rows(ask(sandbox, sql, table))
    hidden = Given(table.relation, table.files, table.columns, covered)
    assert rows(ask(sandbox, sql, hidden)) == open_
    assert open_


def test_masked_values_are_all_that_a_statement_sees(sandbox: Sandbox, table: Given) -> None:
    columns = (
        GivenColumn("station", "c0", (1, 0)),
        GivenColumn("no", "c1", (0, 4)),
        GivenColumn("dust", "c2"),
    )
    masked = Given(table.relation, table.files, columns, covered=True)
    answer = ask(sandbox, "SELECT * FROM t WHERE dust = 0.1 OR no IS NULL ORDER BY dust", masked)
    assert rows(answer) == [("***", "***5808", 0.1), ("***", None, 9.5)]
    assert rows(ask(sandbox, "SELECT count(*) FROM t WHERE station LIKE '%四%'", masked)) == [(0,)]
    distinct = "SELECT DISTINCT station FROM t WHERE station IS NOT NULL ORDER BY 1"
    assert rows(ask(sandbox, distinct, masked)) == [("***",), ("i***",)]


@pytest.mark.parametrize(
    ("sql", "scans"),
    [
        ("SELECT 1 FROM t", [1]),
        ("SELECT 1 FROM t, t", [2]),
        ("SELECT 1 FROM t, T, u.t", [1, 1, 1]),
        ("SELECT (SELECT max(no) FROM t) FROM t WHERE no IN (SELECT no FROM t)", [3]),
        ("WITH a AS (SELECT * FROM t), b AS (SELECT 1 FROM a, a) SELECT 1 FROM b, b, a", [5]),
        ("WITH a AS (SELECT * FROM t) SELECT 1", [0]),
        ("WITH RECURSIVE a AS (SELECT no FROM t UNION SELECT a.no FROM a) FROM a, a", [2]),
        ("SELECT 1 FROM t AT (VERSION => 3), t", [1, 1]),
        ("SELECT 1 FROM t UNION ALL (SELECT 2 FROM t EXCEPT SELECT 3 FROM u)", [2, 1]),
        ("SELECT 1", []),
    ],
)
def test_how_often_tables_are_read_is_known_before(
    sandbox: Sandbox, sql: str, scans: list[int]
) -> None:
    with sandbox.call() as call:
        assert [asked.scans for asked in call.tables(sql, ())] == scans


def test_releases_and_parts_of_names_are_told(sandbox: Sandbox) -> None:
    sql = 'SELECT 1 FROM\n  "空气"."一" AT (TIMESTAMP => \'2026-01-31\') JOIN b AT (VERSION => 3) ON true'
    with sandbox.call() as call:
        first, second = call.tables(sql, ())
    assert (first.parts, first.as_of, first.line, first.column) == (
        ("空气", "一"),
        "2026-01-31",
        2,
        3,
    )
    assert (second.parts, second.as_of) == (("b",), "3")


def test_a_table_hides_behind_no_with(sandbox: Sandbox, table: Given) -> None:
    sql = (
        "WITH t0 AS (SELECT 1 AS no), weft AS (SELECT 2) SELECT max(stations.no) FROM stations, t0"
    )
    assert rows(ask(sandbox, sql, table)) == [(2**63 - 1,)]


def test_columns_are_named_with_dataset_and_table(sandbox: Sandbox, table: Given) -> None:
    sql = 'SELECT "air-quality".data.no, data.no FROM "air-quality".data WHERE "air-quality".data.no = 1'
    assert rows(ask(sandbox, sql, table)) == [(1, 1)]


@pytest.mark.parametrize(
    "value",
    ["it's", "a\\'; DROP", "", "中文", 7, -7, 1.5, -1.5, True, False, None, 2**63, 1e300],
)
def test_values_come_back_as_they_were_sent(sandbox: Sandbox, value: object) -> None:
    found = ask(sandbox, "SELECT ? AS a", values=[value]).data["a"][0].as_py()
    assert found in (value, str(value))  # beyond 64 bits a whole number is text


@pytest.mark.parametrize(
    ("sql", "values", "words"),
    [
        ("SELECT ?", [], "?"),
        ("SELECT 1", [1], "1"),
        ("SELECT $name", [1], "name"),
        ("SELECT $2", [1], "2"),
        ("SELECT ?", ["a\0b"], "U+0000"),
        ("SELECT 1\0; SELECT 2", [], "U+0000"),
    ],
)
def test_places_and_values_must_fit(
    sandbox: Sandbox, sql: str, values: list[object], words: str
) -> None:
    with pytest.raises(BadQuery) as caught:
        ask(sandbox, sql, values=values)
    assert words in str(caught.value)


def test_rows_and_bytes_of_an_answer_are_bounded(sandbox: Sandbox) -> None:
    many = ask(sandbox, "SELECT * FROM range(1000) ORDER BY 1 DESC")
    assert (many.data.num_rows, many.truncated) == (100, True)
    assert many.data[0][0].as_py() == 999
    exact = ask(sandbox, "SELECT * FROM range(100)")
    assert (exact.data.num_rows, exact.truncated) == (100, False)
    wide = ask(sandbox, "SELECT repeat('x', 100000) FROM range(90)")
    assert wide.truncated
    assert 0 < wide.data.nbytes <= SHORT.bytes


PROBE = """
import ctypes, json, mmap, os, socket, subprocess, sys, threading
sys.path[:] = {paths}
from catalog.tabular.sandbox import child, rights
child.load()
{become}
left = rights.leave_the_network()
open_file = os.open({file!r}, os.O_RDONLY)
given_up = rights.give_up(20)
def tried(what):
    try:
        what()
    except BaseException as error:
        return type(error).__name__
    return "DONE"
libc = ctypes.CDLL(None, use_errno=True)
def call(*numbers):
    if libc.syscall(*map(ctypes.c_long, numbers)) < 0:
        raise OSError(ctypes.get_errno(), "refused")
def thread():
    seen = []
    one = threading.Thread(target=seen.append, args=(1,))
    one.start(); one.join()
    assert seen
print(json.dumps(dict(left=left, given_up=given_up, tried=dict(
    read=tried(lambda: open("/etc/passwd").read()),
    read_again=tried(lambda: open({file!r}).read()),
    through_proc=tried(lambda: open(f"/proc/self/fd/{{open_file}}").read()),
    environ=tried(lambda: open("/proc/self/environ").read()),
    list=tried(lambda: os.listdir("/")),
    write=tried(lambda: open({folder!r} + "/new", "w").write("x")),
    remove=tried(lambda: os.unlink({file!r})),
    truncate=tried(lambda: os.truncate({file!r}, 0)),
    make_folder=tried(lambda: os.mkdir({folder!r} + "/d")),
    link=tried(lambda: os.symlink("/etc/passwd", {folder!r} + "/l")),
    chmod=tried(lambda: os.chmod({file!r}, 0o777)),
    connect=tried(lambda: socket.socket().connect(("127.0.0.1", {port}))),
    udp=tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
    unix=tried(lambda: socket.socket(socket.AF_UNIX)),
    listen=tried(lambda: socket.create_server(("127.0.0.1", 0))),
    fork=tried(os.fork),
    run=tried(lambda: subprocess.run(["/bin/true"], check=True)),
    replace=tried(lambda: os.execv("/bin/true", ["true"])),
    kill_parent=tried(lambda: os.kill(os.getppid(), 0)),
    become_root=tried(lambda: os.setuid(0)),
    trace=tried(lambda: call(101, 0, 0, 0, 0)),
    new_code=tried(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)),
    io_uring=tried(lambda: call(425, 8, 0)),
    memory_file=tried(lambda: os.memfd_create("x")),
    mount=tried(lambda: call(165, 0, 0, 0, 0, 0)),
    unshare=tried(lambda: call(272, 0x10000000)),
    longer=tried(lambda: call(38, 0, 0, 0)),
    own_file=tried(lambda: os.pread(open_file, 4, 0)),
    thread=tried(thread),
    memory=tried(lambda: bytearray(10_000_000)),
))))
"""
KEPT = {"own_file", "thread", "memory"}


SOMEBODY = 12_345
"""A user who is neither root nor nobody, and owns nothing."""
BECOME = """
if os.geteuid() != {user}:  # after everything is imported: this user may not be able to read the programs
    os.setgroups([])
    os.setresgid({user}, {user}, {user})
    os.setresuid({user}, {user}, {user})
"""
USERS = {"as-started": os.geteuid(), "as-somebody": SOMEBODY if os.geteuid() == 0 else os.geteuid()}


@pytest.fixture(scope="module", params=USERS.values(), ids=USERS)
def tried(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, object]:
    """What a process can still do after it gave up its rights as a child does; it really tries."""
    folder = tmp_path_factory.mktemp("probe")
    folder.chmod(0o777)
    for above in folder.parents:
        if above.stat().st_mode & 0o005 != 0o005:
            above.chmod(0o755)  # as nobody it could not come here: that would prove nothing
    file = folder / "a.txt"
    file.write_text("secret")
    file.chmod(0o666)
    with socket.create_server(("127.0.0.1", 0)) as server:
        program = PROBE.format(
            paths=[*sys.path, str(ROOT)],
            file=str(file),
            folder=str(folder),
            port=server.getsockname()[1],
            become=BECOME.format(user=request.param),
        )
        done = subprocess.run(
            [sys.executable, "-I", "-c", textwrap.dedent(program)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.stdout, done.stderr
    assert file.read_text() == "secret"
    assert [found.name for found in folder.iterdir()] == ["a.txt"]
    return dict(json.loads(done.stdout))


def test_a_child_has_no_rights_left(tried: dict[str, object]) -> None:
    found = dict(tried["tried"])  # type: ignore[call-overload] # it is a JSON object
    assert {name for name, outcome in found.items() if outcome == "DONE"} == KEPT
    assert set(found.values()) - {"DONE"} <= {"PermissionError", "OSError", "BlockingIOError"}


def test_every_means_of_the_kernel_takes_effect_where_it_exists(tried: dict[str, object]) -> None:
    given_up = tried["given_up"]
    assert isinstance(given_up, list)
    assert given_up[:2] == ["limits", "no_new_privileges"]
    if Path("/sys/kernel/security/landlock").exists() or "landlock" in given_up:
        assert "landlock" in given_up
    if os.uname().machine in MACHINES:
        assert "seccomp" in given_up


def test_a_child_says_what_it_gave_up(sandbox: Sandbox) -> None:
    ask(sandbox, "SELECT 1")
    assert {"limits", "no_new_privileges"} <= set(sandbox.rights)


AS_SOMEBODY = """
import json, os, socket, sys
sys.path[:] = {paths}
from catalog.tabular.sandbox import Limits, Sandbox, child, mother
child.load()
{become}
made = Sandbox(Limits(seconds=5.0))
made._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
if os.fork() == 0:  # as it is started, but for the program that this user may not be able to read
    made._orders.close()
    sys.argv = ["", json.dumps(sys.path), str(theirs.fileno()), "60"]
    mother.main()
theirs.close()
assert made._orders.recv(16) == b"ready"
with made.call() as call:
    call.tables("SELECT sum(range) AS n FROM range(10)", ())
    answer = call.run([])
made.close()
print(json.dumps(dict(user=os.geteuid(), rows=answer.data.to_pylist(), rights=made.rights)))
"""


def test_a_portal_that_is_not_root_runs_statements_as_shut_in() -> None:
    user = USERS["as-somebody"]
    program = AS_SOMEBODY.format(paths=[*sys.path, str(ROOT)], become=BECOME.format(user=user))
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert (told["user"], told["rows"]) == (user, [{"n": 45}])
    assert {"limits", "no_new_privileges"} <= set(told["rights"])
    assert "nobody" not in told["rights"]  # which takes root
    if os.uname().machine in MACHINES:
        assert "seccomp" in told["rights"]


def test_no_statement_is_run_where_a_means_is_missing_that_must_be_there() -> None:
    made = Sandbox(replace(SHORT, needs=("limits", "moon")))
    try:
        with pytest.raises(Unavailable, match="lacks moon"), made.call():
            raise AssertionError("it was run")
        with pytest.raises(Unavailable):
            made.check()
    finally:
        made.close()


def test_what_a_child_could_not_give_up_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    made = Sandbox(SHORT)
    for _ in range(2):
        made._look_at(("limits", "landlock"))
    assert [record.getMessage() for record in caplog.records] == ["statements run without seccomp"]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
        "SELECT length(repeat('x', 1000000000)) FROM range(100)",
        "SELECT list_sum(range(100000000)) FROM range(100)",
    ],
)
def test_what_has_no_end_is_ended_with_a_sentence(sandbox: Sandbox, sql: str) -> None:
    with pytest.raises(CatalogError) as caught:
        ask(sandbox, sql)
    assert caught.value.status in (400, 503)
    assert rows(ask(sandbox, "SELECT 1")) == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT list(repeat('x', 1000000) || range) FROM range(10000)",
        "SELECT string_agg(repeat('x', 1000000)) FROM range(10000)",
        "SELECT repeat('x', 1000000000)",
        "SELECT count(*) FROM (SELECT DISTINCT a.range * 1000000 + b.range FROM range(20000) a, range(20000) b)",
        "SELECT a.range, b.range FROM range(1000000) a, range(1000000) b ORDER BY hash(a.range + b.range)",
    ],
)
def test_memory_has_an_end(sandbox: Sandbox, sql: str) -> None:
    try:
        ask(sandbox, sql)
    except CatalogError as error:
        assert error.status in (400, 503)  # noqa: PT017 # an answer cut to its bytes is right, too
    assert rows(ask(sandbox, "SELECT 1")) == [(1,)]


def children(sandbox: Sandbox) -> list[int]:
    """The living children of the mother."""
    return children_of(sandbox._mother.pid) if sandbox._mother else []


def children_of(mother: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue  # it has just ended
        if int(parent) == mother and state != "Z":
            found.append(int(stat.parent.name))
    return found


def test_a_killed_child_gives_a_clean_error(sandbox: Sandbox) -> None:
    ask(sandbox, "SELECT 1")
    with sandbox.call() as call:
        call.tables("SELECT count(*) FROM range(1000000) a, range(1000000) b", ())
        killer = threading.Timer(
            0.3, lambda: [os.kill(pid, signal.SIGKILL) for pid in children(sandbox)]
        )
        killer.start()
        with pytest.raises(Unavailable, match="before it had an answer"):
            call.run([])
        killer.join()
    assert rows(ask(sandbox, "SELECT 1")) == [(1,)]


def test_a_killed_mother_is_replaced(sandbox: Sandbox) -> None:
    ask(sandbox, "SELECT 1")
    assert sandbox._mother is not None
    sandbox._mother.kill()
    assert rows(ask(sandbox, "SELECT 2")) == [(2,)]
    assert sandbox._mother is not None
    os.kill(sandbox._mother.pid, signal.SIGKILL)
    sandbox._mother.wait()
    assert rows(ask(sandbox, "SELECT 3")) == [(3,)]


def test_an_idle_mother_leaves_and_comes_again() -> None:
    sandbox = Sandbox(SHORT, idle=0.1)
    assert rows(ask(sandbox, "SELECT 1")) == [(1,)]
    assert sandbox._mother is not None
    sandbox._mother.wait(20)
    assert rows(ask(sandbox, "SELECT 2")) == [(2,)]
    sandbox.close()


def test_a_hundred_callers_at_once_start_few_processes(sandbox: Sandbox) -> None:
    ask(sandbox, "SELECT 1")
    most, outcomes, done = [0], [], threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            most[0] = max(most[0], len(children(sandbox)))

    def one(name: str) -> None:
        try:
            with sandbox.call(name) as call:
                call.tables("SELECT sum(range) FROM range(1000000)", ())
                outcomes.append(call.run([]).data.num_rows)
        except (TooMany, Unavailable) as error:
            outcomes.append(error.code if error.context["retry_after"] else "without a time")

    watcher = threading.Thread(target=watch)
    watcher.start()
    callers = [threading.Thread(target=one, args=(f"caller {at % 10}",)) for at in range(100)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    done.set()
    watcher.join()
    assert len(outcomes) == 100
    assert 1 in outcomes
    assert set(outcomes) <= {1, "too_many_requests", "unavailable"}
    assert 0 < most[0] <= SHORT.processes + 2  # some may be just ending
    assert not sandbox._running


def test_one_caller_leaves_room_for_others(sandbox: Sandbox) -> None:
    with sandbox.call("greedy"):
        with pytest.raises(TooMany) as caught, sandbox.call("greedy"):
            pass
        assert caught.value.context["retry_after"]
        with sandbox.call("modest") as call:
            call.tables("SELECT 1", ())
            assert rows(call.run([])) == [(1,)]


def test_a_missing_file_is_an_error_of_ours(sandbox: Sandbox, table: Given) -> None:
    with pytest.raises(Unavailable):
        ask(sandbox, "SELECT 1 FROM t", Given("x", (Path("/nowhere"),), table.columns))


def test_many_files_are_handed_over(sandbox: Sandbox, tmp_path: Path) -> None:
    files = tuple(make_parquet(tmp_path / f"{at}.parquet") for at in range(250))
    listed = ", ".join(f"'{file}'" for file in files)
    whole = Given(f"read_parquet([{listed}])", files, (GivenColumn("no", "c1"),))
    assert rows(ask(sandbox, "SELECT count(*) FROM t", whole)) == [(250 * 7,)]


OWNER = """
import sys, time
sys.path[:] = {paths}
from catalog.tabular.sandbox import Limits, Sandbox
sandbox = Sandbox(Limits(seconds=60))
with sandbox.call() as call:
    call.tables("SELECT count(*) FROM range(1000000) a, range(1000000) b", ())
    print(sandbox._mother.pid, flush=True)
    call.run([])
"""


def test_mother_and_children_end_with_the_portal() -> None:
    program = OWNER.format(paths=[*sys.path, str(ROOT)])
    owner = subprocess.Popen(
        [sys.executable, "-I", "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert owner.stdout is not None
    with owner.stdout:
        mother = int(owner.stdout.readline())
        kept = [mother, *children_of(mother)]
        assert len(kept) == 2
        owner.kill()
        owner.wait()
    wait_until(lambda: not any(is_running(pid) for pid in kept))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(holds: Callable[[], bool]) -> None:
    """Fails when it does not come to pass within ten seconds."""
    for _ in range(200):
        if holds():
            return
        threading.Event().wait(0.05)
    pytest.fail("it did not come to pass")
