"""releases"""

import sqlalchemy as sa
from alembic import op

revision = '7a14aa695fe2'
down_revision = 'fc42eb00cdfa'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('citation',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('table_id', sa.String(length=36), nullable=False),
    sa.Column('release', sa.Integer(), nullable=False),
    sa.Column('query', sa.JSON(), nullable=False),
    sa.Column('rows', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['table_id'], ['data_table.id'], name=op.f('fk_citation_table_id_data_table'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_citation'))
    )
    with op.batch_alter_table('citation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_citation_table_id'), ['table_id'], unique=False)

    op.create_table('release_file',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('table_id', sa.String(length=36), nullable=False),
    sa.Column('release', sa.Integer(), nullable=False),
    sa.Column('format', sa.String(length=20), nullable=False),
    sa.Column('path', sa.String(length=300), nullable=False),
    sa.Column('kept', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['table_id'], ['data_table.id'], name=op.f('fk_release_file_table_id_data_table'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_release_file')),
    sa.UniqueConstraint('table_id', 'release', 'format', name=op.f('uq_release_file_table_id_release_format'))
    )
    with op.batch_alter_table('release_file', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_release_file_table_id'), ['table_id'], unique=False)

    op.create_table('table_alias',
    sa.Column('alias', sa.String(length=100), nullable=False),
    sa.Column('table_id', sa.String(length=36), nullable=False),
    sa.ForeignKeyConstraint(['table_id'], ['data_table.id'], name=op.f('fk_table_alias_table_id_data_table'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('alias', name=op.f('pk_table_alias'))
    )
    with op.batch_alter_table('table_alias', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_table_alias_table_id'), ['table_id'], unique=False)

    with op.batch_alter_table('data_table', schema=None) as batch_op:
        batch_op.add_column(sa.Column('primary_key', sa.JSON(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('profiled', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('next_row', sa.BigInteger(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('next_column', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('withholds', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('retention', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('kept_cells', sa.BigInteger(), server_default='0', nullable=False))

    with op.batch_alter_table('journal_file', schema=None) as batch_op:
        batch_op.add_column(sa.Column('numbered', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.drop_constraint(batch_op.f('uq_journal_file_table_id_position'), type_='unique')
        batch_op.create_unique_constraint(batch_op.f('uq_journal_file_table_id_position_kind'), ['table_id', 'position', 'kind'])

    with op.batch_alter_table('release', schema=None) as batch_op:
        batch_op.add_column(sa.Column('inserted', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('updated', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('deleted', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('columns', sa.JSON(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('primary_key', sa.JSON(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('pinned', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('expired_at', sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table('table_column', schema=None) as batch_op:
        batch_op.add_column(sa.Column('semantic', sa.String(length=40), server_default='', nullable=False))
        batch_op.add_column(sa.Column('access', sa.String(length=10), server_default='open', nullable=False))
        batch_op.add_column(sa.Column('mask', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('info', sa.JSON(), server_default='{}', nullable=False))

    with op.batch_alter_table('resource', schema=None) as batch_op:
        batch_op.add_column(sa.Column('extras', sa.JSON(), server_default='{}', nullable=False))

    # What the tables that are there already would have been given.
    op.execute("UPDATE data_table SET next_row = rows, profiled = head")
    op.execute(
        "UPDATE data_table SET next_column ="
        " (SELECT count(*) FROM table_column WHERE table_column.table_id = data_table.id)"
    )
    op.execute(
        "UPDATE release SET columns = coalesce((SELECT journal_file.columns FROM journal_file"
        " WHERE journal_file.table_id = release.table_id"
        " AND journal_file.position = release.position), release.columns)"
    )



def downgrade() -> None:
    with op.batch_alter_table('resource', schema=None) as batch_op:
        batch_op.drop_column('extras')

    with op.batch_alter_table('table_column', schema=None) as batch_op:
        batch_op.drop_column('info')
        batch_op.drop_column('mask')
        batch_op.drop_column('access')
        batch_op.drop_column('semantic')

    with op.batch_alter_table('release', schema=None) as batch_op:
        batch_op.drop_column('expired_at')
        batch_op.drop_column('pinned')
        batch_op.drop_column('primary_key')
        batch_op.drop_column('columns')
        batch_op.drop_column('deleted')
        batch_op.drop_column('updated')
        batch_op.drop_column('inserted')

    with op.batch_alter_table('journal_file', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_journal_file_table_id_position_kind'), type_='unique')
        batch_op.create_unique_constraint(batch_op.f('uq_journal_file_table_id_position'), ['table_id', 'position'])
        batch_op.drop_column('numbered')

    with op.batch_alter_table('data_table', schema=None) as batch_op:
        batch_op.drop_column('kept_cells')
        batch_op.drop_column('withholds')
        batch_op.drop_column('retention')
        batch_op.drop_column('next_column')
        batch_op.drop_column('next_row')
        batch_op.drop_column('profiled')
        batch_op.drop_column('primary_key')

    with op.batch_alter_table('table_alias', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_table_alias_table_id'))

    op.drop_table('table_alias')
    with op.batch_alter_table('release_file', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_release_file_table_id'))

    op.drop_table('release_file')
    with op.batch_alter_table('citation', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_citation_table_id'))

    op.drop_table('citation')
