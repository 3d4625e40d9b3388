"""The compose file and the image: what they name is there, and settings are ones that the portal knows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from catalog.settings import Settings
from wsgi import weft

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
OWN = ("migrate", "web", "worker")


@pytest.mark.parametrize("name", OWN)
def test_each_process_starts_with_settings_that_the_portal_takes(name: str):
    service = COMPOSE["services"][name]
    given = {
        key: re.sub(r"\$\{[A-Z_]+:-(.*)\}|\$\{.*\}", r"\1", text)
        for key, text in service["environment"].items()
    }
    settings = Settings.from_env(given)
    assert settings.database_url.startswith("postgresql+psycopg://weft:@postgres/")
    assert settings.limits_url == settings.queue_url == "redis://redis/0"
    assert settings.web_processes == 2
    command, *options = service["command"]
    weft.commands[command].make_context(command, options)


def test_images_are_named_by_version_and_without_the_address_of_a_registry():
    for service in COMPOSE["services"].values():
        assert re.fullmatch(r"[a-z]+:\d+(\.\d+)*", service["image"])
    (base,) = re.findall(r"^FROM (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert re.fullmatch(r"python:\d+\.\d+-[a-z-]+", base)


def test_what_has_to_be_filled_in_is_in_the_example():
    asked = set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "compose.yaml").read_text()))
    example = (ROOT / "compose.env.example").read_text()
    assert asked == set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))


def test_what_a_service_waits_for_and_keeps_is_there():
    for service in COMPOSE["services"].values():
        for other, how in service.get("depends_on", {}).items():
            needs = COMPOSE["services"][other]
            assert ("healthcheck" in needs) == (how["condition"] == "service_healthy")
        for volume in service["volumes"]:
            assert volume.partition(":")[0] in COMPOSE["volumes"]
        assert set(service["networks"]) <= set(COMPOSE["networks"])
