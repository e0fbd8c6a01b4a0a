"""What a call of an MCP tool came to: a result, or an error of the tree."""

from collections.abc import Sequence
from typing import cast

from mcp_types import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
)
from pydantic import JsonValue

from activities.errors import ServiceRefused

NOT_BEGUN = (METHOD_NOT_FOUND, INVALID_PARAMS, HEADER_MISMATCH)
"""JSON-RPC errors of a call that no tool has seen."""
LONGEST_REFUSAL = 1000
"""Characters of what a tool says of its failure."""


def result_of(result: CallToolResult, tool: str) -> JsonValue:
    """The structured content where there is some, or else the text; what is neither is named.

    Raises:
        ServiceRefused: the tool says that it failed.
    """
    if result.is_error:
        raise ServiceRefused(f"{tool}: {_text(result.content)[:LONGEST_REFUSAL] or 'it failed, and does not say why'}")
    if result.structured_content is not None:
        return cast("JsonValue", result.structured_content)
    return _text(result.content)


def _text(content: Sequence[ContentBlock]) -> str:
    return "\n".join(map(_in_words, content))


def _in_words(block: ContentBlock) -> str:
    match block:
        case TextContent():
            return block.text
        case ImageContent() | AudioContent():
            return _named(block.type, block.mime_type, block.data)
        case ResourceLink():
            return f"[a link to {block.name}: {block.uri}]"
        case EmbeddedResource():
            resource = block.resource
            if isinstance(resource, BlobResourceContents):
                return _named(f"file {resource.uri}", resource.mime_type or "of unknown kind", resource.blob)
            return resource.text


def _named(what: str, kind: str, base64: str) -> str:
    return f"[{what}, {kind}, {len(base64) * 3 // 4:,} bytes, left out]"
