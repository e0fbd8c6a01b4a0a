"""`deliver_callback`: an event, signed and posted to one endpoint, as Standard Webhooks 1.0.0 say.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx
import structlog
from pydantic_core import to_json
from standardwebhooks import Webhook
from temporalio import activity

from activities.callbacks.endpoint_file import SETTING
from activities.callbacks.endpoints import Endpoint, Endpoints
from activities.callbacks.links import Links
from activities.errors import DeliveryFailed, DeliveryGivenUp, ServiceRefused, ServiceUnavailable
from activities.http.web import retry_after
from workflows.contract.callbacks import DELIVER, Delivered, Delivery, Event

GONE = 410
A_DAY = timedelta(days=1)
JITTER = 0.1
"""Of a pause, at most so much longer, so that not all that waited comes at once."""


class Deliveries:
    """Posts events. `public` goes to public addresses only, `private` anywhere; neither follows a redirect."""

    def __init__(
        self, endpoints: Endpoints, links: Links, *, public: httpx.AsyncClient, private: httpx.AsyncClient
    ) -> None:
        self._endpoints = endpoints
        self._links = links
        self._public = public
        self._private = private

    @activity.defn(name=DELIVER)
    async def deliver(self, delivery: Delivery) -> Delivered:
        """One attempt.

        Raises:
            ApplicationError: of type DeliveryFailed, which says when the next attempt is due, or DeliveryGivenUp.
        """
        structlog.contextvars.bind_contextvars(request_id=delivery.event.request_id, endpoint=delivery.endpoint)
        endpoint = self._endpoints.find(delivery.endpoint, delivery.requester, by_policy=delivery.by_policy)
        if endpoint is None:
            what = f"there is no endpoint {delivery.endpoint!r} for {delivery.requester or 'this requester'}"
            raise DeliveryGivenUp(f"{what}; {SETTING} names those that there are")
        reply = await self._post(endpoint, delivery.event)
        attempt = activity.info().attempt
        if reply.is_success:
            return Delivered(status=reply.status_code, attempts=attempt)
        said = f"{delivery.endpoint} answered {reply.status_code} {reply.reason_phrase}".strip()
        if reply.status_code == GONE:
            raise DeliveryGivenUp(f"{said}: it takes no callbacks any more; remove it from {SETTING}")
        if reply.is_redirect:
            said += ", and no redirect is followed: correct its URL"
        raise self._failed(said, retry_after(reply.headers.get("Retry-After", ""), longest=A_DAY))

    async def _post(self, endpoint: Endpoint, event: Event) -> httpx.Response:
        body = self._body(event)
        client = self._private if endpoint.private else self._public
        try:
            return await client.post(endpoint.url, content=body, headers=headers(endpoint.webhooks, event.id, body))
        except (ServiceRefused, ServiceUnavailable) as error:  # the guard's
            raise self._failed(f"{endpoint.name}: {error}") from error
        except httpx.HTTPError as error:
            what = "no answer in time" if isinstance(error, httpx.TimeoutException) else "no connection, or no answer"
            raise self._failed(f"{endpoint.name}: {what} ({type(error).__name__})") from error

    def _body(self, event: Event) -> bytes:
        data = {"request_id": event.request_id, **event.data, "url": self._links.to(event.request_id)}
        return to_json({"type": event.type, "timestamp": event.at.isoformat(), "data": data})

    def _failed(self, why: str, asked_for: timedelta | None = None) -> DeliveryFailed | DeliveryGivenUp:
        """With the pause of the schedule, or a longer one that the endpoint asks for."""
        attempt, pauses = activity.info().attempt, self._endpoints.pauses
        if attempt > len(pauses):
            return DeliveryGivenUp(f"{why}; given up after {attempt} attempts")
        pause = timedelta(seconds=pauses[attempt - 1] * random.uniform(1, 1 + JITTER))  # noqa: S311  # no secret
        return DeliveryFailed(why, retry_after=max(pause, asked_for or pause))


def headers(webhooks: Sequence[Webhook], id: str, body: bytes) -> dict[str, str]:
    """Signed with each secret, so that a receiver may know any of them while one is changed."""
    now = datetime.now(UTC)
    return {
        "Content-Type": "application/json",
        "User-Agent": "Errand",
        "webhook-id": id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(each.sign(id, now, body.decode()) for each in webhooks),
    }
