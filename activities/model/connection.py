"""The client of the model's endpoint. It repeats nothing, follows nowhere, and reads no reply without a bound."""

import json

import openai

from activities.http.bounded import BoundedHttpx2Client
from activities.http.tls import trusted_roots
from activities.settings.model import ModelSettings

LONGEST_CONNECTING = 10.0
"""Seconds; and at most half of the time for an answer, so that one that nobody could give is told from a lost one."""
NO_KEY = "none"
OPENAI = "https://api.openai.com/v1"


def connected(settings: ModelSettings) -> openai.AsyncOpenAI:
    http = BoundedHttpx2Client(
        verify=trusted_roots(),
        # Redirects are not followed: a key is for the place that the settings name, and for no other.
        follow_redirects=False,
        limits=openai.DEFAULT_CONNECTION_LIMITS,
        # Where nothing else is said, JSON shows by itself in which form of Unicode it is.
        default_encoding=json.detect_encoding,
    )
    return openai.AsyncOpenAI(
        # An endpoint of one's own needs no key, but the client insists on one.
        api_key=settings.openai_api_key.get_secret_value() if settings.openai_api_key else NO_KEY,
        base_url=settings.openai_base_url or OPENAI,
        timeout=openai.Timeout(settings.model_timeout, connect=min(LONGEST_CONNECTING, settings.model_timeout / 2)),
        max_retries=0,
        http_client=http,
    )
