"""Where the arguments of one call came from, by what a request's history says of it."""

from collections.abc import Collection, Iterable

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
    found = _put_there(found, each.proposed.defaults, Origin(where="default"))
    if each.arguments == written:
        return found
    by = next((verdict.by for verdict in reversed(each.verdicts) if verdict.arguments is not None), "")
    names = {name for name, value in each.arguments.items() if written.get(name) != value}
    return _put_there(found, names, Origin(where="person", by=by))


def _put_there(found: Iterable[Source], names: Collection[str], origin: Origin) -> tuple[Source, ...]:
    """With one origin for all that the arguments of these names say."""
    return tuple(
        source.model_copy(update={"origins": (origin,)}) if any(source.is_of(name) for name in names) else source
        for source in found
        if not (source.piece and source.argument in names)
    )
