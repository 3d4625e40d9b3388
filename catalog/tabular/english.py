"""English words by their stems, as PostgreSQL's full text search knows them: `book` finds `books` and `booking`.

Engines know no stems, but patterns. So a word is looked for by all forms that have its stem: the stem with each ending
that English words take, kept where the stemmer (Snowball's, which PostgreSQL uses too) brings them back to it.
"""

from __future__ import annotations

from functools import lru_cache

import snowballstemmer

_ENDINGS = """
s e es ed d ing ings ly er ers y ys ies ied ying
ion ions ional ionals ionally ionality ioned ioning ation ations ational ationally ative atives atively ativity
ate ates ated ating ately ateness ator ators able ables ably ability abilities eable eably
ible ibly ibility ibilities ic ics ical ically icate icates icated icating icator icators icative ication ications
icity icities al als ally ality alities alism alize alizes alized alizing alizer alizers alization alizations
ize izes ized izing izer izers ization izations ise ises ised ising isation isations ism isms
ive ives ively iveness ivity ivities ent ents ently ented enting entative entatives ence ences ency encies
ance ances ancy ancies ant ants antly ment ments mented menting ement ements
ful efully fully fulness eful ness nesses eness ous ously ousness eous eously ity ities ility ilities
edly eds ingly ely ered ering eer eers eering or ors erly eing l ls
"""
_AFTER_DOUBLED = "ed ing ings er ers edly ingly able ation ations ent"
"""Endings before which a short word doubles its last letter: `planned`."""
_LONGEST = 40
_stemmer = snowballstemmer.stemmer("english")


def is_word(text: str) -> bool:
    """Whether the text is a word that has a stem: letters only."""
    return text.isalpha() and len(text) <= _LONGEST


def stem_of(word: str) -> str:
    """The stem of a word, in small letters."""
    stem: str = _stemmer.stemWord(word.lower())
    return stem


@lru_cache(maxsize=2_000)
def forms_of(word: str) -> tuple[str, ...]:
    """All words with the stem of this one, in small letters and in order, the word and its stem among them."""
    stem = stem_of(word)
    found = {form for form in _tried(stem) if stem_of(form) == stem}
    return tuple(sorted(found | {word.lower(), stem}))


def _tried(stem: str) -> set[str]:
    tried = {stem + ending for ending in _ENDINGS.split()}
    tried |= {stem + stem[-1:] + ending for ending in _AFTER_DOUBLED.split()}
    if stem[-1:] in ("i", "e", "l"):  # cities, city; agreeing, agree; ability, able
        tried |= {stem[:-1] + ending for ending in ("y", "ys", "ying", *_ENDINGS.split())}
    if stem.endswith("ie"):  # tying, tie
        tried.add(stem[:-2] + "ying")
    return tried
