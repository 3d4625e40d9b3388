"""indexes that count what is public"""

from alembic import op

revision = '2b7c90d4e6f1'
down_revision = 'c4e1a60b7d35'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index('ix_dataset_organization_state', 'dataset', if_exists=True)
    op.create_index('ix_dataset_organization_public', 'dataset', ['organization_id', 'state', 'private', 'id'], if_not_exists=True)
    op.create_index(op.f('ix_dataset_theme_theme_id'), 'dataset_theme', ['theme_id'], if_not_exists=True)


def downgrade() -> None:
    op.drop_index(op.f('ix_dataset_theme_theme_id'), 'dataset_theme', if_exists=True)
    op.drop_index('ix_dataset_organization_public', 'dataset', if_exists=True)
    op.create_index('ix_dataset_organization_state', 'dataset', ['organization_id', 'state'], if_not_exists=True)
