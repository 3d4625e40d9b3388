"""What OpenAPI says of releases, their files, changes and citations."""

from __future__ import annotations

from api.v1.description import (
    ANYTHING,
    MOMENT,
    N_,
    NEXT,
    Described,
    many,
    maybe,
    number,
    record,
    ref,
    text,
)

_TABLE_SCHEMA = {**ANYTHING, "description": N_("The columns as Frictionless Table Schema")}
_RELEASE = record(
    N_("One immutable version of a table"),
    ("links", "schema"),
    number=number(N_("Counts from 1; it is what as_of and addresses take")),
    created_at=maybe(MOMENT),
    made_by=maybe(text(N_("Who made it"))),
    reason=maybe(text(N_("Why it was made"))),
    rows=number(N_("Number of rows")),
    inserted=maybe(
        number(N_("Rows added since the release before; null where they were not compared"))
    ),
    updated=maybe(number(N_("Rows changed since the release before"))),
    deleted=maybe(number(N_("Rows removed since the release before"))),
    content=text(N_("Hash of the content")),
    pinned={"type": "boolean", "description": N_("Whether it is kept whatever the policy says")},
    cited={"type": "boolean", "description": N_("Whether somebody cited it, which keeps it too")},
    expired_at=maybe(
        text(N_("When its rows were given up by the policy of retention"), format="date-time")
    ),
)
_RELEASES = record(
    N_("Releases of a table, the newest first"),
    table=text(),
    total=number(N_("Number of all releases")),
    retention={
        **ANYTHING,
        "description": N_(
            "Which releases are kept: the newest `keep`, those younger than `days`; empty keeps all"
        ),
    },
    releases=many(ref("Release")),
    offset=number(),
    limit=number(),
    next=NEXT,
)
_CHANGES = record(
    N_("What changed between two releases"),
    table=text(),
    **{"from": ref("Release")},
    to=ref("Release"),
    counts=record("", added=number(), changed=number(), removed=number()),
    schema=many(
        record(
            "",
            kind=text(enum=["added", "dropped", "renamed", "retyped"]),
            name=text(),
            before=maybe(text()),
            after=maybe(text()),
        ),
        N_("Columns that differ"),
    ),
    changes=many(
        record(
            N_("A row that differs"),
            row=maybe(
                number(
                    N_(
                        "Number of the row from 1, kept through all releases; null where it is not known"
                    )
                )
            ),
            kind=text(enum=["added", "changed", "removed"]),
            columns=many(text(), N_("Of a changed row, the columns whose values differ")),
            old=maybe(ANYTHING),
            new=maybe(ANYTHING),
        )
    ),
    offset=number(),
    limit=number(),
    total=number(N_("Number of changes of the wanted kind")),
    next=NEXT,
)
_CITATION = record(
    N_("A query on a release, and the hash of the rows that it gave"),
    ("unchanged",),
    id=text(N_("The beginning of the hash of table, release and query")),
    table=text(),
    release=number(),
    query=record("", select=text(), where=text(), order_by=text()),
    rows=number(N_("Number of rows")),
    sha256=text(N_("SHA-256 of the rows as CSV, as the link `csv` gives them")),
    created_at=maybe(MOMENT),
    links=ANYTHING,
    texts={
        **ANYTHING,
        "description": N_("How to cite it, after GB/T 7714 and in the style of APA"),
    },
    unchanged={
        "type": ["boolean", "null"],
        "description": N_("With verify=true: whether the query still gives these rows"),
    },
)
_MANIFEST = record(
    N_("What a release consists of, and what proves a copy of it whole"),
    table=text(),
    dataset=record("", slug=text(), title=maybe(text()), url=text()),
    release=ref("Release"),
    url=text(N_("Permanent address of the release in this API")),
    page=text(N_("Permanent address of the release for people")),
    schema=_TABLE_SCHEMA,
    files=many(
        record(
            "",
            format=text(),
            url=text(),
            filename=text(),
            media_type=text(),
            bytes=maybe(number(N_("Size, once the file was made"))),
            sha256=maybe(text(N_("SHA-256, once the file was made"))),
        )
    ),
)
SCHEMAS: dict[str, Described] = {
    "Release": _RELEASE,
    "ReleaseList": _RELEASES,
    "Manifest": _MANIFEST,
    "Changes": _CHANGES,
    "Citation": _CITATION,
}
