"""Ports on loopback: finding free ones, and refusing those that are taken."""

import socket
from contextlib import ExitStack

from deploy.local.part import DeploymentError


def free_ports(count: int) -> list[int]:
    """So many different ports that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed connection's leftovers do no harm
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def require_free(port: int, what: str, variable: str) -> None:
    """Raises:
    DeploymentError: the port is taken; the message names it, and the variable that chooses another.
    """
    if not is_free(port):
        raise DeploymentError(f"port {port} ({what}) is taken; stop what uses it, or choose another: {variable}=…")
