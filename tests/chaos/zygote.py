"""python -m tests.chaos.zygote MODULE [ARGUMENT…]    import a module once, and fork processes that run it

Most of what a worker's start costs is importing, and where workers die every few seconds little else would happen. What
is forked is a process like any other: it runs the module's `main` with its own environment, and is killed alone.

Each line on standard input, `{"log": …, "environment": …}`, makes a process. Lines on standard output: `{"pid": …}` for
every process, in order, and `{"pid": …, "ended": …}` when it has ended. It goes when its standard input is closed.
"""

import ctypes
import importlib
import json
import os
import select
import signal
import sys
from typing import Any

from temporalio.worker._worker import load_default_build_id

POLL = 0.02
PR_SET_PDEATHSIG = 1


def main() -> None:
    name, *arguments = sys.argv[1:]
    module = importlib.import_module(name)
    load_default_build_id()  # a digest of everything that is imported: the SDK makes it once for each process
    sys.argv = [name, *arguments]
    tell({"ready": True})
    with os.fdopen(os.dup(0), "rb", buffering=0) as orders:
        while True:
            readable, _, _ = select.select([orders], [], [], POLL)
            if readable:
                line = orders.readline()
                if not line:
                    return
                tell({"pid": born(module, json.loads(line))})
            report_the_dead()


def born(module: Any, order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(order["environment"])
    code = 1
    try:
        code = module.main()
    except SystemExit as leaving:
        code = leaving.code
    finally:
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


def report_the_dead() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        tell({"pid": pid, "ended": os.waitstatus_to_exitcode(status)})


def tell(news: dict[str, Any]) -> None:
    os.write(1, f"{json.dumps(news)}\n".encode())


if __name__ == "__main__":
    main()
