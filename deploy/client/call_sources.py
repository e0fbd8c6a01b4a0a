"""Where the arguments of one call came from, by what a request's history says of it."""

from activities.model.origins import Origin, Source, sources
from deploy.client.call_accounts import CallAccount
from workflows.contract.values import texts


def sources_of(each: CallAccount) -> tuple[Source, ...]:
    """Every value in its arguments, with where it came from. What a person put into a call that they edited is theirs;
    nothing is known of a call that only a later run's receipt speaks of."""
    if each.proposed is None:
        return ()
    route, written = each.proposed.route, each.proposed.arguments
    accepted = [value for name in each.proposed.grounded for value in texts(written.get(name))]
    loose = route.ungrounded if route else ()
    found = sources(each.arguments, each.said, [value for value in accepted if value not in loose])
    if each.arguments == written:
        return found
    by = next((verdict.by for verdict in reversed(each.verdicts) if verdict.arguments is not None), "")
    names = {name for name, value in each.arguments.items() if written.get(name) != value}
    theirs = (Origin(where="person", by=by),)
    return tuple(
        source.model_copy(update={"origins": theirs}) if any(source.is_of(name) for name in names) else source
        for source in found
        if not (source.piece and source.argument in names)
    )
