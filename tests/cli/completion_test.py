#!/usr/bin/env python3
"""Completion in real shells: what `rmq completion` prints, sourced by an interactive bash, and by zsh where
it is installed, in a terminal of their own. RMQ_BIN names the executable."""

import os
import pathlib
import pty
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cluster"))
import remoting  # noqa: E402
import server  # noqa: E402
from command_case import CommandCase, LIMIT_SECONDS, OK, clean_environment  # noqa: E402

PROMPT = "ready> "


class Shell:
    """An interactive shell on a terminal that is 200 columns wide."""

    def __init__(self, command, environment):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.clear()
            os.environ.update(environment)
            os.execvp(command[0], command)
        self.text = ""

    def close(self):
        os.close(self.fd)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)

    def write(self, text):
        self.text = ""
        os.write(self.fd, text.encode())

    def read_until(self, pattern):
        deadline = time.monotonic() + LIMIT_SECONDS / 2
        while not re.search(pattern, self.text):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise AssertionError("%r does not come: %r" % (pattern, self.text))
            data = os.read(self.fd, 4096).decode(errors="replace")
            # Escape sequences of line editors.
            self.text += re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[=>])", "", data)
        return self.text

    def run(self, line):
        """Waits for the prompt behind it."""
        self.write(line + "\n")
        self.read_until(r"[\r\n]" + PROMPT + "$")


class Completion(CommandCase):
    @classmethod
    def setUpClass(cls):
        cls.server = server.Server(broker_keys={"brokerName": "broker-a"}).start()
        cls.namesrv = "%s:%d" % cls.server.namesrv
        cls.directory = tempfile.TemporaryDirectory()
        contexts = pathlib.Path(cls.directory.name, "contexts.toml")
        contexts.write_text('[contexts.production]\nnamesrv = "%s"\n' % cls.namesrv)
        cls.environment = clean_environment(
            PATH="%s:%s" % (server.BINARY.parent, os.environ["PATH"]), NAMESRV_ADDR=cls.namesrv,
            RMQ_CONFIG=str(contexts), HOME=cls.directory.name, TERM="xterm", COLUMNS="200", PS1=PROMPT)

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()
        cls.directory.cleanup()

    # What is typed, and what the line is when Tab was pressed.
    CASES = [("rmq top", "rmq topic "),
             ("rmq topic des", "rmq topic describe "),
             ("rmq topic create T --que", "rmq topic create T --queues "),
             ("rmq topic list --output ya", "rmq topic list --output yaml "),
             ("rmq topic list --output=ya", "rmq topic list --output=yaml "),
             ("rmq topic list --context prod", "rmq topic list --context production "),
             ("rmq route show Orders-of-", "rmq route show Orders-of-today "),
             ("rmq group lag read", "rmq group lag readers-of-orders "),
             ("rmq broker status brok", "rmq broker status broker-a "),
             ("rmq topic list --cluster Def", "rmq topic list --cluster DefaultCluster "),
             ("rmq context use prod", "rmq context use production "),
             ("rmq message send T --file contexts.to", "rmq message send T --file contexts.toml ")]

    def check_in(self, shell):
        self.rmq("topic", "create", "Orders-of-today")
        # A group that exists is one that has been updated: UPDATE_AND_CREATE_SUBSCRIPTIONGROUP.
        with remoting.Connection(self.server.broker) as connection:
            remoting.ok(connection.request(200, {}, b'{"groupName":"readers-of-orders"}'))
        for typed, whole in self.CASES:
            with self.subTest(typed):
                shell.write(typed + "\t")
                shell.read_until(re.escape(whole.rstrip()))
                # Ctrl-U: whatever stands there is gone.
                shell.write("\x15\n")
                shell.read_until(PROMPT + "$")

    def test_bash(self):
        shell = Shell(["bash", "--norc", "--noprofile", "-i"], self.environment)
        self.addCleanup(shell.close)
        shell.read_until(PROMPT)
        shell.run("cd " + self.directory.name)
        shell.run("source <(rmq completion bash)")
        self.check_in(shell)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh(self):
        shell = Shell(["zsh", "-f", "-i"], dict(self.environment, PROMPT=PROMPT))
        self.addCleanup(shell.close)
        shell.read_until(PROMPT)
        shell.run("unsetopt zle_bracketed_paste prompt_cr prompt_sp; cd " + self.directory.name)
        shell.run("autoload -U compinit && compinit -u -D")
        shell.run("source <(rmq completion zsh)")
        self.check_in(shell)

    def test_syntax(self):
        for shell in ("bash", "zsh"):
            if shutil.which(shell) is None:
                continue
            with tempfile.NamedTemporaryFile("w") as file:
                file.write(self.run_command([str(server.BINARY), "completion", shell]))
                file.flush()
                self.assertEqual(subprocess.run([shell, "-n", file.name]).returncode, OK)

    def test_silent_without_an_answer(self):
        """A name server that takes connections and never answers: soon over, and nothing said."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = "127.0.0.1:%d" % silent.getsockname()[1]
            begin = time.monotonic()
            out = self.run_command([str(server.BINARY), "__complete", "route", "show", "--namesrv", address, ""])
            self.assertEqual((out, self.err), ("", ""))
            self.assertLess(time.monotonic() - begin, LIMIT_SECONDS / 4)


if __name__ == "__main__":
    unittest.main(verbosity=1)
