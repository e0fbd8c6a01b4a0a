"""What a worker says of itself when it starts."""

import structlog

from activities.model.endpoint import Endpoint
from activities.redaction import SECRETS, SHORTEST
from activities.settings import Settings
from activities.settings.environment import variable
from activities.toolkit.catalogue import Catalogue

log = structlog.stdlib.get_logger("errand")


def say_what_is_not_redacted(settings: Settings) -> None:
    for field in (field for group in settings.group_objects() for field in SECRETS.add_settings(group)):
        log.warning(
            "a secret is too short to be redacted from histories and logs", setting=variable(field), shortest=SHORTEST
        )


def say_what_is_offered(catalogue: Catalogue) -> None:
    for tool, by in catalogue.replaced.items():
        log.warning(
            "tool replaced", tool=tool.name, defined_at=tool.defined_at, by=by.name, by_defined_at=by.defined_at
        )
    if catalogue.left_out:
        log.info("tools left out", tools=list(catalogue.left_out), setting="ERRAND_OFFER")
    for name, why in catalogue.sources.left_out.items():
        log.warning("left out of a source", name=name, why=why)
    for tool, missing in catalogue.unconfigured.items():
        log.warning("tool not offered: it is not configured", tool=tool, missing=list(missing))
    log.info("tools offered", tools=list(catalogue.tools))


def say_who_is_asked(endpoint: Endpoint) -> None:
    profile = endpoint.profile
    log.info("model", model=endpoint.model, profile=profile.name, calling=profile.calling.value)
    if endpoint.price is None:
        log.info(
            "no price is known: no request can limit its cost", model=endpoint.model, setting="ERRAND_MODEL_PRICES"
        )
