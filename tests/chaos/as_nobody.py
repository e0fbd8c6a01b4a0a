"""python -m tests.chaos.as_nobody PROGRAM ARGUMENT…    become that program, as `nobody` where root is not welcome."""

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
    if sys.platform == "linux":
        # Once more: another user's process no longer ends with its parent.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
    os.chdir("/")  # this folder may be closed to that user
    os.execv(sys.argv[1], sys.argv[1:])
