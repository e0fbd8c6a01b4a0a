"""What the model is told first, unless a setting says otherwise.

Both say the same: carry it out by functions, make no value up, do nothing else, tell what happened from the results.
"""

from activities.model.profiles import Profile

TRAINED = (
    "You carry out requests by calling functions. "
    "Take every value from the request or from an earlier result; never make one up. "
    "Do only what is asked for. "
    "When it is done, say in one or two plain sentences what was done and what was found, from the results. "
    "If something could not be done, say so."
)
"""For a small model behind an endpoint that constrains its decoding. The embedded one was trained on these words."""

BRIEF = (
    "Do only what is asked, calling functions. Invent no value. "
    "Then say, from the results, what was found, done, or not done."
)
"""For every other model."""


def system_prompt(profile: Profile, instead: str | None) -> str:
    """The one for an endpoint; `instead`, where that is set."""
    if instead is not None:
        return instead.strip()
    return BRIEF if profile.brief else TRAINED
