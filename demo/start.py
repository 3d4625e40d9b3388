"""The demo: migrates, starts every process, harvests the demo departments, prints where to look, ends them all.

Started by `make demo`; `python -m demo.start --port 8000` once everything is installed and built.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
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
    signal.signal(signal.SIGTERM, _interrupt)
    settings = Settings.from_env(_environment(port, data))
    upgrade_database(settings)
    try:
        with _processes(settings, port) as server:
            password = _harvest(settings, server)
            _wait_until_answers(port)
            _tell(port, password)
            while not exit_when_ready:
                time.sleep(3600)
    except KeyboardInterrupt:
        console.print("\nStopped.")


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 # the signature is signal's
    raise KeyboardInterrupt


def _environment(port: int, data: str) -> dict[str, str]:
    """WEFT_* settings of the demo; what the caller's environment names goes first."""
    folder = (ROOT / data).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    chosen = folder / "server_port"
    if not chosen.exists() or not is_free(int(chosen.read_text())):
        chosen.write_text(str(any_free()))
    given = {key: text for key, text in os.environ.items() if key.startswith("WEFT_")}  # noqa: TID251 # a process starter hands the environment on
    return {
        "WEFT_DATA_DIR": str(folder),
        "WEFT_SITE_URL": f"http://127.0.0.1:{port}",
        "WEFT_FETCH_PRIVATE_HOSTS": f"127.0.0.1:{chosen.read_text()}",
        "WEFT_FETCH_FOLDERS": f"{ROOT / 'demo'}:{folder}",
        "WEFT_LOG_LEVEL": "WARNING",
        **given,
    }


@contextmanager
def _processes(settings: Settings, port: int) -> Iterator[str]:
    """Departments' server, worker and web process, ended together; gives the server's `host:port`."""
    server = settings.fetch_private_hosts
    environment = {**os.environ, **_as_environment(settings)}  # noqa: TID251 # a process starter hands the environment on
    log = (Path(settings.data_dir) / "demo.log").open("ab")
    commands = (
        ("-m", "demo.server", "--port", server.rpartition(":")[2]),
        ("wsgi.py", "worker"),
        ("wsgi.py", "web", "--port", str(port)),
    )
    running = [
        subprocess.Popen(  # noqa: S603 # our own programs
            (sys.executable, *command),
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        for command in commands
    ]
    try:
        yield server
    finally:
        _end(running)
        log.close()


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


def _harvest(settings: Settings, server: str) -> str | None:
    """Register and harvest what was not harvested yet; returns a one-time password if one was made."""
    with create_app(settings).app_context():
        demo.register_demo(ROOT / "demo", server)
        waiting = [source for source in services.sources(SCHEDULER) if source.last_run is None]
        if waiting:
            _watch([services.run_now(SCHEDULER, source.id).id for source in waiting])
        try:
            return accounts.create_administrator(ADMINISTRATOR)
        except Conflict:
            return None


def _watch(runs: list[str]) -> None:
    """Show a bar until every run has ended and every table is loaded."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("Harvesting departments", total=len(runs))
        loads = progress.add_task("Loading tables", total=None)
        while True:
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


def _wait_until_answers(port: int, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
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
