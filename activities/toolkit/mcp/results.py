"""What a call of an MCP tool came to: a result, or an error of the tree."""

import re
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

from activities.errors import OutcomeUnknown, ServiceRefused
from activities.toolkit.mcp.settings import ErrorMeans

NOT_BEGUN = (METHOD_NOT_FOUND, INVALID_PARAMS, HEADER_MISMATCH)
"""JSON-RPC errors of a call that no tool has seen."""
BEFORE_THE_RUN = re.compile(
    r"(MCP error -\d+: )?Input validation error"
    r"|(Error (executing|calling) tool '?[\w.-]+'?: )?\d+ validation errors? for (\w+Arguments\b|call\[)"
)
"""How servers begin what they say of arguments that do not fit."""
AFTER_THE_RUN = re.compile(
    r"output validation|validating tool output|output ?schema|structured (content|output)"
    r"|\d validation errors? for (?!\w*Arguments\b|call\[)"
    r"|^(Error executing tool \S+ ?)+$",
    re.IGNORECASE,
)
"""What servers say of a tool whose result does not fit, and the last (of the Python SDK) also of one that crashed: what
it has done, it has done."""
LONGEST_REFUSAL = 1000
"""Characters of what a tool says of its failure."""


def may_have_acted(said: str, error_means: ErrorMeans) -> bool:
    """Whether a write whose tool says that it failed may have happened."""
    said = said.strip()
    return not BEFORE_THE_RUN.match(said) and (error_means == "unknown" or bool(AFTER_THE_RUN.search(said)))


def result_of(result: CallToolResult, tool: str, *, writes: bool, error_means: ErrorMeans) -> JsonValue:
    """The structured content where there is some, or else the text; what is neither is named.

    Raises:
        ServiceRefused: the tool says that it failed.
        OutcomeUnknown: a write says so that may have happened.
    """
    if result.is_error:
        said = _text(result.content)
        why = said[:LONGEST_REFUSAL] or "it failed, and does not say why"
        if writes and may_have_acted(said, error_means):
            raise OutcomeUnknown(f"{tool} may have done it before it failed: {why}")
        raise ServiceRefused(f"{tool}: {why}")
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
