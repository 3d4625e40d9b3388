"""The demo: migrates, starts every process, harvests the demo departments, prints where to look, ends them all.

Started by `make demo`; `python -m demo.start --port 8000` once everything is installed and built.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from catalog.errors import Conflict
from catalog.permissions import SCHEDULER
from catalog.queue import job_queue
from catalog.services import accounts
from catalog.settings import Settings
from demo.port import any_free, is_free, require_free
from harvesters import demo, services
from wsgi import create_app, upgrade_database

ROOT = Path(__file__).parent.parent
ADMINISTRATOR = "admin@weft.example"
STOP_SECONDS = 20
console = Console(highlight=False)


@click.command()
@click.option("--port", default=8000, show_default=True, help="Port of the portal.")
@click.option(
    "--data", default="var/demo", show_default=True, help="Folder for what the demo keeps."
)
@click.option(
    "--exit-when-ready", is_flag=True, help="End as soon as the portal is ready (for tests)."
)
def start(port: int, data: str, *, exit_when_ready: bool) -> None:
    """Start the demo portal and stay until Ctrl-C."""
    require_free(port)
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
    ):  # a shell may have had them ignored
        signal.signal(number, _interrupt)
    folder = (ROOT / data).resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with _alone(folder, port):
            settings = Settings.from_env(_environment(port, folder))
            upgrade_database(settings)
            with _processes(settings, port) as running:
                password = _harvest(settings, running)
                _wait_until_answers(port, running)
                _tell(port, password)
                while not exit_when_ready:
                    running.check()
                    time.sleep(1)
    except KeyboardInterrupt:
        console.print("\nStopped.")


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 # the signature is signal's
    raise KeyboardInterrupt


@contextmanager
def _alone(folder: Path, port: int) -> Iterator[None]:
    """Hold the folder's lock, so that two demos never share one folder; the kernel lets go of it."""
    with (folder / "demo.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            sys.exit(
                f"The demo runs already, at {lock.read().strip()}: stop that one first (Ctrl-C there)."
            )
        lock.truncate(0)
        lock.write(f"http://127.0.0.1:{port}")
        lock.flush()
        yield


def _environment(port: int, folder: Path) -> dict[str, str]:
    """WEFT_* settings of the demo; what the caller's environment names goes first."""
    chosen = folder / "server_port"
    if not chosen.exists() or not is_free(int(chosen.read_text())):
        chosen.write_text(str(any_free()))
    given = {key: text for key, text in os.environ.items() if key.startswith("WEFT_")}  # noqa: TID251 # a process starter hands the environment on
    own = {
        "WEFT_DATA_DIR": str(folder),
        "WEFT_SITE_URL": f"http://127.0.0.1:{port}",
        "WEFT_FETCH_FOLDERS": f"{ROOT / 'demo'}:{folder}",
        "WEFT_LOG_LEVEL": "WARNING",
        **given,
    }
    hosts = [f"127.0.0.1:{chosen.read_text()}", given.get("WEFT_FETCH_PRIVATE_HOSTS", "")]
    return {**own, "WEFT_FETCH_PRIVATE_HOSTS": ",".join(filter(None, hosts))}


@dataclass(frozen=True)
class Running:
    """The demo's processes by name, and the `host:port` of the departments' server."""

    server: str
    processes: dict[str, subprocess.Popen[bytes]]
    log: Path

    def check(self) -> None:
        """End the demo with a sentence when one of its processes has ended."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                sys.exit(
                    f"The {name} has ended by itself; why may stand in {self.log}. Start the demo again: nothing is lost."
                )


@contextmanager
def _processes(settings: Settings, port: int) -> Iterator[Running]:
    """Departments' server, worker and web process, ended together."""
    server = settings.fetch_private_hosts.partition(",")[0]
    environment = {**os.environ, **_as_environment(settings)}  # noqa: TID251 # a process starter hands the environment on
    log = Path(settings.data_dir) / "demo.log"
    commands = {
        "departments' server": ("-m", "demo.server", "--port", server.rpartition(":")[2]),
        "worker": ("wsgi.py", "worker"),
        "web process": ("wsgi.py", "web", "--port", str(port)),
    }
    with log.open("ab") as output, warnings.catch_warnings():
        # Lance warns of every fork; these children become other programs at once.
        warnings.filterwarnings("ignore", message="lance is not fork-safe")
        processes = {
            name: subprocess.Popen(  # noqa: S603 # our own programs
                (sys.executable, *command),
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # no threads run yet
            )
            for name, command in commands.items()
        }
    try:
        yield Running(server, processes, log)
    finally:
        _end(list(processes.values()))


def _die_with_parent() -> None:
    """On Linux: be told to end when the demo is killed so hard that it cannot tell us."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def _as_environment(settings: Settings) -> dict[str, str]:
    default = Settings()
    names = [name for name in vars(settings) if getattr(settings, name) != getattr(default, name)]
    return {f"WEFT_{name.upper()}": str(getattr(settings, name)) for name in names}


def _end(running: list[subprocess.Popen[bytes]]) -> None:
    for process in running:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _harvest(settings: Settings, running: Running) -> str | None:
    """Register and harvest what was not harvested yet; returns a one-time password if one was made."""
    with create_app(settings).app_context():
        demo.register_demo(ROOT / "demo", running.server)
        waiting = [source for source in services.sources(SCHEDULER) if source.last_run is None]
        if waiting:
            _watch([services.run_now(SCHEDULER, source.id).id for source in waiting], running)
        demo.register_services(ROOT / "demo", running.server)
        try:
            return accounts.create_administrator(ADMINISTRATOR)
        except Conflict:
            return None


def _watch(runs: list[str], running: Running) -> None:
    """Show a bar until every run has ended and every table is loaded."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("Harvesting departments", total=len(runs))
        loads = progress.add_task("Loading tables", total=None)
        while True:
            running.check()
            state = services.progress(SCHEDULER, runs)
            progress.update(bar, completed=state.ended)
            progress.update(loads, completed=state.loaded, total=state.to_load or None)
            if (
                state.ended == len(runs)
                and state.loaded >= state.to_load
                and not job_queue().waiting()
            ):
                return
            time.sleep(0.3)


def _wait_until_answers(port: int, running: Running, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        running.check()
        with closing(socket.socket()) as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit("The portal did not start; its log is in the data folder, in demo.log")


def _tell(port: int, password: str | None) -> None:
    address = f"http://127.0.0.1:{port}"
    console.print(
        f"\n[bold]Weft is at {address}[/bold]  (中文: {address}/zh/ · English: {address}/en/)\n"
    )
    if password:
        console.print(
            f"Administrator: {ADMINISTRATOR}   one-time password: [bold]{password}[/bold]\n"
        )
    else:
        console.print(
            f"Administrator: {ADMINISTRATOR}, with the password that you chose or that the first start printed.\n"
        )
    console.print("Three things to try:")
    console.print(
        f"  1. Search the hourly air quality of four stations: {address}/en/datasets?q=air+quality"
    )
    console.print(f"  2. See the districts' map day by day: {address}/zh/datasets?q=新冠")
    console.print(f"  3. Ask the API: curl '{address}/api/v1/datasets?q=行政区划'")
    console.print("\nCtrl-C stops everything.")


if __name__ == "__main__":
    start()
