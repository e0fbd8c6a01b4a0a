"""The task queue on which a caller meets the workers."""

from activities.settings.worker import QueueSettings


def queue_or_set(task_queue: str | None) -> str:
    """The queue that a caller names. Without one, that of ERRAND_TASK_QUEUE, else `errand`.

    No other setting is read.
    """
    return QueueSettings().task_queue if task_queue is None else task_queue
