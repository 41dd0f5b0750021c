"""Whether a Ray cluster is at an address, and wants a token: said in seconds. Ray itself tries for minutes."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from gandream.run.cluster.where import ClusterError, Where

HELLO_S = 4.0
"""How long a port may take to speak."""
SETTINGS = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""An empty frame of HTTP/2's settings; the fourth byte is its type."""
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS
ASKED = "/ray.rpc.NodeInfoGcsService/GetClusterId"
TOKEN_HINT = (
    "`ray get-auth-token` on a node of the cluster prints it: put it in ~/.ray/auth_token, or in RAY_AUTH_TOKEN."
)


def greet(place: Where) -> dict[str, str]:
    """What the environment must say for a cluster's token; ClusterError where nothing, or something else, answers.

    Ray uses the user's token by itself, but not at an address that is given (as of 2.60); and with a token it can't
    work where none is wanted, unless through a client server.
    """
    address = place.address
    if address is None or address == "auto":
        return {}
    _speaks(place, address.removeprefix("ray://"))
    if "RAY_AUTH_MODE" in os.environ:
        return {}
    token = _token()
    if address.startswith("ray://"):
        return {"RAY_AUTH_MODE": "token"} if token else {}
    if not _refuses(address):
        return {}
    if not token or _refuses(address, token):
        problem = "the cluster wants its token, and the one here is another" if token else "the cluster wants a token"
        raise ClusterError(place.said, problem, TOKEN_HINT)
    return {"RAY_AUTH_MODE": "token"}


def hint(place: Where) -> str:
    """What to do where it doesn't answer."""
    if place.address is None:
        return "Ray says why in /tmp/ray/session_latest/logs; --on local renders without it."
    if place.address.startswith("ray://"):
        return (
            "Is it a Ray client server, host:10001, and is the cluster's token here? Simpler and faster: run this on "
            "a node of the cluster, with --on ray:auto."
        )
    if place.address == "auto":
        return "`ray start --head` begins one; --on ray starts its own."
    return "`ray status` on a node of the cluster tells its address, host:6379; from elsewhere it is ray://host:10001."


def _speaks(place: Where, address: str) -> None:
    """ClusterError unless it speaks HTTP/2, as servers of gRPC do: they begin with SETTINGS (RFC 9113, section 3.4).

    Under TLS only the port is tried.
    """
    host, _, port = address.rpartition(":")
    heard = SETTINGS
    try:
        if not 0 < int(port) < 65536:
            raise OSError("a port is a number from 1 to 65535")
        with socket.create_connection((host.strip("[]"), int(port)), timeout=HELLO_S) as line:
            if os.environ.get("RAY_USE_TLS", "0").lower() not in ("1", "true"):
                line.sendall(PREFACE)
                heard = line.recv(9)
    except OSError as error:
        why = "no answer" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise ClusterError(place.said, f"nothing answers at {address}: {why}", hint(place)) from error
    if heard[3:4] != SETTINGS[3:4]:
        raise ClusterError(place.said, f"what answers at {address} is no Ray cluster", hint(place))


def _token() -> str:
    """The user's, from where Ray reads it; empty where there is none."""
    if said := os.environ.get("RAY_AUTH_TOKEN"):
        return said.strip()
    try:
        return Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token").read_text().strip()
    except (OSError, ValueError, RuntimeError):
        return ""


def _refuses(address: str, token: str = "") -> bool:
    """Whether a cluster doesn't let us in with a token, or without. False where that can't be found out."""
    try:
        import grpc  # pyright: ignore[reportMissingModuleSource]
    except ImportError:
        return False
    told = (("authorization", f"Bearer {token}"),) if token else ()
    with grpc.insecure_channel(address) as channel:
        try:
            channel.unary_unary(ASKED)(b"", timeout=HELLO_S / 2, metadata=told)
        except grpc.RpcError as error:
            code = getattr(error, "code", lambda: None)()
            return code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
    return False
