"""catalogue"""

import uuid

import sqlalchemy as sa
from alembic import op

revision = 'ab561c59a4d8'
down_revision = '7a14aa695fe2'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('code_list',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('code', sa.String(length=100), nullable=False),
    sa.Column('title', sa.JSON(), nullable=False),
    sa.Column('source', sa.String(length=500), nullable=False),
    sa.Column('entries', sa.JSON(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_code_list')),
    sa.UniqueConstraint('code', name=op.f('uq_code_list_code'))
    )
    op.create_table('former_address',
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('slug', sa.String(length=120), nullable=False),
    sa.Column('object_id', sa.String(length=36), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'slug', name=op.f('pk_former_address'))
    )
    with op.batch_alter_table('former_address', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_former_address_object_id'), ['object_id'], unique=False)

    op.create_table('log_entry',
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_id', sa.String(length=36), nullable=True),
    sa.Column('actor', sa.String(length=200), nullable=False),
    sa.Column('action', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('object_id', sa.String(length=36), nullable=False),
    sa.Column('organization_id', sa.String(length=36), nullable=True),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.Column('previous', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_log_entry'))
    )
    with op.batch_alter_table('log_entry', schema=None) as batch_op:
        batch_op.create_index('ix_log_entry_actor', ['actor_id', 'number'], unique=False)
        batch_op.create_index('ix_log_entry_object', ['kind', 'object_id', 'number'], unique=False)
        batch_op.create_index('ix_log_entry_organization', ['organization_id', 'number'], unique=False)

    op.create_table('mail',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('to', sa.String(length=254), nullable=False),
    sa.Column('subject', sa.String(length=300), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('unsubscribe', sa.String(length=2000), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('problem', sa.String(length=500), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail'))
    )
    with op.batch_alter_table('mail', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mail_due_at'), ['due_at'], unique=False)

    op.create_table('vocabulary',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('title', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_vocabulary')),
    sa.UniqueConstraint('name', name=op.f('uq_vocabulary_name'))
    )
    op.create_table('data_element',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('code', sa.String(length=100), nullable=False),
    sa.Column('title', sa.JSON(), nullable=False),
    sa.Column('definition', sa.JSON(), nullable=False),
    sa.Column('type', sa.String(length=20), nullable=False),
    sa.Column('format', sa.String(length=100), nullable=False),
    sa.Column('pattern', sa.String(length=500), nullable=False),
    sa.Column('unit', sa.String(length=60), nullable=False),
    sa.Column('semantic', sa.String(length=40), nullable=False),
    sa.Column('code_list_id', sa.String(length=36), nullable=True),
    sa.Column('source', sa.String(length=500), nullable=False),
    sa.Column('version', sa.String(length=40), nullable=False),
    sa.Column('retired_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['code_list_id'], ['code_list.id'], name=op.f('fk_data_element_code_list_id_code_list')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_data_element')),
    sa.UniqueConstraint('code', name=op.f('uq_data_element_code'))
    )
    with op.batch_alter_table('data_element', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_data_element_code_list_id'), ['code_list_id'], unique=False)

    op.create_table('data_service',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('slug', sa.String(length=120), nullable=False),
    sa.Column('organization_id', sa.String(length=36), nullable=False),
    sa.Column('title', sa.JSON(), nullable=False),
    sa.Column('description', sa.JSON(), nullable=False),
    sa.Column('text_origins', sa.JSON(), nullable=False),
    sa.Column('tags', sa.JSON(), nullable=False),
    sa.Column('endpoint_url', sa.String(length=2000), nullable=False),
    sa.Column('endpoint_description', sa.String(length=2000), nullable=False),
    sa.Column('documentation', sa.String(length=2000), nullable=False),
    sa.Column('protocol', sa.String(length=40), nullable=False),
    sa.Column('parameters', sa.JSON(), nullable=False),
    sa.Column('limits', sa.JSON(), nullable=False),
    sa.Column('conforms_to', sa.JSON(), nullable=False),
    sa.Column('license_id', sa.String(length=40), nullable=False),
    sa.Column('access', sa.String(length=20), nullable=False),
    sa.Column('access_reason', sa.JSON(), nullable=False),
    sa.Column('contact', sa.JSON(), nullable=False),
    sa.Column('check_url', sa.String(length=2000), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('withdrawn_reason', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('index_due', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_data_service_organization_id_organization')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_data_service')),
    sa.UniqueConstraint('slug', name=op.f('uq_data_service_slug'))
    )
    with op.batch_alter_table('data_service', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_data_service_index_due'), ['index_due'], unique=False)
        batch_op.create_index(batch_op.f('ix_data_service_organization_id'), ['organization_id'], unique=False)

    op.create_table('dataset_series',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('slug', sa.String(length=120), nullable=False),
    sa.Column('organization_id', sa.String(length=36), nullable=False),
    sa.Column('title', sa.JSON(), nullable=False),
    sa.Column('description', sa.JSON(), nullable=False),
    sa.Column('text_origins', sa.JSON(), nullable=False),
    sa.Column('frequency', sa.String(length=20), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_dataset_series_organization_id_organization')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dataset_series')),
    sa.UniqueConstraint('slug', name=op.f('uq_dataset_series_slug'))
    )
    with op.batch_alter_table('dataset_series', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_dataset_series_organization_id'), ['organization_id'], unique=False)

    op.create_table('follow',
    sa.Column('account_id', sa.String(length=36), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('object_id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_follow_account_id_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', 'kind', 'object_id', name=op.f('pk_follow'))
    )
    with op.batch_alter_table('follow', schema=None) as batch_op:
        batch_op.create_index('ix_follow_object', ['kind', 'object_id'], unique=False)

    op.create_table('saved_search',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('account_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('parameters', sa.JSON(), nullable=False),
    sa.Column('language', sa.String(length=5), nullable=False),
    sa.Column('mail', sa.Boolean(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('seen_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_saved_search_account_id_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_search')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_saved_search_token_hash'))
    )
    with op.batch_alter_table('saved_search', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_saved_search_account_id'), ['account_id'], unique=False)

    op.create_table('tag',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('vocabulary_id', sa.String(length=36), nullable=True),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('label', sa.JSON(), nullable=False),
    sa.Column('label_origins', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['vocabulary_id'], ['vocabulary.id'], name=op.f('fk_tag_vocabulary_id_vocabulary'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tag')),
    sa.UniqueConstraint('vocabulary_id', 'name', name=op.f('uq_tag_vocabulary_id_name'))
    )
    with op.batch_alter_table('tag', schema=None) as batch_op:
        batch_op.create_index('ix_tag_free_name', ['name'], unique=True, sqlite_where=sa.text('vocabulary_id IS NULL'), postgresql_where=sa.text('vocabulary_id IS NULL'))
        batch_op.create_index(batch_op.f('ix_tag_vocabulary_id'), ['vocabulary_id'], unique=False)

    op.create_table('theme_membership',
    sa.Column('account_id', sa.String(length=36), nullable=False),
    sa.Column('theme_id', sa.String(length=36), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_theme_membership_account_id_account'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['theme_id'], ['theme.id'], name=op.f('fk_theme_membership_theme_id_theme'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', 'theme_id', name=op.f('pk_theme_membership'))
    )
    op.create_table('service_check',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('service_id', sa.String(length=36), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ok', sa.Boolean(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('milliseconds', sa.Integer(), nullable=False),
    sa.Column('problem', sa.String(length=300), nullable=False),
    sa.ForeignKeyConstraint(['service_id'], ['data_service.id'], name=op.f('fk_service_check_service_id_data_service'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_service_check'))
    )
    with op.batch_alter_table('service_check', schema=None) as batch_op:
        batch_op.create_index('ix_service_check_service_at', ['service_id', 'at'], unique=False)

    op.create_table('collaborator',
    sa.Column('dataset_id', sa.String(length=36), nullable=False),
    sa.Column('account_id', sa.String(length=36), nullable=False),
    sa.Column('capacity', sa.String(length=20), nullable=False),
    sa.Column('modified', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_collaborator_account_id_account'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['dataset_id'], ['dataset.id'], name=op.f('fk_collaborator_dataset_id_dataset'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('dataset_id', 'account_id', name=op.f('pk_collaborator'))
    )
    with op.batch_alter_table('collaborator', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_collaborator_account_id'), ['account_id'], unique=False)

    op.create_table('data_service_dataset',
    sa.Column('service_id', sa.String(length=36), nullable=False),
    sa.Column('dataset_id', sa.String(length=36), nullable=False),
    sa.ForeignKeyConstraint(['dataset_id'], ['dataset.id'], name=op.f('fk_data_service_dataset_dataset_id_dataset'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['service_id'], ['data_service.id'], name=op.f('fk_data_service_dataset_service_id_data_service'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('service_id', 'dataset_id', name=op.f('pk_data_service_dataset'))
    )
    with op.batch_alter_table('data_service_dataset', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_data_service_dataset_dataset_id'), ['dataset_id'], unique=False)

    op.create_table('dataset_revision',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('dataset_id', sa.String(length=36), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('made_by', sa.String(length=36), nullable=True),
    sa.Column('made_by_name', sa.String(length=200), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by', sa.String(length=36), nullable=True),
    sa.Column('decided_by_name', sa.String(length=200), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('remarks', sa.Text(), nullable=False),
    sa.Column('publish_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['dataset_id'], ['dataset.id'], name=op.f('fk_dataset_revision_dataset_id_dataset'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dataset_revision')),
    sa.UniqueConstraint('dataset_id', 'number', name=op.f('uq_dataset_revision_dataset_id_number'))
    )
    with op.batch_alter_table('dataset_revision', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_dataset_revision_publish_at'), ['publish_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_dataset_revision_state'), ['state'], unique=False)

    op.create_table('dataset_tag',
    sa.Column('dataset_id', sa.String(length=36), nullable=False),
    sa.Column('tag_id', sa.String(length=36), nullable=False),
    sa.ForeignKeyConstraint(['dataset_id'], ['dataset.id'], name=op.f('fk_dataset_tag_dataset_id_dataset'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['tag_id'], ['tag.id'], name=op.f('fk_dataset_tag_tag_id_tag'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('dataset_id', 'tag_id', name=op.f('pk_dataset_tag'))
    )
    with op.batch_alter_table('dataset_tag', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_dataset_tag_tag_id'), ['tag_id'], unique=False)

    op.create_table('inquiry',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('organization_id', sa.String(length=36), nullable=False),
    sa.Column('dataset_id', sa.String(length=36), nullable=True),
    sa.Column('account_id', sa.String(length=36), nullable=True),
    sa.Column('title', sa.String(length=300), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('contact', sa.String(length=254), nullable=False),
    sa.Column('public', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('answered_by', sa.String(length=36), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['dataset_id'], ['dataset.id'], name=op.f('fk_inquiry_dataset_id_dataset'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_inquiry_organization_id_organization')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inquiry'))
    )
    with op.batch_alter_table('inquiry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_inquiry_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_inquiry_dataset_id'), ['dataset_id'], unique=False)
        batch_op.create_index('ix_inquiry_organization_state', ['organization_id', 'state'], unique=False)

    op.create_table('resource_view',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('resource_id', sa.String(length=36), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('view_type', sa.String(length=60), nullable=False),
    sa.Column('title', sa.String(length=500), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('config', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['resource_id'], ['resource.id'], name=op.f('fk_resource_view_resource_id_resource'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_resource_view'))
    )
    with op.batch_alter_table('resource_view', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_resource_view_resource_id'), ['resource_id'], unique=False)

    op.create_table('account_token',
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.Column('purpose', sa.String(length=20), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('account_id', sa.String(length=36), nullable=True),
    sa.Column('organization_id', sa.String(length=36), nullable=True),
    sa.Column('role', sa.String(length=20), nullable=True),
    sa.Column('inviter', sa.String(length=100), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_account_token_account_id_account'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organization_id'], ['organization.id'], name=op.f('fk_account_token_organization_id_organization'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('hash', name=op.f('pk_account_token'))
    )
    with op.batch_alter_table('account_token', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_account_token_email'), ['email'], unique=False)

    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.add_column(sa.Column('slug', sa.String(length=100), nullable=True))
        batch_op.add_column(sa.Column('about', sa.String(length=2000), server_default='', nullable=False))
        batch_op.add_column(sa.Column('image_url', sa.String(length=2000), server_default='', nullable=False))
        batch_op.add_column(sa.Column('issuer', sa.String(length=500), nullable=True))
        batch_op.add_column(sa.Column('subject', sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column('extras', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('last_signed_in', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_unique_constraint(batch_op.f('uq_account_issuer_subject'), ['issuer', 'subject'])
        batch_op.create_unique_constraint(batch_op.f('uq_account_slug'), ['slug'])

    with op.batch_alter_table('dataset', schema=None) as batch_op:
        batch_op.add_column(sa.Column('identifier', sa.String(length=200), server_default='', nullable=False))
        batch_op.add_column(sa.Column('spatial_code', sa.String(length=12), server_default='', nullable=False))
        batch_op.add_column(sa.Column('spatial_box', sa.JSON(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('spatial_geometry', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('vocabulary_tags', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('details', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('custom', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('plugin_data', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('text_origins', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('series_id', sa.String(length=36), nullable=True))
        batch_op.add_column(sa.Column('series_position', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('private', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('revision', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('creator_id', sa.String(length=36), nullable=True))
        batch_op.add_column(sa.Column('published_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('withdrawn_reason', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('merged_into', sa.String(length=36), nullable=True))
        batch_op.create_index(batch_op.f('ix_dataset_identifier'), ['identifier'], unique=False)
        batch_op.create_index(batch_op.f('ix_dataset_series_id'), ['series_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_dataset_series_id_dataset_series'), 'dataset_series', ['series_id'], ['id'])

    with op.batch_alter_table('organization', schema=None) as batch_op:
        batch_op.add_column(sa.Column('parent_id', sa.String(length=36), nullable=True))
        batch_op.add_column(sa.Column('image_url', sa.String(length=2000), server_default='', nullable=False))
        batch_op.add_column(sa.Column('contact', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('review', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('fields', sa.JSON(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('extras', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('updated_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f('ix_organization_parent_id'), ['parent_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_organization_parent_id_organization'), 'organization', ['parent_id'], ['id'])

    with op.batch_alter_table('table_column', schema=None) as batch_op:
        batch_op.add_column(sa.Column('element_id', sa.String(length=36), nullable=True))
        batch_op.add_column(sa.Column('conformance', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('label_origins', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('withheld_as', sa.String(length=20), server_default='', nullable=False))
        batch_op.add_column(sa.Column('withheld_reason', sa.JSON(), server_default='{}', nullable=False))
        batch_op.create_index(batch_op.f('ix_table_column_element_id'), ['element_id'], unique=False)

    with op.batch_alter_table('theme', schema=None) as batch_op:
        batch_op.add_column(sa.Column('image_url', sa.String(length=2000), server_default='', nullable=False))
        batch_op.add_column(sa.Column('extras', sa.JSON(), server_default='{}', nullable=False))
        batch_op.add_column(sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('created_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('updated_at', sa.DateTime(timezone=True), nullable=True))

    if op.get_bind().dialect.name == "postgresql":  # integers of SQLite have 64 bits anyway
        op.alter_column('resource', 'size', existing_type=sa.Integer(), type_=sa.BigInteger())

    # What the datasets that are there already would have been given.
    op.execute("UPDATE dataset SET published_at = created_at")
    link_tags()


def link_tags() -> None:
    """A row for each tag that datasets have, and its links."""
    connection = op.get_bind()
    dataset = sa.table("dataset", sa.column("id", sa.String), sa.column("tags", sa.JSON))
    tag = sa.table(
        "tag",
        sa.column("id", sa.String),
        sa.column("name", sa.String),
        sa.column("label", sa.JSON),
        sa.column("label_origins", sa.JSON),
    )
    link = sa.table("dataset_tag", sa.column("dataset_id", sa.String), sa.column("tag_id", sa.String))
    tagged = {id_: tuple(dict.fromkeys(tags)) for id_, tags in connection.execute(sa.select(dataset)) if tags}
    ids = {name: str(uuid.uuid4()) for names in tagged.values() for name in names}
    rows = [{"id": id_, "name": name, "label": {}, "label_origins": {}} for name, id_ in ids.items()]
    links = [{"dataset_id": id_, "tag_id": ids[name]} for id_, names in tagged.items() for name in names]
    for table, all_of_them in ((tag, rows), (link, links)):
        for start in range(0, len(all_of_them), 1000):
            connection.execute(sa.insert(table), all_of_them[start : start + 1000])


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("UPDATE resource SET size = NULL WHERE size > 2147483647")
        op.alter_column('resource', 'size', existing_type=sa.BigInteger(), type_=sa.Integer())

    with op.batch_alter_table('theme', schema=None) as batch_op:
        batch_op.drop_column('updated_at')
        batch_op.drop_column('created_at')
        batch_op.drop_column('deleted_at')
        batch_op.drop_column('extras')
        batch_op.drop_column('image_url')

    with op.batch_alter_table('table_column', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_table_column_element_id'))
        batch_op.drop_column('withheld_reason')
        batch_op.drop_column('withheld_as')
        batch_op.drop_column('label_origins')
        batch_op.drop_column('conformance')
        batch_op.drop_column('element_id')

    with op.batch_alter_table('organization', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_organization_parent_id_organization'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_organization_parent_id'))
        batch_op.drop_column('updated_at')
        batch_op.drop_column('deleted_at')
        batch_op.drop_column('extras')
        batch_op.drop_column('fields')
        batch_op.drop_column('review')
        batch_op.drop_column('contact')
        batch_op.drop_column('image_url')
        batch_op.drop_column('parent_id')

    with op.batch_alter_table('dataset', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_dataset_series_id_dataset_series'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_dataset_series_id'))
        batch_op.drop_index(batch_op.f('ix_dataset_identifier'))
        batch_op.drop_column('merged_into')
        batch_op.drop_column('withdrawn_reason')
        batch_op.drop_column('withdrawn_at')
        batch_op.drop_column('published_at')
        batch_op.drop_column('creator_id')
        batch_op.drop_column('revision')
        batch_op.drop_column('private')
        batch_op.drop_column('series_position')
        batch_op.drop_column('series_id')
        batch_op.drop_column('text_origins')
        batch_op.drop_column('plugin_data')
        batch_op.drop_column('custom')
        batch_op.drop_column('details')
        batch_op.drop_column('vocabulary_tags')
        batch_op.drop_column('spatial_geometry')
        batch_op.drop_column('spatial_box')
        batch_op.drop_column('spatial_code')
        batch_op.drop_column('identifier')

    with op.batch_alter_table('account_token', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_account_token_email'))

    op.drop_table('account_token')
    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_account_slug'), type_='unique')
        batch_op.drop_constraint(batch_op.f('uq_account_issuer_subject'), type_='unique')
        batch_op.drop_column('last_signed_in')
        batch_op.drop_column('extras')
        batch_op.drop_column('subject')
        batch_op.drop_column('issuer')
        batch_op.drop_column('image_url')
        batch_op.drop_column('about')
        batch_op.drop_column('slug')

    with op.batch_alter_table('resource_view', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_resource_view_resource_id'))

    op.drop_table('resource_view')
    with op.batch_alter_table('inquiry', schema=None) as batch_op:
        batch_op.drop_index('ix_inquiry_organization_state')
        batch_op.drop_index(batch_op.f('ix_inquiry_dataset_id'))
        batch_op.drop_index(batch_op.f('ix_inquiry_account_id'))

    op.drop_table('inquiry')
    with op.batch_alter_table('dataset_tag', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_dataset_tag_tag_id'))

    op.drop_table('dataset_tag')
    with op.batch_alter_table('dataset_revision', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_dataset_revision_state'))
        batch_op.drop_index(batch_op.f('ix_dataset_revision_publish_at'))

    op.drop_table('dataset_revision')
    with op.batch_alter_table('data_service_dataset', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_data_service_dataset_dataset_id'))

    op.drop_table('data_service_dataset')
    with op.batch_alter_table('collaborator', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_collaborator_account_id'))

    op.drop_table('collaborator')
    with op.batch_alter_table('service_check', schema=None) as batch_op:
        batch_op.drop_index('ix_service_check_service_at')

    op.drop_table('service_check')
    op.drop_table('theme_membership')
    with op.batch_alter_table('tag', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_tag_vocabulary_id'))
        batch_op.drop_index('ix_tag_free_name', sqlite_where=sa.text('vocabulary_id IS NULL'), postgresql_where=sa.text('vocabulary_id IS NULL'))

    op.drop_table('tag')
    with op.batch_alter_table('saved_search', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_saved_search_account_id'))

    op.drop_table('saved_search')
    with op.batch_alter_table('follow', schema=None) as batch_op:
        batch_op.drop_index('ix_follow_object')

    op.drop_table('follow')
    with op.batch_alter_table('dataset_series', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_dataset_series_organization_id'))

    op.drop_table('dataset_series')
    with op.batch_alter_table('data_service', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_data_service_organization_id'))
        batch_op.drop_index(batch_op.f('ix_data_service_index_due'))

    op.drop_table('data_service')
    with op.batch_alter_table('data_element', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_data_element_code_list_id'))

    op.drop_table('data_element')
    op.drop_table('vocabulary')
    with op.batch_alter_table('mail', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_mail_due_at'))

    op.drop_table('mail')
    with op.batch_alter_table('log_entry', schema=None) as batch_op:
        batch_op.drop_index('ix_log_entry_organization')
        batch_op.drop_index('ix_log_entry_object')
        batch_op.drop_index('ix_log_entry_actor')

    op.drop_table('log_entry')
    with op.batch_alter_table('former_address', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_former_address_object_id'))

    op.drop_table('former_address')
    op.drop_table('code_list')
