#!/usr/bin/env python3
"""What is different at a terminal: a name is asked for before something is destroyed, --watch draws over what
was there, and what takes long says so. RMQ_BIN names the executable."""

import os
import pathlib
import pty
import select
import signal
import socket
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cluster"))
import server  # noqa: E402
from command_case import (CommandCase, LIMIT_SECONDS, NOT_FOUND, OK, UNREACHABLE, USAGE,  # noqa: E402
                          clean_environment)


class Terminal:
    """A command whose three streams are one terminal."""

    def __init__(self, command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.clear()
            os.environ.update(clean_environment())
            os.execv(command[0], command)
        self.text = ""

    def write(self, text):
        os.write(self.fd, text.encode())

    def read_until(self, part, times=1):
        deadline = time.monotonic() + LIMIT_SECONDS
        while self.text.count(part) < times:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise AssertionError("%r does not come: %r" % (part, self.text))
            self.text += os.read(self.fd, 4096).decode()

    def end(self):
        """The exit code, or minus the signal; `text` has all that was written."""
        try:
            while data := os.read(self.fd, 4096):
                self.text += data.decode()
        except OSError:
            pass  # the other end is closed
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def stop(self):
        os.kill(self.pid, signal.SIGINT)
        return self.end()


class AtATerminal(CommandCase):
    @classmethod
    def setUpClass(cls):
        cls.server = server.Server().start()
        cls.namesrv = "%s:%d" % cls.server.namesrv

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def test_the_name_is_asked_for(self):
        self.rmq("topic", "create", "Kept", "--queues", "1")
        for typed in ("y", ""):
            terminal = Terminal(self.command("topic", "delete", "Kept"))
            terminal.read_until("Type 'Kept' to do it: ")
            terminal.write(typed + "\n")
            self.assertEqual(terminal.end(), USAGE)
            self.assertIn("nothing was done", terminal.text)
            self.rmq("route", "show", "Kept")
        terminal = Terminal(self.command("topic", "delete", "Kept"))
        terminal.read_until("Type 'Kept' to do it: ")
        terminal.write("Kept\n")
        self.assertEqual(terminal.end(), OK)
        self.rmq("route", "show", "Kept", code=NOT_FOUND)

    def test_watch_draws_over(self):
        terminal = Terminal(self.command("cluster", "list", "--watch=0.1"))
        terminal.read_until("\x1b[H\x1b[2JCLUSTER", times=3)
        self.assertEqual(terminal.stop(), -signal.SIGINT)
        self.assertIn("every 0.1 s", terminal.text)

    def test_what_takes_long_says_so(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = "127.0.0.1:%d" % silent.getsockname()[1]
            terminal = Terminal(self.command("topic", "list", "--timeout-ms", "1500", namesrv=address))
            self.assertEqual(terminal.end(), UNREACHABLE)
        self.assertIn("\r\x1b[Krmq: waiting for an answer  1 s", terminal.text)
        # The line is wiped before the answer.
        self.assertIn("\r\x1b[Krmq: cannot list topics", terminal.text)


if __name__ == "__main__":
    unittest.main(verbosity=1)
