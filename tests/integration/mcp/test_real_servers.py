"""Servers of others, from the registries, are sources as they are."""

from pathlib import Path

import pytest

from tests.mcp.calling import called
from tests.mcp.servers import SERVERS


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.long
async def test_every_tool_is_imported_and_a_call_ends_as_it_should(name: str, tmp_path: Path) -> None:
    server = SERVERS[name]
    if server.missing:
        pytest.skip(server.missing)
    found = await called(name, server, tmp_path)
    assert found.left_out == {}
    assert found.effects
    assert server.answers(found.result), found.result
