"""Standard input, output and error of a command: closed, without a reader, or on a disk that is full."""

import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _WhoeverReads(io.FileIO):
    """A stream that leads to nobody once its reader wants no more (`| head -1`), instead of failing."""

    def write(self, data: "ReadableBuffer", /) -> int | None:
        try:
            return super().write(data)
        except BrokenPipeError:
            nobody = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nobody, self.fileno())
            os.close(nobody)
            return super().write(data)


def prepare_streams() -> None:
    """Have every stream lead somewhere, so that a command goes on, and its exit code says how it ended.

    Python has none in place of one that was closed (`>&-`), and fails over it; one whose reader is gone is written to.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
        elif mode == "w" and not stream.isatty():
            raw = io.BufferedWriter(_WhoeverReads(stream.fileno(), mode, closefd=False))
            lines = stream.line_buffering
            setattr(sys, name, io.TextIOWrapper(raw, stream.encoding, stream.errors, line_buffering=lines))


def unwritten() -> OSError | None:
    """Why what was said cannot be written; nothing, where it is."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return error
    return None
