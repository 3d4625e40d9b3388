"""Messages between the portal and its children: a length, JSON, then open files where there are some."""

from __future__ import annotations

import array
import json
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

MOST_BYTES = 4_000_000
"""Of one message; answers have a limit of their own."""
FILES_AT_ONCE = 100
"""The kernel hands over at most 253 in one piece."""
_HEAD = struct.Struct("!IIQ")

Message = dict[str, Any]


class Ended(Exception):
    """The other side is gone, or says what no honest one would say."""


def send(
    to: socket.socket, message: Message, *, files: Sequence[int] = (), content: bytes = b""
) -> None:
    """Send a message, with open files and with raw content after it."""
    text = json.dumps(message, separators=(",", ":")).encode()
    try:
        to.sendall(_HEAD.pack(len(text), len(files), len(content)) + text)
        for start in range(0, len(files), FILES_AT_ONCE):
            handles = array.array("i", files[start : start + FILES_AT_ONCE])
            to.sendmsg([b"f"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handles)])
        if content:  # else the other side may have heard enough, and be gone
            to.sendall(content)
    except (BrokenPipeError, ConnectionError) as error:
        raise Ended from error


def receive(source: socket.socket) -> tuple[Message, list[int]]:
    """The next message and the open files that came with it."""
    message, files, size = _receive(source)
    if size:
        raise Ended
    return message, files


def receive_content(source: socket.socket, most: int) -> tuple[Message, bytearray]:
    """The next message and the content that came with it; more than `most` bytes are not believed."""
    message, _, size = _receive(source)
    if size > most:
        raise Ended
    return message, _read(source, size)


def _receive(source: socket.socket) -> tuple[Message, list[int], int]:
    length, count, size = _HEAD.unpack(_read(source, _HEAD.size))
    if length > MOST_BYTES:
        raise Ended
    try:
        message = json.loads(_read(source, length))
    except (ValueError, RecursionError) as error:
        raise Ended from error
    files: list[int] = []
    while len(files) < count:
        files += _read_files(source)
    if not isinstance(message, dict):
        raise Ended
    return message, files, size


def _read(source: socket.socket, size: int) -> bytearray:
    content = bytearray(size)
    view = memoryview(content)
    while view:
        try:
            got = source.recv_into(view, min(len(view), 1 << 20))
        except ConnectionError as error:
            raise Ended from error
        if not got:
            raise Ended
        view = view[got:]
    return content


def _read_files(source: socket.socket) -> list[int]:
    with_room = socket.CMSG_SPACE(FILES_AT_ONCE * array.array("i").itemsize)
    byte, extra, _, _ = source.recvmsg(1, with_room)
    handles = array.array("i")
    for level, kind, part in extra:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            handles.frombytes(part[: len(part) - len(part) % handles.itemsize])
    if not byte or not handles:
        close(handles)
        raise Ended
    return list(handles)


def close(handles: Sequence[int] | array.array[int]) -> None:
    """Close open files."""
    for handle in handles:
        os.close(handle)
