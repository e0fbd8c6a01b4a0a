"""When a request goes on in a new run."""

from temporalio import workflow

from workflows.size_limits import HISTORY_BYTES


def is_due(*, is_open: bool, is_busy: bool) -> bool:
    """Whether to go on in a new run: the history is long, or the worker is of an old version.

    Args:
        is_open: it may hear further messages. One that may not ends soon, with the version that began it.
        is_busy: a message is under way.
    """
    info = workflow.info()
    if info.cron_schedule or not (is_open or is_busy):
        return False  # Temporal forgets a cron's schedule when one of its runs continues as new
    is_long = info.is_continue_as_new_suggested() or info.get_current_history_size() > HISTORY_BYTES
    return is_long or (is_open and info.is_target_worker_deployment_version_changed())
