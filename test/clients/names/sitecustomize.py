# Sends connections to the real service's names to the server under test.
import os, socket
_to = os.environ.get("LICENSOR_ADDRESS", "").split(":")
_names = {"login.microsoftonline.com", "graph.microsoft.com"}
_real = socket.getaddrinfo
def _getaddrinfo(host, port, *args, **kwargs):
    if host in _names and len(_to) == 2:
        host, port = _to[0], int(_to[1])
    return _real(host, port, *args, **kwargs)
socket.getaddrinfo = _getaddrinfo
