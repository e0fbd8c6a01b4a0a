"""Whatever an endpoint answers: requests end, no workflow task fails, and nothing runs that was not clearly asked."""

import pytest
from temporalio.client import Client

from tests.integration.model.random_quirks import carry_out


@pytest.mark.long
async def test_an_endpoint_with_every_quirk_there_is(client: Client) -> None:
    verdict = await carry_out(client, 40, seed=1, seconds=15)
    assert verdict.is_clean, verdict
    assert verdict.ran > 20
    assert verdict.quirks > 40
