"""``python -m config.front``: one origin for a browser, in front of web and stream.

In production a reverse proxy does this (see deploy/); the bench talks to web directly.
"""

import argparse
import asyncio
import logging
import signal
import socket
from pathlib import Path

from aiohttp import web

from config import env
from config.front.doors import listeners
from config.front.proxy import Proxy, Server

SHUTDOWN_S = 0.5
"""How long open streams may go on after a stop signal: they never end by themselves."""


async def serve(sockets: list[socket.socket], web_socket: Path, stream_socket: Path) -> None:
    """Serve on bound sockets until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stopped.set)
    proxy = Proxy(web_socket, stream_socket)
    # A client that goes away ends its request behind as well: a stream must not outlive its reader.
    runner = web.ServerRunner(
        Server(proxy.handle, handler_cancellation=True), shutdown_timeout=SHUTDOWN_S
    )
    await runner.setup()
    try:
        for bound in sockets:
            await web.SockSite(runner, bound, backlog=1024).start()
        await stopped.wait()
    finally:
        await runner.cleanup()
        await proxy.close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m config.front", description=__doc__)
    parser.add_argument("--web", type=Path, required=True, help="socket of the web process")
    parser.add_argument("--stream", type=Path, required=True, help="socket of the stream process")
    parser.add_argument("--fd", type=int, action="append", help="a listening socket to inherit")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    if options.fd:
        sockets = [socket.socket(fileno=descriptor) for descriptor in options.fd]
    else:
        sockets = listeners(env.integer("OMS_PORT", 8000))
    asyncio.run(serve(sockets, options.web, options.stream))


if __name__ == "__main__":
    main()
