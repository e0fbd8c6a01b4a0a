"""What of a worker's log the command line shows, where it loads what a worker loads."""

import sys


def only_warnings() -> None:
    """Warnings on standard error, and nothing on standard output: that is for what a command answers."""
    import logging

    import structlog  # not at a command's start: it takes 0.1 s

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
