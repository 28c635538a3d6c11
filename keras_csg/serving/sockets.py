"""Addresses to listen at."""

import ipaddress
import socket

BACKLOG = 1024


def can_share_ports() -> bool:
    """Whether several processes may listen at one port, here."""
    return hasattr(socket, "SO_REUSEPORT")


def bound_socket(host: str, port: int, shared: bool = False) -> socket.socket:
    """Returns a socket at an address, which does not listen yet.

    Args:
        host: str. A name or an address of this machine.
        port: int; 0 for a free one.
        shared: bool. Whether other processes of the user may be there as well.

    Raises:
        ValueError: if it is taken, or not of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM
        )[0]
        # Only of sockets that are of TCP by name asyncio sends small parts of
        # an answer at once; others hold them back for 40 ms.
        bound = socket.socket(family, kind, protocol)
        try:
            # Connections that have ended do not hold a port.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            bound.bind(address)
        except OSError:
            bound.close()
            raise
    except (OSError, UnicodeError) as error:
        raise ValueError(taken(host, port)) from error
    return bound


def taken(host: str, port: int) -> str:
    """Returns what to say where one cannot listen."""
    return (
        f"Cannot listen at {host}, port {port}: name another `port` or "
        "`grpc_port`, or 0 for a free one, and a `host` of this machine."
    )


def joined(host: str, port: int) -> str:
    """Returns an address as it stands in a URL."""
    bare = host.strip("[]")
    return f"[{bare}]:{port}" if ":" in bare else f"{bare}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address.

    Args:
        host: str. A name or an address.
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
