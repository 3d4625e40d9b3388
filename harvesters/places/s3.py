"""A bucket of S3-compatible storage: asked through the guarded fetcher, signed with version 4 of AWS's signatures."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from catalog.errors import Invalid, Unreadable
from harvesters.addresses import web_address
from harvesters.folders import MOST_FILES
from harvesters.harvester import Source
from harvesters.http import Http
from harvesters.markup import LARGEST, tree
from harvesters.places.place import Entry, Listed, checked, entry, in_order, is_plain, size_of

UNSIGNED = "UNSIGNED-PAYLOAD"
AT_ONCE = 1000


@contextmanager
def opened(source: Source, http: Http) -> Iterator[S3Folder]:
    """The folder; nothing is asked yet."""
    yield S3Folder(source, http)


class S3Folder(Listed):
    """Files are known by their ETag."""

    def __init__(self, source: Source, http: Http) -> None:
        self._http, self._options = http, source.options
        self._bucket, _, prefix = source.url.partition("://")[2].partition("/")
        if not self._bucket:
            raise Invalid("the address of the folder must be s3://bucket/prefix")
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        region = self._options["region"]
        endpoint = self._options["endpoint"] or f"https://s3.{region}.amazonaws.com"
        self._endpoint = web_address(endpoint).rstrip("/")

    def entries(self) -> list[Entry]:
        """The objects below the prefix."""
        return in_order(self._listed())

    def fetch(self, name: str, into: Path) -> Path:
        """The object."""
        path = f"/{self._bucket}/{self._prefix}{checked(name)}"
        url = self._endpoint + quote(path)
        return self._http.download(url, into, headers=self._signed(path, {}))

    def _listed(self) -> Iterator[Entry]:
        query = {"list-type": "2", "max-keys": str(AT_ONCE), "prefix": self._prefix}
        for _ in range(MOST_FILES // AT_ONCE * 10):
            path = f"/{self._bucket}"
            url = f"{self._endpoint}{quote(path)}?{_query(query)}"
            page = tree(self._http.get(url, headers=self._signed(path, query), most=LARGEST))
            for one in page.findall("Contents"):
                said = {part.tag: part.text or "" for part in one}
                name = said.get("Key", "").removeprefix(self._prefix)
                if all(is_plain(step) for step in name.split("/")):
                    size, moment = size_of(said.get("Size", "")), said.get("LastModified", "")
                    yield entry(name, size, moment, said.get("ETag", ""))
            following = page.findtext("NextContinuationToken")
            if not following or following == query.get("continuation-token"):
                return
            query["continuation-token"] = following
        raise Unreadable("the listing of the bucket does not end")

    def _signed(self, path: str, query: dict[str, str]) -> dict[str, str]:
        """Headers that prove who asks; none for a bucket that everybody may read."""
        if not self._options["user"]:
            return {}
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        sent = {
            "host": urlsplit(self._endpoint).netloc,
            "x-amz-content-sha256": UNSIGNED,
            "x-amz-date": moment,
        }
        names = ";".join(sent)
        lines = [f"{name}:{value}" for name, value in sent.items()]
        asked = "\n".join(["GET", quote(path), _query(query), *lines, "", names, UNSIGNED])
        scope = f"{moment[:8]}/{self._options['region']}/s3/aws4_request"
        digest = hashlib.sha256(asked.encode()).hexdigest()
        text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, digest])
        key = f"AWS4{self._options['password']}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        who = f"Credential={self._options['user']}/{scope}"
        said = f"AWS4-HMAC-SHA256 {who}, SignedHeaders={names}, Signature={signature}"
        return {**{k: v for k, v in sent.items() if k != "host"}, "Authorization": said}


def _query(query: dict[str, str]) -> str:
    return urlencode(sorted(query.items()), quote_via=quote, safe="")
