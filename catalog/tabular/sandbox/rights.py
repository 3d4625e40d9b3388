"""Gives up what a process may do, by every means of the kernel that is there and needs no root.

Each means says whether it took effect, and none is needed for the others: which must be there is the portal's to say. Where the kernel is no Linux the limits
of resources remain.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
from contextlib import suppress

from catalog.tabular.sandbox.syscalls import MACHINES, Machine

NOBODY = 65_534
OPEN_FILES = 512
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 1, 4, 38, 22
SECCOMP_MODE_FILTER = 2
CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000
CLONE_THREAD = 0x00010000
PROT_EXEC = 4
AT_EMPTY_PATH = 0x1000
LANDLOCK_CREATE, LANDLOCK_RESTRICT = 444, 446
"""System calls of Landlock have the same numbers on all machines."""

_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_EPERM, _ENOSYS = 1, 38
_LOAD, _JUMP_EQUAL, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER, _ARCH, _ARGUMENT = 0, 4, 16


def leave_the_network() -> list[str]:
    """Enter an empty network, and as root become nobody; for the process that all others come from.

    Without root this takes a user namespace of one's own, which some systems forbid.
    """
    done: list[str] = []
    root = os.geteuid() == 0
    if _libc(CLONE_NEWNET | CLONE_NEWIPC | (0 if root else CLONE_NEWUSER), call="unshare") == 0:
        done.append("network")
    if root:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        done.append("nobody")
    return done


def end_with_parent() -> None:
    """Let the kernel kill this process when its parent ends."""
    with suppress(AttributeError):
        _libc(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0, call="prctl")


def give_up(seconds: float) -> list[str]:
    """Keep computing, memory and open sockets; lose files, network, programs and other processes.

    To be called while there is one thread: the threads it starts inherit what was lost. The alarm ends the
    process whatever it does, for its action is the kernel's.
    """
    cpu = int(seconds * (os.cpu_count() or 1)) + 2
    for kind, most in (
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        with suppress(ValueError, OSError):  # a lower limit is there already
            resource.setrlimit(kind, (most, most))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    done = ["limits"]
    if platform.system() != "Linux":
        return done
    _libc(PR_SET_DUMPABLE, 0, 0, 0, 0, call="prctl")  # others of the same user may not look inside
    if _libc(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, call="prctl") == 0:
        done.append("no_new_privileges")
        done += ["landlock"] if _landlock() else []
        done += ["seccomp"] if _seccomp() else []
    return done


def open_memory() -> int:
    """An open file that says how much address space this process uses; -1 where there is none."""
    try:
        return os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:
        return -1


def limit_memory(extra_bytes: int, memory: int) -> None:
    """Allow so much more address space than the file of `open_memory` says is in use."""
    if memory < 0:
        return
    used = int(os.pread(memory, 100, 0).split()[0]) * resource.getpagesize()
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (used + extra_bytes, used + extra_bytes))


def _libc(*arguments: int, call: str) -> int:
    function = getattr(ctypes.CDLL(None, use_errno=True), call)
    return int(function(*(ctypes.c_ulong(argument) for argument in arguments)))


def _landlock() -> bool:
    """Handle every right that this kernel's Landlock knows, and grant none."""
    version = _syscall(LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    files = (1 << (13 if version < 2 else 14 if version < 3 else 15 if version < 5 else 16)) - 1
    rules = struct.pack("QQQ", files, 3, 3)  # network: bind, connect; scoped: sockets, signals
    size = 8 if version < 4 else 16 if version < 6 else 24
    handle = _syscall(LANDLOCK_CREATE, rules[:size], size, 0)
    if handle < 0:
        return False
    try:
        return _syscall(LANDLOCK_RESTRICT, handle, 0) == 0
    finally:
        os.close(handle)


def _syscall(number: int, *arguments: int | bytes | None) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    given = (
        ctypes.c_long(part) if isinstance(part, int) else ctypes.c_char_p(part)
        for part in arguments
    )
    return int(libc.syscall(ctypes.c_long(number), *given))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _seccomp() -> bool:
    """Refuse all system calls but those of a list, where there is one for this machine."""
    machine = MACHINES.get(platform.machine())
    if machine is None:
        return False
    program = _filter(machine, os.getpid())
    given = _Program(len(program) // 8, program)
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(given), 0, 0) == 0)


def _filter(machine: Machine, pid: int) -> bytes:
    """The program of the kernel's filter, in classic BPF."""
    steps = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    steps += _unless_bits(machine.mmap, 2, PROT_EXEC)  # no new code
    steps += _unless_bits(machine.mprotect, 2, PROT_EXEC)
    steps += [  # threads, no processes
        (_JUMP_EQUAL, 0, 4, machine.clone),
        (_LOAD, 0, 0, _ARGUMENT),
        (_JUMP_ANY_BIT, 0, 1, CLONE_THREAD),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | _EPERM),
        (_JUMP_EQUAL, 0, 1, machine.clone3),  # cannot be looked into: libc then takes clone
        (_RETURN, 0, 0, _ERRNO | _ENOSYS),
    ]
    steps += _only_with(machine.tgkill, pid)  # to abort, not to end others
    steps += _only_with(machine.prlimit64, 0)  # of this process
    steps += _only_with(machine.newfstatat, AT_EMPTY_PATH, argument=3)  # as fstat
    for number in sorted(machine.allowed.values()):
        steps += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    steps.append((_RETURN, 0, 0, _ERRNO | _EPERM))
    return b"".join(struct.pack("HBBI", *step) for step in steps)


_Step = tuple[int, int, int, int]


def _unless_bits(number: int, argument: int, bits: int) -> list[_Step]:
    return [
        (_JUMP_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _ARGUMENT + 8 * argument),
        (_JUMP_ANY_BIT, 0, 1, bits),
        (_RETURN, 0, 0, _ERRNO | _EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _only_with(number: int, value: int, *, argument: int = 0) -> list[_Step]:
    """Allowed when an argument has this value."""
    return [
        (_JUMP_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _ARGUMENT + 8 * argument),
        (_JUMP_EQUAL, 0, 1, value),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | _EPERM),
    ]
