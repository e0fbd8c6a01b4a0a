"""Ports on loopback: finding free ones, and refusing those that are taken."""

import random
import socket

from deploy.local.part import DeploymentError

BELOW_THE_EPHEMERAL = range(10_000, 32_000)
"""No outgoing connection takes a port of these, before a part binds it or while the part is down."""


def free_ports(count: int) -> list[int]:
    """So many different ports that nobody listens on."""
    chosen: list[int] = []
    while len(chosen) < count:
        port = random.SystemRandom().choice(BELOW_THE_EPHEMERAL)
        if port not in chosen and is_free(port):
            chosen.append(port)
    return chosen


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed connection's leftovers do no harm
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def require_free(port: int, what: str, variable: str) -> None:
    """Refuse a port that is taken.

    Raises:
        DeploymentError: the port is taken; the message names it, and the variable that chooses another.
    """
    if not is_free(port):
        raise DeploymentError(f"port {port} ({what}) is taken; stop what uses it, or choose another: {variable}=…")
