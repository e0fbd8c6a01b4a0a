"""The parts of a request's history that cannot be read with the keys that are here, for people."""

from collections import Counter
from dataclasses import dataclass, field

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

MOST_NAMED = 8
OF_THE_REQUEST = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: "the request",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: "its outcome",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: "why it failed",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: "what people told it",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: "what it answered people",
}


@dataclass
class Unread:
    """Collects them while a history is read."""

    _parts: Counter[str] = field(default_factory=Counter[str])
    _why: dict[str, None] = field(default_factory=dict[str, None])
    _activities: dict[int, str] = field(default_factory=dict[int, str])

    def pass_by(self, event: HistoryEvent) -> None:
        """Remember which activity an event schedules: what comes of it does not name it."""
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            self._activities[event.event_id] = event.activity_task_scheduled_event_attributes.activity_type.name

    def add(self, event: HistoryEvent, error: Exception) -> None:
        self._parts[self._name_of(event)] += 1
        self._why[str(error)] = None

    @property
    def parts(self) -> tuple[str, ...]:
        """What cannot be read: "the request", "the result of send_email"."""
        return tuple(name if times == 1 else f"{name} ({times} times)" for name, times in self._parts.items())

    def __str__(self) -> str:
        """In a sentence, with the keys that are missing; empty where all could be read."""
        if not self._parts:
            return ""
        more = len(self.parts) - MOST_NAMED
        named = ", ".join(self.parts[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        return f"not all of its history can be read here, and nothing is said of: {named}. {'; '.join(self._why)}"

    def _name_of(self, event: HistoryEvent) -> str:
        match event.event_type:
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                return f"the input of {self._activities[event.event_id]}"
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                return f"the result of {self._of(event.activity_task_completed_event_attributes.scheduled_event_id)}"
            case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
                return f"a failure of {self._of(event.activity_task_started_event_attributes.scheduled_event_id)}"
            case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
                return f"a failure of {self._of(event.activity_task_failed_event_attributes.scheduled_event_id)}"
            case EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
                return f"a failure of {self._of(event.activity_task_timed_out_event_attributes.scheduled_event_id)}"
            case other:
                return OF_THE_REQUEST.get(other, f"event {event.event_id}")

    def _of(self, scheduled_id: int) -> str:
        return self._activities.get(scheduled_id, "an activity")
