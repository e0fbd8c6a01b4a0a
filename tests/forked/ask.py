"""python -IS ask.py SOCKET FILE [WORD…]    stand for a process that server.py forks, with these standard streams"""

import json
import os
import signal
import socket
import sys

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def main() -> int:
    path, *words = sys.argv[1:]
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        order = {"words": words, "environment": dict(os.environ), "folder": os.getcwd()}  # noqa: PTH109  # 30 ms less
        socket.send_fds(server, [f"{json.dumps(order)}\n".encode()], [0, 1, 2])
        said = server.makefile()
        pid = json.loads(said.readline())["pid"]
        for each in PASSED_ON:
            signal.signal(each, lambda number, _: os.kill(pid, number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        code = json.loads(said.readline())["ended"]
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code in PASSED_ON else None
        os.kill(os.getpid(), -code)
    return code


sys.exit(main())
