"""Serves S3 by moto on a free port of this machine. Prints the port, and ends when its standard input ends.

With `--strict`, requests with unknown access keys are refused, as AWS does.
"""

import os
import sys

if "--strict" in sys.argv:
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"

from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.buffer.read()
# The server's thread would otherwise be waited for.
os._exit(0)
