"""harvesting"""

import sqlalchemy as sa
from alembic import op

revision = '8e1d3a5b7c90'
down_revision = '5d0c7f2e91ab'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'harvest_sent_batch',
        sa.Column('id', sa.String(length=36), nullable=False),
        sa.Column('source_id', sa.String(length=36), nullable=False),
        sa.Column('name', sa.String(length=200), nullable=False),
        sa.Column('list_name', sa.String(length=200), nullable=False),
        sa.Column('digest', sa.String(length=64), nullable=False),
        sa.Column('keys', sa.JSON(), nullable=False),
        sa.Column('answer', sa.JSON(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['source_id'], ['harvest_source.id'], name=op.f('fk_harvest_sent_batch_source_id_harvest_source'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_harvest_sent_batch')),
    )
    with op.batch_alter_table('harvest_sent_batch', schema=None) as batch_op:
        batch_op.create_index('ix_harvest_sent_batch_name', ['source_id', 'name'], unique=True)
        batch_op.create_index('ix_harvest_sent_batch_list', ['source_id', 'list_name'], unique=False)


def downgrade() -> None:
    op.drop_table('harvest_sent_batch')
