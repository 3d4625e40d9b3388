"""What every search engine understands of words: pinyin, synonyms, phrases, codes, slips of the pen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from catalog.search import SearchEngine, SearchQuery
from catalog.search.analysis import use_synonyms
from catalog.search.synonyms import Synonyms
from tests.contracts.test_search_engine import engine, found
from tests.make_document import make_document

__all__ = ["engine"]


@pytest.fixture(autouse=True)
def words_that_mean_the_same() -> Iterator[None]:
    use_synonyms(Synonyms.of(["公交, 公共汽车, 巴士, bus", "空气质量, AQI, air quality"]))
    yield
    use_synonyms(Synonyms())


@pytest.fixture
def catalogue(engine: SearchEngine) -> SearchEngine:
    engine.put(
        [
            make_document(
                "air",
                zh="上海市空气质量日报",
                tags=("环境监测",),
                names=("生态环境局", "监测站名称"),
            ),
            make_document("bus", zh="公共汽车线路", codes=("SH-310000-0042", "gonggong")),
            make_document("bank", zh="银行网点"),
            make_document("long", en="Long distance paths", description="paths that are long"),
            make_document("dragon", zh="龙舟赛"),
            make_document("trad", zh="臺灣鄉鎮市區人口統計"),
            make_document("en", en="Street lighting of the city", description="lamps and masts"),
        ]
    )
    return engine


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("kongqi zhiliang", "air"),
        ("kongqizhiliang", "air"),
        ("KongQi", "air"),
        ("空气zhiliang", "air"),
        ("kqzl", "air"),
        ("kqzl 日报", "air"),
        ("huanjing jiance", "air"),
        ("shengtai", "air"),
        ("jczm", "air"),
        ("yinhang", "bank"),
        ("yhwd", "bank"),
        ("longzhou", "dragon"),
        ("台湾乡镇", "trad"),
        ("臺灣", "trad"),
        ("空氣質量", "air"),
        ("bus", "bus"),
        ("公交", "bus"),
        ("公交线路", "bus"),
        ("巴士", "bus"),
        ("aqi", "air"),
        ("air quality", "air"),
        ("SH-310000-0042", "bus"),
        ("sh-310000-0042", "bus"),
        ("street lighting", "en"),
    ],
)
def test_it_is_understood(catalogue: SearchEngine, text: str, first: str) -> None:
    assert found(catalogue, text)[:1] == [first]


def test_an_english_word_is_not_read_as_pinyin_where_it_is_known(engine: SearchEngine) -> None:
    engine.put([make_document("dragon", zh="龙舟赛")])
    assert found(engine, "long") == ["dragon"]
    engine.put([make_document("long", en="Paths", description="long distance")])
    assert found(engine, "long") == ["long"]


def test_what_is_written_so_comes_before_what_means_the_same(engine: SearchEngine) -> None:
    engine.put(
        [
            make_document("other", zh="公共汽车公共汽车", uses=1000),
            make_document("same", zh="全市公交概况"),
        ]
    )
    assert found(engine, "公交") == ["same", "other"]


def test_words_in_quotes_stand_next_to_each_other(engine: SearchEngine) -> None:
    engine.put(
        [
            make_document("apart", en="Quality of air", description="the air, its quality"),
            make_document("together", en="Notes", description="on air quality in parks"),
            make_document("zh", zh="水的质量与空气"),
            make_document("zh2", zh="空气质量"),
        ]
    )
    assert found(engine, '"air quality"') == ["together"]
    assert found(engine, "“空气质量”") == ["zh2"]
    assert found(engine, '"parks" "air quality"') == ["together"]
    assert set(found(engine, '"air quality')) >= {"apart", "together"}


def test_a_phrase_does_not_reach_from_one_text_into_another(engine: SearchEngine) -> None:
    engine.put([make_document(en="Clean air", description="quality of water")])
    assert engine.search(SearchQuery('"air quality"')).partial


def test_a_whole_code_comes_before_everything(engine: SearchEngine) -> None:
    engine.put(
        [
            make_document("title", en="X-1", uses=999),
            make_document("code", en="Other", codes=("X-1",)),
        ]
    )
    assert found(engine, "x-1")[0] == "code"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("lightning of the citi", ""),
        ("lihgting", "lighting"),
        ("distnace", "distance"),
        ("空汽质量", "空气质量"),
        ("银航网点", "银行网点"),
        ("street lihgting", "street lighting"),
        ("xyzzyqq", ""),
        ("空气质量", ""),
    ],
)
def test_what_was_meant_is_said_where_little_is_found(
    catalogue: SearchEngine, text: str, meant: str
) -> None:
    if text.startswith("lightning"):
        catalogue.put([make_document(str(n), en="Lightning of the citi") for n in range(3)])
    assert catalogue.search(SearchQuery(text)).meant == meant


def test_what_was_meant_is_found_too_and_rare_names_are_left_alone(engine: SearchEngine) -> None:
    many = [make_document(f"c{n}", en="Cemetery records") for n in range(30)]
    rare = [
        make_document("typo", en="Plots of the cemetary"),
        make_document("name", en="CKAN catalogues"),
        make_document("canal", en="Canals"),
        make_document("luft", en="Luftqualität"),
    ]
    engine.put([*many, *rare])
    page = engine.search(SearchQuery("cemetary", limit=40))
    assert (page.total, page.meant, page.partial) == (31, "cemetery", False)
    assert found(engine, "ckan") == ["name"]
    assert found(engine, "luftqualitet") == ["luft"]
    second = engine.search(SearchQuery("cemetary", offset=20, limit=20))
    assert (second.total, len(second.hits)) == (31, 11)
    assert engine.search(SearchQuery("cemetary", facets=False)).total == 31
    exact = engine.search(SearchQuery("cemetary", corrects=False))
    assert (exact.total, exact.meant) == (1, "")


def test_pinyin_looks_at_titles_first_and_takes_long_words_in_parts(engine: SearchEngine) -> None:
    engine.put(
        [
            make_document("column", zh="就业人员", names=("平均工资",), uses=9),
            make_document("title", zh="城镇单位平均工资"),
            make_document("rate", zh="人民币汇率"),
            make_document("birth", zh="人口出生率"),
            make_document("gap", zh="北京昌平监测站空气质量小时数据"),
        ]
    )
    assert found(engine, "gongzi") == ["title", "column"]
    assert found(engine, "gōngzī") == ["title", "column"]
    assert found(engine, "huilü") == found(engine, "huilv") == ["rate"]
    assert found(engine, "chushenglǜ") == ["birth"]
    assert found(engine, "beijingkongqizhiliang") == ["gap"]
    assert found(engine, "bjkqzl") == ["gap"]
    assert engine.search(SearchQuery("bjkqzl")).partial


def test_synonyms_of_the_readers_script_come_first(engine: SearchEngine) -> None:
    use_synonyms(Synonyms.of(["薪资, 工资, salary"]))
    engine.put(
        [
            make_document("en", en="Salary", uses=9),
            make_document("zh", zh="工资"),
            make_document("literal", zh="公务员", description="薪资"),
        ]
    )
    assert found(engine, "薪资") == ["literal", "zh", "en"]
    assert found(engine, "salary")[0] == "en"


@pytest.mark.parametrize(
    "text",
    [
        '"',
        '""""',
        "“”",
        "\x00\x1f\x1e",
        "-" * 300,
        "a" * 300,
        "公" * 300,
        "v" * 61,
        "~^:*?[]{}()!\\/+-&&||",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
        "xi'an'an'an",
        "İıßæ",
        "ｋｏｎｇ　ｑｉ",
        '"空" "气',
    ],
)
def test_no_text_is_an_error(catalogue: SearchEngine, text: str) -> None:
    assert catalogue.search(SearchQuery(text)).total >= 0
    assert isinstance(catalogue.suggest(text), tuple)


def texts(engine: SearchEngine, text: str, limit: int = 10) -> list[str]:
    return [one.text for one in engine.suggest(text, limit)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("上海市空", "上海市空气质量日报"),
        ("空气", "上海市空气质量日报"),
        ("shanghaishik", "上海市空气质量日报"),
        ("shskq", "上海市空气质量日报"),
        ("stre", "Street lighting of the city"),
        ("light", "Street lighting of the city"),
        ("环境监", "环境监测"),
        ("huanj", "环境监测"),
        ("臺灣", "臺灣鄉鎮市區人口統計"),
    ],
)
def test_titles_and_tags_are_suggested(catalogue: SearchEngine, text: str, expected: str) -> None:
    assert expected in texts(catalogue, text)


def test_what_is_used_most_is_suggested_first_and_no_title_twice(engine: SearchEngine) -> None:
    engine.put(
        [
            make_document("a", en="Bridges"),
            make_document("b", en="Bridges by district", uses=100),
            make_document("c", en="Bridges", uses=3),
            make_document("hidden", en="Bridges in secret", visibility=("org",)),
        ]
    )
    assert texts(engine, "brid") == ["Bridges by district", "Bridges"]
    assert texts(engine, "brid", 1) == ["Bridges by district"]
    assert texts(engine, "", 5) == texts(engine, "!!", 5) == []
    assert engine.suggest("brid", 0) == ()


def test_what_was_deleted_does_not_spoil_what_is_similar(engine: SearchEngine) -> None:
    """An engine may count it in a word's weight for a while."""
    for _ in range(12):
        engine.put([make_document(f"gone-{number}", zh="空气质量日报") for number in range(5)])
        engine.delete([f"gone-{number}" for number in range(5)])
    engine.put([make_document("1", zh="空气质量日报"), make_document("2", zh="空气质量日报")])
    assert {hit.id for hit in engine.similar("1")} <= {"2"}


def test_similar_documents_share_rare_words(engine: SearchEngine) -> None:
    engine.put(
        [
            make_document("1", zh="空气质量日报", tags=("环境",)),
            make_document("2", zh="空气质量月报", tags=("环境",)),
            make_document("3", zh="水质日报"),
            make_document("4", zh="公交线路", description="每日更新的线路"),
            make_document("5", zh="图书馆", description="全市公共图书馆的地址和每日更新的开放时间"),
            make_document("secret", zh="空气质量年报", visibility=("org",)),
        ]
    )
    alike = [hit.id for hit in engine.similar("1")]
    assert alike[0] == "2"
    assert not {"1", "4", "secret"} & set(alike)
    assert engine.similar("4") == engine.similar("unknown") == ()
    assert engine.similar("1", 0) == ()
