"""Ports for servers of tests: free now, and none that the system gives to outgoing connections. One of those could take it while a
server is down, above all that of a client which tries to reach just this port."""

import random
import socket

FIRST, END = 15_000, 32_000
TRIES = 1_000


def free_ports(count, hosts=("127.0.0.1",)):
    """The first of `count` neighbouring ports that are free at each of these hosts."""
    for _ in range(TRIES):
        first = random.randrange(FIRST, END)
        try:
            for host in hosts:
                for port in range(first, first + count):
                    socket.create_server((host, port)).close()
            return first
        except OSError:
            pass
    raise OSError("no %d neighbouring free ports at %s" % (count, ", ".join(hosts)))
