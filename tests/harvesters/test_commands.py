"""The command line for operators of harvests, over real sources and runs."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from harvesters.commands import COMMANDS
from harvesters.models import HarvestSource
from tests.make_scripted import Scripted, harvest, titled


def said(name: str, *args: str, fails: bool = False) -> str:
    """What a command prints."""
    command = next(one for one in COMMANDS if one.name == name)
    result = CliRunner().invoke(command, list(args))
    assert result.exit_code == (1 if fails else 0), result.output
    return result.output


def test_a_source_is_tried_out_run_looked_at_and_decided_on(
    source: HarvestSource, scripted: Scripted
) -> None:
    slug = source.slug
    assert said("status") == f"{slug}: never read\n"
    scripted.script = [titled("a"), titled("b"), titled("c")]
    assert said("dry-run", slug).splitlines()[-1] == "3 created"
    harvest(source)
    assert "3 seen, 3 created" in said("status", slug)
    assert "3 created" in said("status")
    scripted.script = [titled("a", tags=["new"]), titled("d", themes=["unknown"])]
    lines = said("dry-run", slug)
    assert "changed   a" in lines
    assert "tags: " in lines
    assert "refused   d: there is no theme “unknown”" in lines
    held = harvest(source)
    assert held.held == 2
    explained = said("explain", slug, "a")
    assert explained.startswith("changed")
    assert '"tags"' in explained
    assert "there is no theme" in said("explain", slug, "d")
    assert said("decide", slug, "keep") == "They are kept.\n"
    assert "decided already" in said("decide", slug, "withdraw", fails=True)
    assert "waiting" in said("run", slug) or "done" in said("status", slug)


@pytest.mark.parametrize("name", ["run", "dry-run", "status", "explain", "decide"])
def test_an_unknown_source_is_named(source: HarvestSource, name: str) -> None:
    more = {"explain": ["a"], "decide": ["keep"]}.get(name, [])
    assert "there is no source “none”" in said(name, "none", *more, fails=True)
