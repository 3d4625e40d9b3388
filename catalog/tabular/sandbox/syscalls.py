"""The system calls that a child needs, by their numbers on each kind of machine; all others are refused.

Machines of other kinds have no list: there the child is shut in by Landlock and by limits only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """A kind of machine: `audit` is what the kernel calls it, the rest are numbers of system calls."""

    audit: int
    mmap: int
    mprotect: int
    clone: int
    clone3: int
    tgkill: int
    prlimit64: int
    newfstatat: int
    allowed: Mapping[str, int]
    """What computing and answering over an open socket need, whatever the arguments."""


_X86_64 = Machine(
    0xC000003E, mmap=9, mprotect=10, clone=56, clone3=435, tgkill=234, prlimit64=302, newfstatat=262,
    allowed={
        "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "munmap": 11, "brk": 12,
        "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "readv": 19, "writev": 20,
        "select": 23, "sched_yield": 24, "mremap": 25, "mincore": 27, "madvise": 28, "dup": 32, "nanosleep": 35,
        "getpid": 39, "sendto": 44, "recvfrom": 45, "sendmsg": 46, "recvmsg": 47, "shutdown": 48, "getsockopt": 55,
        "exit": 60, "fcntl": 72, "gettimeofday": 96, "getrlimit": 97, "getrusage": 98, "sysinfo": 99, "times": 100,
        "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108, "sigaltstack": 131, "gettid": 186,
        "futex": 202, "sched_getaffinity": 204, "set_tid_address": 218, "restart_syscall": 219,
        "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231,
        "set_robust_list": 273, "ppoll": 271, "pselect6": 270, "getrandom": 318, "membarrier": 324, "rseq": 334,
        "getcpu": 309,
    },
)  # fmt: skip
_AARCH64 = Machine(
    0xC00000B7, mmap=222, mprotect=226, clone=220, clone3=435, tgkill=131, prlimit64=261, newfstatat=79,
    allowed={
        "read": 63, "write": 64, "close": 57, "fstat": 80, "lseek": 62, "munmap": 215, "brk": 214,
        "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "pread64": 67, "readv": 65, "writev": 66,
        "sched_yield": 124, "mremap": 216, "mincore": 232, "madvise": 233, "dup": 23, "nanosleep": 101,
        "getpid": 172, "sendto": 206, "recvfrom": 207, "sendmsg": 211, "recvmsg": 212, "shutdown": 210,
        "getsockopt": 209, "exit": 93, "fcntl": 25, "gettimeofday": 169, "getrlimit": 163, "getrusage": 165,
        "sysinfo": 179, "times": 153, "getuid": 174, "getgid": 176, "geteuid": 175, "getegid": 177,
        "sigaltstack": 132, "gettid": 178, "futex": 98, "sched_getaffinity": 123, "set_tid_address": 96,
        "restart_syscall": 128, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115, "exit_group": 94,
        "set_robust_list": 99, "ppoll": 73, "pselect6": 72, "getrandom": 278, "membarrier": 283, "rseq": 293,
        "getcpu": 168,
    },
)  # fmt: skip
MACHINES = {"x86_64": _X86_64, "aarch64": _AARCH64, "arm64": _AARCH64}
"""By the name that Python gives the machine."""
