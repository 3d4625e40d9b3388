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
from sqlalchemy import inspect, select, text

from catalog.db import db, transaction
from catalog.models.base import Base
from catalog.models.dataset import Dataset, Resource, dataset_tag
from catalog.models.organization import Organization
from catalog.models.tag import Tag
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


def test_what_datasets_had_before_the_catalogue_grew_is_kept(empty_app: Flask):
    upgrade(revision="7a14aa695fe2")
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO organization (id, slug, title, description, kind, homepage, created_at)"
                " VALUES ('o', 'water', '{}', '{}', 'department', '', '2026-01-02 00:00:00')"
            )
        )
        for id_, tags in (("a", '["水质", "hourly"]'), ("b", '["hourly"]'), ("c", "[]")):
            connection.execute(
                text(
                    "INSERT INTO dataset (id, slug, title, description, notice, organization_id, license_id,"
                    " license_text, frequency, access, access_reason, tags, landing_page, contact, spatial,"
                    " temporal_start, temporal_end, state, created_at, updated_at, fingerprint, extras, uses)"
                    " VALUES (:id, :id, '{}', '{}', '{}', 'o', 'x', '', 'daily', 'open', '{}', :tags, '', '',"
                    " '', '', '', 'published', '2026-01-02 00:00:00', '2026-01-02 00:00:00', '', '{}', 0)"
                ),
                {"id": id_, "tags": tags},
            )
        connection.execute(
            text(
                "INSERT INTO resource (id, dataset_id, key, position, title, description, format, media_type, url,"
                " load, problem, extras, created_at, updated_at) VALUES ('r', 'a', 'k', 0, '{}', '{}', 'CSV', '',"
                " '', '{}', '{}', '{}', '2026-01-02 00:00:00', '2026-01-02 00:00:00')"
            )
        )
    upgrade()
    tagged = select(dataset_tag.c.dataset_id, Tag.name).join(Tag, Tag.id == dataset_tag.c.tag_id)
    assert set(db.session.execute(tagged).all()) == {
        ("a", "水质"),
        ("a", "hourly"),
        ("b", "hourly"),
    }
    dataset = db.session.get(Dataset, "a")
    assert dataset is not None
    assert dataset.published_at == dataset.created_at
    assert db.session.scalars(select(Resource.id)).all() == ["r"]
    assert (dataset.details, dataset.spatial_box, dataset.private) == ({}, [], False)
    db.session.rollback()
    downgrade(revision="7a14aa695fe2")
    with db.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM dataset")) == 3
        assert connection.scalar(text("SELECT count(*) FROM resource")) == 1
