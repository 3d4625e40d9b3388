"""Migrations on real databases: they reach the models, keep rows, and go back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, select

from catalog.db import db, transaction
from catalog.models.base import Base
from catalog.models.organization import Organization
from catalog.settings import Settings
from wsgi import create_migrating_app


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_app(
    request: pytest.FixtureRequest, settings: Settings, tmp_path: Path
) -> Iterator[Flask]:
    if request.param == "postgres":
        settings = replace(settings, database_url=request.getfixturevalue("postgres"))
    app = create_migrating_app(settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def test_migrations_reach_the_models_keep_rows_and_go_back(empty_app: Flask):
    upgrade()
    with transaction():
        db.session.add(
            Organization(slug="civil-affairs", title={"zh": "民政局", "en": "Civil affairs"})
        )
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    upgrade()
    assert db.session.scalars(select(Organization)).one().title["zh"] == "民政局"
    db.session.rollback()
    downgrade(revision="base")
    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
