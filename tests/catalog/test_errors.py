from catalog.errors import Conflict, Invalid


def test_a_message_shows_its_context():
    assert str(Conflict("the address %(slug)s is taken", slug="air")) == "the address air is taken"


def test_a_message_without_context_may_hold_a_percent_sign():
    assert str(Conflict("100 % is too much")) == "100 % is too much"


def test_invalid_names_the_fields():
    assert Invalid("no", {"title": ["required"]}).problems == {"title": ["required"]}
    assert Invalid("no").problems == {}
