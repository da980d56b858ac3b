"""The listening sockets of the front; apart, so that who only binds them loads no HTTP library."""

import contextlib
import socket


def listeners(port: int) -> list[socket.socket]:
    """Bind the loopback addresses: 127.0.0.1 always, ::1 where the machine has it.

    :raises OSError: if the port of 127.0.0.1 is taken.
    """
    first = socket.create_server(("127.0.0.1", port), backlog=1024)
    bound = [first]
    with contextlib.suppress(OSError):  # no IPv6 here, or taken there: browsers fall back
        bound.append(
            socket.create_server(
                ("::1", first.getsockname()[1]), family=socket.AF_INET6, backlog=1024
            )
        )
    return bound
