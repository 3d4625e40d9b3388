"""Alembic's environment: our models, the portal's own connection, each migration in a transaction."""

from alembic import context
from flask import current_app

from catalog.models.base import Moment


def plain(kind: str, item: object, autogen_context: object) -> str | bool:
    """Types of ours as SQLAlchemy's own, so that a migration does not depend on our code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Moment) else False


db = current_app.extensions["migrate"].db

# On SQLite a table is copied to change it; with foreign keys on, dropping the old one would delete its children's rows.
with db.engine.connect() as connection:
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:  # by the driver itself: inside a transaction, which SQLAlchemy would open, the pragma does nothing
        connection.connection.execute("PRAGMA foreign_keys=OFF")
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        compare_type=True,
        render_item=plain,
        render_as_batch=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
    if sqlite:
        connection.connection.execute("PRAGMA foreign_keys=ON")
