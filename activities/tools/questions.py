"""A question to whoever made the request, where only they can know: "which of the two Anns do you mean?"."""

from activities.toolkit.tool import tool


@tool(asks="question")
async def ask_requester(question: str) -> None:
    """Ask the person who made the request a question, and wait for the answer. Only for what nothing else can tell.

    Args:
        question: One question, in plain words, with all that is needed to answer it.
    """
    # Never run: the request itself waits for the answer, and that is the result.
