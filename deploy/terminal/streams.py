"""Standard input, output and error of a command: closed, or on a disk that is full."""

import os
import sys


def open_closed_streams() -> None:
    """Have every stream lead somewhere: Python has none in place of one that was closed (`>&-`), and fails over it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def unwritten() -> OSError | None:
    """Why what was said cannot be written; nothing, where it is, or where its reader wants no more."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return None
    except OSError as error:
        return error
    return None
