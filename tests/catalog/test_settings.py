from pathlib import Path

import pytest

from catalog.errors import SettingsError
from catalog.settings import Settings


def test_the_defaults_need_no_service_and_live_in_one_folder(tmp_path: Path):
    settings = Settings(data_dir=str(tmp_path)).resolved()
    assert settings.database_url == f"sqlite:///{tmp_path / 'catalog.sqlite'}"
    assert settings.search_url == f"tantivy:{tmp_path / 'search'}"
    assert settings.queue_url == f"sqlite:{tmp_path / 'queue.sqlite'}"


def test_three_settings_make_a_portal_of_the_middle_size(tmp_path: Path):
    settings = Settings(
        data_dir=str(tmp_path),
        database_url="postgresql://weft@db/weft",
        search_url="elasticsearch+http://search:9200/weft",
        redis_url="redis://redis/0",
        web_processes=2,
    ).resolved()
    assert settings.database_url == "postgresql+psycopg://weft@db/weft"
    assert (settings.queue_url, settings.limits_url) == ("redis://redis/0", "redis://redis/0")


def test_values_are_read_with_their_types():
    settings = Settings.from_env(
        {
            "WEFT_WEB_PROCESSES": "1",
            "WEFT_SECURE_COOKIES": "true",
            "WEFT_QUERY_TIMEOUT_SECONDS": "2.5",
            "HOME": "x",
        }
    )
    assert (settings.web_processes, settings.secure_cookies, settings.query_timeout_seconds) == (
        1,
        True,
        2.5,
    )


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"WEFT_DATABSE_URL": "x"}, "WEFT_DATABSE_URL is no setting"),
        ({"WEFT_WEB_PROCESSES": "two"}, "must be of type int"),
        ({"WEFT_SECURE_COOKIES": "perhaps"}, "must be of type bool"),
        ({"WEFT_FETCH_TIMEOUT_SECONDS": "soon"}, "must be of type float"),
        ({"WEFT_WEB_PROCESSES": "2"}, "set WEFT_REDIS_URL to a Redis address"),
    ],
)
def test_what_cannot_be_right_is_refused_with_a_sentence(env: dict[str, str], says: str):
    with pytest.raises(SettingsError, match=says):
        Settings.from_env(env)
