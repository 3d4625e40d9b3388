"""harvested records"""

import sqlalchemy as sa
from alembic import op

revision = 'c4e1a60b7d35'
down_revision = '8e1d3a5b7c90'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('harvest_item',
    sa.Column('source_id', sa.String(length=36), nullable=False),
    sa.Column('key', sa.String(length=500), nullable=False),
    sa.Column('dataset_id', sa.String(length=36), nullable=True),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.Column('result', sa.String(length=20), nullable=False),
    sa.Column('error', sa.JSON(), nullable=False),
    sa.Column('raw', sa.LargeBinary(), nullable=False),
    sa.Column('has_loads', sa.Boolean(), nullable=False),
    sa.Column('run_id', sa.String(length=36), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['source_id'], ['harvest_source.id'], name=op.f('fk_harvest_item_source_id_harvest_source'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('source_id', 'key', name=op.f('pk_harvest_item'))
    )
    with op.batch_alter_table('harvest_item', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_harvest_item_dataset_id'), ['dataset_id'], unique=False)

    with op.batch_alter_table('harvest_source', schema=None) as batch_op:
        batch_op.add_column(sa.Column('cron', sa.String(length=100), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('most_withdrawn', sa.Integer(), nullable=False, server_default='50'))
        batch_op.add_column(sa.Column('rules', sa.JSON(), nullable=False, server_default='{}'))
        batch_op.add_column(sa.Column('alerts', sa.JSON(), nullable=False, server_default='{}'))
        batch_op.add_column(sa.Column('memory', sa.JSON(), nullable=False, server_default='{}'))

    with op.batch_alter_table('harvest_run', schema=None) as batch_op:
        batch_op.add_column(sa.Column('held', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('decision', sa.String(length=20), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('decided_by', sa.String(length=200), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('is_trial', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('attempt', sa.Integer(), nullable=False, server_default='0'))


def downgrade() -> None:
    with op.batch_alter_table('harvest_run', schema=None) as batch_op:
        for name in ('attempt', 'is_trial', 'decided_by', 'decision', 'held'):
            batch_op.drop_column(name)

    with op.batch_alter_table('harvest_source', schema=None) as batch_op:
        for name in ('memory', 'alerts', 'rules', 'most_withdrawn', 'cron'):
            batch_op.drop_column(name)

    with op.batch_alter_table('harvest_item', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_harvest_item_dataset_id'))

    op.drop_table('harvest_item')
