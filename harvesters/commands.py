"""The command line for those who operate harvests: `wsgi.py harvest …`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from catalog.errors import CatalogError
from catalog.permissions import SCHEDULER
from harvesters import operating, services
from harvesters.models import HarvestRun, RunState
from harvesters.trials import Foreseen

SHOWN_CHANGES = 20


@contextmanager
def _sentences() -> Iterator[None]:
    """What is wrong as a line on the terminal."""
    try:
        yield
    except CatalogError as error:
        raise click.ClickException(f"{error} {getattr(error, 'problems', '') or ''}") from error


@click.command()
@click.argument("source")
def run(source: str) -> None:
    """Ask for a run of SOURCE; the worker does it."""
    with _sentences():
        asked = services.run_now(SCHEDULER, services.source(SCHEDULER, source).id)
    click.echo(f"{asked.id} {asked.state}")


@click.command()
@click.argument("source")
def dry_run(source: str) -> None:
    """Read SOURCE here and print what a run would do with each record; nothing is written."""
    counts: dict[str, int] = {}
    with _sentences():
        for one in operating.foresee(SCHEDULER, services.source(SCHEDULER, source).id):
            counts[one.result] = counts.get(one.result, 0) + 1
            if one.result != "same":
                _echo_foreseen(one)
    click.echo(", ".join(f"{count} {result}" for result, count in counts.items()) or "no records")


def _echo_foreseen(one: Foreseen) -> None:
    click.echo(f"{one.result:<9} {one.key}{_said(one.error)}")
    for change in one.changes[:SHOWN_CHANGES]:
        click.echo(f"          {change.field}: {change.before} → {change.after}")


@click.command()
@click.argument("source", required=False)
def status(source: str | None) -> None:
    """Print how the newest run of each source ended, or the newest runs of SOURCE."""
    with _sentences():
        if source is None:
            for one in services.sources(SCHEDULER):
                click.echo(f"{one.slug}: {_line(one.last_run) if one.last_run else 'never read'}")
            return
        for found in services.runs(SCHEDULER, services.source(SCHEDULER, source).id):
            click.echo(f"{found.id} {_line(found)}")


@click.command()
@click.argument("source")
@click.argument("decision", type=click.Choice(["withdraw", "keep"]))
def decide(source: str, decision: str) -> None:
    """Say what becomes of the datasets that the newest run of SOURCE has missed and holds."""
    with _sentences():
        found = services.source(SCHEDULER, source)
        is_withdrawn = decision == "withdraw"
        operating.decide(SCHEDULER, found.id, str(found.last_run_id), is_withdrawn=is_withdrawn)
    click.echo("The worker withdraws them." if decision == "withdraw" else "They are kept.")


@click.command()
@click.argument("source")
@click.argument("record")
def explain(source: str, record: str) -> None:
    """Print RECORD of SOURCE as it came, what is made of it, and what is wrong with it."""
    with _sentences():
        found = operating.explain(SCHEDULER, services.source(SCHEDULER, source).id, record)
    click.echo(f"{found.item.result}{_said(found.item.error)}")
    click.echo(f"\nAs it came:\n{found.raw}")
    click.echo(f"\nDescribed:\n{found.described or _said(found.problem) or '–'}")


def _line(run: HarvestRun) -> str:
    """A run in a line."""
    counts = ", ".join(
        f"{getattr(run, name)} {name}"
        for name in ("seen", "created", "changed", "same", "refused", "retired", "held")
        if getattr(run, name)
    )
    moment = (run.started_at or run.created_at).isoformat(timespec="seconds")
    return f"{moment} {RunState(run.state)}: {counts or 'nothing yet'}{_said(run.problem)}"


def _said(told: dict[str, object]) -> str:
    """What `runs.told` keeps of an error, as a sentence after a colon; nothing for none."""
    if not told:
        return ""
    context = told.get("context")
    sentence = str(told.get("message", "")) % (context if isinstance(context, dict) else {})
    return f": {sentence} {told.get('problems') or ''}".rstrip()


COMMANDS = (run, dry_run, status, decide, explain)
"""What `wsgi.py harvest` can be told."""
