"""That a question is longer than the model's context, in the words of whichever endpoint. Pure functions.

There is no standard for it. The words are those of some forty servers, as their documentation and their users' reports
have them; tests/unit/model/test_endpoint_errors.py lists them.
"""

import re

_TEXT = r"(?:prompts?|inputs?|requests?|messages?|conversation|queries|query|sequences?|tokens?|context)"
_TOO_LARGE = (
    r"(?:exceed\w*|overflow\w*|too (?:long|large|big)|(?:long|larg|great|bigg)er than|over (?:the|its) \w+"
    r"|do(?:es)? not fit)"
)
_AT_MOST = r"(?:at most|less than|fewer than|smaller than|no more than|up to|exceed|limited to|<=?|\[)"
_WORDS = [
    r"\bcontext[ _-](?:length|size|window|limit)\b.{0,80}(?:exceed|overflow|\bonly\b|\bmaximum\b|\d)",
    r"\b(?:maximum|exceed\w*|longer than|greater than|not enough|no room)\b.{0,60}\bcontext\b",
    r"\bmax(?:imum)?[ _-](?:input|prompt|model|seq|sequence|message)[ _-](?:length|len|tokens)\b",
    rf"\b{_TEXT}\b[^.]{{0,80}}\b{_TOO_LARGE}",
    r"\bexceed\w*\b.{0,60}\b(?:tokens?|prompt|input)\b",
    r"\btoo many (?:\w+ )?tokens\b",
    rf"\b(?:tokens?|length)\b.{{0,80}}\b(?:must|should|cannot|only supports|is|are)\b.{{0,30}}{_AT_MOST}",
    rf"\bmust\b.{{0,30}}{_AT_MOST}.{{0,20}}\btokens\b",
    r"\btokens\b.{0,20}>",
    rf"\b(?:reduce|shorten|shorter|truncate|limit (?:the|your))\b.{{0,30}}\b{_TEXT}\b",
    r"\btokens must be reduced\b",
    r"\bn(?:um)?_ctx\b|PromptTooLong|超长|过长",
]
_TOO_LONG = re.compile("|".join(_WORDS), re.IGNORECASE | re.DOTALL)
_TOO_LARGE_FOR_A_RATE = re.compile(
    r"\b(?:request|prompt|input) (?:is )?too large\b|\btokens must be reduced\b", re.IGNORECASE
)
"""One question alone is more than may be asked in a minute. To wait does not help."""
_RATE = re.compile(
    r"\brate\b|\bquota\b|\bper (?:second|min|minute|hour|day)\b|\btry again (?:in|later)\b", re.IGNORECASE
)
_CODE = re.compile(
    r"(?:context|prompt|input)\w{0,60}(?:exceed|too_?long|too_?large|overflow)|exceed_context|tokens_limit_reached"
    r"|request_?too_?large|string_above_max_length",
    re.IGNORECASE,
)


def is_about_length(status: int, words: str, codes: frozenset[str]) -> bool:
    """Whether a reply with an error says that the question is too long: by its status, its codes or its words."""
    if status == 413 or any(map(_CODE.search, codes)) or _TOO_LARGE_FOR_A_RATE.search(words):
        return True
    # Who is asked too often speaks of tokens and limits too.
    return status != 429 and _TOO_LONG.search(words) is not None and _RATE.search(words) is None
