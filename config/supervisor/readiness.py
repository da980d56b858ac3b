"""Asks the system, through its front door, whether it is ready."""

import http.client


def answer(port: int, path: str, *, timeout_s: float = 5.0) -> tuple[int, str]:
    """Return the status and the beginning of the body of one GET; status 0 when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{port}"})
        response = connection.getresponse()
        return response.status, response.read(300).decode(errors="replace")
    except (OSError, http.client.HTTPException) as failure:
        return 0, str(failure)
    finally:
        connection.close()
