"""CommandCase: what the tests of commands have in common. RMQ_BIN names the executable."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cluster"))
import server  # noqa: E402

OK, REFUSED, USAGE, UNREACHABLE, NOT_FOUND, FAILED = range(6)
LIMIT_SECONDS = 60.0


def clean_environment(**more):
    """Without what says where a cluster is on this machine."""
    environment = {k: v for k, v in os.environ.items()
                   if k not in ("NAMESRV_ADDR", "RMQ_CONFIG", "XDG_CONFIG_HOME")}
    environment["RMQ_CONFIG"] = "/nonexistent/contexts.toml"
    environment.update(more)
    return environment


class CommandCase(unittest.TestCase):
    """A subclass sets self.namesrv, "host:port"."""

    def command(self, *arguments, namesrv=None):
        return [str(server.BINARY), *arguments, "--namesrv", namesrv or self.namesrv]

    def run_command(self, command, code=OK, stdin=b"", environment=None, **options):
        """Standard output; standard error is kept in self.err."""
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=LIMIT_SECONDS,
                              env=environment or clean_environment(), **options)
        self.err = done.stderr.decode()
        self.assertEqual(done.returncode, code, "%s\n%s" % (command[1:], self.err))
        if code != OK:
            self.assertTrue(self.err.startswith("rmq: "), self.err)
        return done.stdout.decode()

    def rmq(self, *arguments, code=OK, namesrv=None, stdin=b""):
        return self.run_command(self.command(*arguments, namesrv=namesrv), code=code, stdin=stdin)

    def rmq_json(self, *arguments, **options):
        """One value for each line."""
        out = self.rmq(*arguments, "--output", "json", **options)
        return [json.loads(line) for line in out.splitlines()]
