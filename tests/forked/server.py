"""python -m tests.forked.server LISTENING MODULE…    import modules once, and fork processes that run programs
python -m tests.forked.server LISTENING --collected [PATH…]    the same, of the tests in these paths, by pytest

LISTENING is the number of a socket, of which each connection is one process: the server reads a line,
`{"words": …, "environment": …, "folder": …}`, with the three standard streams, and answers with the lines `{"pid": …}`
and, when the process has ended, `{"ended": code}`. A connection that is closed before that ends the process. The words
are a file and its arguments, or `-m`, a module and its arguments, of which `main` is called, or `-c` and a program.
The server prints a line when it is ready, and goes when its standard input is closed.
"""

import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from contextlib import redirect_stdout, suppress
from io import StringIO
from typing import TypedDict

from temporalio.worker._worker import load_default_build_id

from tests.forked import COLLECTED

POLL = 0.02
PR_SET_PDEATHSIG = 1
LONGEST_ORDER = 1_000_000


class Order(TypedDict):
    words: list[str]
    environment: dict[str, str]
    folder: str


class Server:
    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._asked_by: dict[int, socket.socket] = {}
        """By the pid of the process."""

    def serve(self) -> None:
        while True:
            readable, _, _ = select.select([sys.stdin, self._listening, *self._asked_by.values()], [], [], POLL)
            if sys.stdin in readable:
                return
            for pid, asker in self._asked_by.items():
                if asker in readable:  # it says nothing more: it is gone
                    os.kill(pid, signal.SIGKILL)
            if self._listening in readable:
                self._take_order(self._listening.accept()[0])
            self._tell_of_the_dead()

    def _take_order(self, asker: socket.socket) -> None:
        text, streams, _, _ = socket.recv_fds(asker, LONGEST_ORDER, 3)
        while not text.endswith(b"\n"):
            text += asker.recv(LONGEST_ORDER)
        pid = os.fork()
        if not pid:
            for each in (self._listening, asker, *self._asked_by.values()):
                each.close()
            run(json.loads(text), streams)
        for stream in streams:
            os.close(stream)
        self._asked_by[pid] = asker
        tell(asker, {"pid": pid})

    def _tell_of_the_dead(self) -> None:
        while self._asked_by:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with self._asked_by.pop(pid) as asker:
                tell(asker, {"ended": os.waitstatus_to_exitcode(status)})


def run(order: Order, streams: Sequence[int]) -> None:
    """Become the process that was asked for; this does not return."""
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    code: object = 1
    try:
        code = carried_out(order["words"])
    except SystemExit as leaving:
        code = leaving.code
    except BaseException:  # as Python itself does, which is not reached from here
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def carried_out(words: list[str]) -> object:
    if words[0] == "-u":  # as pytest-xdist starts its processes
        words = words[1:]
    if words[0] == "-m":
        sys.argv = words[1:]
        module = importlib.import_module(words[1])
        return (importlib.import_module(f"{words[1]}.__main__") if hasattr(module, "__path__") else module).main()
    if words[0] == "-c":
        sys.argv = ["-c", *words[2:]]
        exec(words[1], {"__name__": "__main__"})  # what `python -c` is for
        return None
    sys.argv = words
    runpy.run_path(words[0], run_name="__main__")
    return None


def tell(asker: socket.socket, news: dict[str, int]) -> None:
    with suppress(OSError):
        asker.sendall(f"{json.dumps(news)}\n".encode())


def collect(paths: list[str]) -> None:
    """Import tests by pytest, which rewrites their assertions; what cannot be imported, each process says later."""
    import pytest  # what forks programs does without

    with redirect_stdout(StringIO()) as said:
        code = pytest.main(["--collect-only", "--capture=no", *paths])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.INTERRUPTED, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise RuntimeError(f"pytest could not collect {paths}: {code!r}\n{said.getvalue()}")


def main() -> None:
    listening, *modules = sys.argv[1:]
    if modules[0] == COLLECTED:
        collect(modules[1:])
    else:
        for name in modules:
            importlib.import_module(name)
    gc.freeze()  # no memory is copied in a forked process because garbage was looked for in it
    load_default_build_id()  # a digest of everything that is imported: the SDK makes it once for each process
    with suppress(BrokenPipeError):  # whoever asked may have done without
        os.write(sys.stdout.fileno(), b"ready\n")
    Server(socket.socket(fileno=int(listening))).serve()


if __name__ == "__main__":
    main()
