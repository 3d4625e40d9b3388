"""Which network addresses a harvest may reach."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urljoin, urlsplit

from catalog.errors import Denied, Invalid, Unavailable

Resolve = Callable[..., Any]
"""`socket.getaddrinfo`, or what stands for it in a test."""

NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(text: str) -> bool:
    """Whether an IP address belongs to the open internet, also when it wraps another address."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast


class AddressGuard:
    """Resolves a name once, refuses private addresses, and says which addresses may be connected to."""

    def __init__(self, private: Collection[str], resolve: Resolve = socket.getaddrinfo) -> None:
        self.private = frozenset(entry.strip().lower() for entry in private if entry.strip())
        self._resolve = resolve

    def permitted(self, host: str, port: int) -> list[str]:
        """IP addresses of the host; raises Denied when one of them is private and not listed."""
        name = host.strip("[]").lower()
        try:
            found = self._resolve(name, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Unavailable("the name %(host)s cannot be found", host=name) from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if f"{name}:{port}" not in self.private and not all(map(is_public, addresses)):
            raise Denied(
                "harvests may not reach %(host)s:%(port)s: its address is private and not listed in "
                "WEFT_FETCH_PRIVATE_HOSTS",
                host=name,
                port=port,
            )
        return addresses


def web_address(url: str) -> str:
    """The same address, if it is one of the web; raises Invalid for anything else."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        known = None
    if not known or any(sign <= " " or sign == "\x7f" for sign in url):
        raise Invalid("%(url)s is no http or https address", url=shown(url))
    return url


def joined(address: str, target: str) -> str:
    """Where an answer leads on to; raises Invalid for what is no address of the web."""
    try:
        return web_address(urljoin(address, target))
    except ValueError as error:
        raise Invalid("%(url)s is no http or https address", url=shown(target)) from error


def shown(url: str) -> str:
    """The address without user, password, query and fragment, where secrets may be."""
    plain = url.partition("#")[0].partition("?")[0]
    head, slashes, rest = plain.partition("//")
    user_and_host, slash, path = rest.partition("/")
    return f"{head}{slashes}{user_and_host.rpartition('@')[2]}{slash}{path}"[:300]
