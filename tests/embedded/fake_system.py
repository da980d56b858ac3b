"""A system of tiny processes under the real `up`: run as a program by test_up.py.

Arguments: the state dir, the port, and how the worker behaves (plain, crashing, stubborn).
"""

import sys
from pathlib import Path

from config.supervisor.processes import Process
from config.supervisor.up import Plan, Up

PYTHON = (sys.executable, "-S", "-c")

WEB = """
import http.server, os, socketserver, sys
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    def get_request(self):
        return super().get_request()[0], ("unix", 0)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        if "stream" in self.path:
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            import time
            while True:
                self.wfile.write(b"data: tick\\n\\n")
                time.sleep(0.1)
        self.end_headers()
        self.wfile.write(b"%d" % os.getpid())
Server(sys.argv[1], Handler).serve_forever()
"""

PARENT = """
import os, signal, subprocess, sys, time
if sys.argv[1] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)", "grandchild"])
time.sleep(600)
"""

LOSING = "import sys; sys.exit('this cannot work')"


def processes(sockets: Path, behaviour: str) -> list[Process]:
    web, stream = sockets / "web.sock", sockets / "stream.sock"
    front = (sys.executable, "-m", "config.front", "--web", str(web), "--stream", str(stream))
    return [
        Process("front", front, inherits_listeners=True),
        Process("web", (*PYTHON, WEB, str(web)), sockets=(web,)),
        Process("stream", (*PYTHON, WEB, str(stream)), sockets=(stream,)),
        Process(
            "worker", (*PYTHON, LOSING if behaviour == "crashing" else PARENT, behaviour), nice=5
        ),
    ]


def main() -> None:
    state_dir, port, behaviour = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    sys.exit(
        Up(
            Plan(
                state_dir=state_dir,
                port=port,
                base_url=f"http://localhost:{port}",
                processes=lambda sockets: processes(sockets, behaviour),
                schema_is_current=lambda: True,
                migrate=lambda: None,
                contents=lambda: {"base_url": f"http://localhost:{port}", "tenants": []},
            )
        ).run()
    )


if __name__ == "__main__":
    main()
