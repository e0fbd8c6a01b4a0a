"""How many files and connections the system lets a worker have open at once."""

import errno
import resource

from activities.errors import ConfigurationError

LEAST = 64
"""A worker that has nothing to do has some thirty."""
TODO = (
    "raise the limit to 1024 or more: `ulimit -n`, LimitNOFILE= of a systemd unit, or --ulimit nofile= of a container"
)


def check_limit() -> None:
    """Refuse to start where something would not be opened soon, and be taken for whatever else fails then.

    Raises:
        ConfigurationError: the limit is too low.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit != resource.RLIM_INFINITY and limit < LEAST:
        raise ConfigurationError(f"the system lets this worker open only {limit} files and connections; {TODO}")


def ran_out(error: BaseException) -> bool:
    """Whether the system has refused to open one more, be it behind another error."""
    refused = isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)
    behind = error.__cause__ or error.__context__
    return refused or (behind is not None and ran_out(behind))
