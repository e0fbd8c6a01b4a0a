"""Where a person finds a request: what is told elsewhere says little more."""

from dataclasses import dataclass
from urllib.parse import quote

from activities.settings import Settings


@dataclass(frozen=True)
class Links:
    """`template` has `{request_id}` in it; without one, links lead to the Temporal UI."""

    template: str | None
    ui_url: str
    namespace: str

    @classmethod
    def from_settings(cls, settings: Settings, namespace: str) -> "Links":
        return cls(settings.notification.request_url, settings.worker.ui_url, namespace)

    def to(self, request_id: str) -> str:
        escaped = quote(request_id, safe="")
        if self.template:
            return self.template.replace("{request_id}", escaped)
        return f"{self.ui_url.rstrip('/')}/namespaces/{self.namespace}/workflows/{escaped}"
