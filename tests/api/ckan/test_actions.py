"""Every action that CKAN 2.12 documents is there, or is named among those that are left out, with the reason."""

from __future__ import annotations

import re
from pathlib import Path

from api.ckan.registry import ACTIONS
from wsgi import create_app

DOCS = Path(__file__).parents[3] / "docs" / "reference"
THEIRS = """
activity_create activity_data_show activity_delete activity_delete_all activity_delete_counts activity_diff activity_show am_following_dataset
am_following_group am_following_user api_token_create api_token_list api_token_revoke bulk_update_delete bulk_update_private bulk_update_public
config_option_list config_option_show config_option_update current_package_list_with_resources dashboard_activity_list dashboard_mark_activities_old
dashboard_new_activities_count dataset_followee_count dataset_followee_list dataset_follower_count dataset_follower_list dataset_purge
datastore_create datastore_delete datastore_function_create datastore_function_delete datastore_info datastore_records_delete datastore_run_triggers
datastore_search datastore_search_sql datastore_upsert file_create file_delete file_owner_scan file_ownership_transfer file_pin file_register
file_rename file_show file_unpin follow_dataset follow_group follow_user followee_count followee_list format_autocomplete get_site_user
group_activity_list group_autocomplete group_create group_delete group_followee_count group_followee_list group_follower_count group_follower_list
group_list group_list_authz group_member_create group_member_delete group_package_show group_patch group_purge group_show group_update help_show
job_cancel job_clear job_list job_show license_list member_create member_delete member_list member_roles_list organization_activity_list
organization_autocomplete organization_create organization_delete organization_followee_count organization_followee_list organization_follower_count
organization_follower_list organization_list organization_list_for_user organization_member_create organization_member_delete organization_patch
organization_purge organization_show organization_update package_activity_list package_autocomplete package_collaborator_create
package_collaborator_delete package_collaborator_list package_collaborator_list_for_user package_create package_create_default_resource_views
package_delete package_list package_owner_org_update package_patch package_relationship_create package_relationship_delete package_relationship_update
package_relationships_list package_resource_reorder package_revise package_search package_show package_update recently_changed_packages_activity_list
resource_create resource_create_default_resource_views resource_delete resource_patch resource_search resource_show resource_update
resource_view_clear resource_view_create resource_view_delete resource_view_list resource_view_reorder resource_view_show resource_view_update
send_email_notifications status_show tag_autocomplete tag_create tag_delete tag_list tag_search tag_show task_status_delete task_status_show
task_status_update task_status_update_many term_translation_show term_translation_update term_translation_update_many unfollow_dataset unfollow_group
unfollow_user user_activity_list user_autocomplete user_create user_delete user_followee_count user_followee_list user_follower_count
user_follower_list user_invite user_list user_patch user_show user_update vocabulary_create vocabulary_delete vocabulary_list vocabulary_show
vocabulary_update
"""
"""The names of the functions in the action modules of CKAN 2.12.0 and of its extensions for activities and the DataStore."""


def left_out() -> set[str]:
    """The names in tables under “Left out” that have a reason."""
    names: set[str] = set()
    for part in (DOCS / "ckan-api.md").read_text("utf-8").split("\n### Left out\n")[1:]:
        for line in part.partition("\n#")[0].splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if len(cells) == 2 and cells[1]:
                names.update(re.findall(r"`(\w+)`", cells[0].partition(" of ")[0]))
    for line in (DOCS / "ckan-datastore.md").read_text("utf-8").splitlines():
        if line.startswith("| `triggers`"):
            names.update(re.findall(r"`(\w+)`", line))
    return names


def test_every_action_of_ckan_is_built_or_left_out_for_a_reason() -> None:
    assert create_app
    theirs = set(THEIRS.split())
    assert theirs - set(ACTIONS) - left_out() == set()
    assert left_out() & set(ACTIONS) == set()
