"""harvested series"""

import sqlalchemy as sa
from alembic import op

revision = '5d0c7f2e91ab'
down_revision = 'ab561c59a4d8'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('dataset_series', schema=None) as batch_op:
        batch_op.add_column(sa.Column('source_id', sa.String(length=36), nullable=True))
        batch_op.add_column(sa.Column('record_key', sa.String(length=500), nullable=True))
        batch_op.create_index('ix_dataset_series_origin', ['source_id', 'record_key'], unique=True)


def downgrade() -> None:
    with op.batch_alter_table('dataset_series', schema=None) as batch_op:
        batch_op.drop_index('ix_dataset_series_origin')
        batch_op.drop_column('record_key')
        batch_op.drop_column('source_id')
