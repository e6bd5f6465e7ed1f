#!/usr/bin/env python3
"""The release artifact runs where there is nothing else: in an empty root directory, without a file of the system's.

    tests/static/static_test.py build/static/rmq

Needs root, or user namespaces for everybody (`unshare --map-root-user`).
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SECONDS = 30
RMQ = pathlib.Path()
# What glibc would load shared objects for: a path that reached one of these would fail in the empty root, or worse.
# getservby* are not among them: c-ares links them for names of services, and rmq gives it none.
LOADING = re.compile(r"^(getaddrinfo|getnameinfo|gethostby(name2?|addr)(_r)?|getpw(nam|uid)(_r)?|getgr(nam|gid)(_r)?)$")


class StaticTest(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="rmq-static-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        shutil.copy(RMQ, self.root / "rmq")

    def command(self, *arguments: str) -> list[str]:
        enter = ["chroot", str(self.root), "/rmq", *arguments]
        return enter if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", *enter]

    def run_inside(self, *arguments: str) -> str:
        done = subprocess.run(
            self.command(*arguments), text=True, capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL
        )
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def serve(self, *arguments: str) -> dict[str, str]:
        """Starts a server inside and returns its ready line; it is stopped at the end of the test."""
        read_end, write_end = os.pipe()
        log = tempfile.TemporaryFile("w+")
        server = subprocess.Popen(
            self.command("serve", "--data", "/data", "--port", "0", "--ready-fd", str(write_end), *arguments),
            pass_fds=[write_end],
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        os.close(write_end)

        def stop():
            server.terminate()
            code = server.wait(SECONDS)
            log.seek(0)
            self.assertEqual(code, 0, log.read())
            log.close()

        with os.fdopen(read_end) as ready:
            line = ready.readline()
        self.addCleanup(stop)
        if not line:
            log.seek(0)
            self.fail("not ready: " + log.read())
        return json.loads(line)

    def test_no_interpreter_and_no_libraries(self):
        headers = subprocess.run(["readelf", "-l", "-d", RMQ], text=True, capture_output=True, check=True).stdout
        self.assertNotIn("INTERP", headers)
        self.assertNotIn("(NEEDED)", headers)

    def test_nothing_linked_that_loads_shared_objects(self):
        symbols = subprocess.run(["nm", "--defined-only", "-f", "posix", RMQ], text=True, capture_output=True, check=True)
        names = [line.split()[0] for line in symbols.stdout.splitlines()]
        self.assertIn("main", names)  # not stripped, or this would see nothing
        self.assertEqual([name for name in names if LOADING.match(name)], [])

    def test_version(self):
        self.assertRegex(self.run_inside("--version"), r"^rmq \d+\.\d+\.\d+")

    def test_serves_a_message(self):
        ready = self.serve()
        self.assertTrue((self.root / "data/store/commitlog").is_dir())
        self.run_inside("topic", "create", "Hello", "--namesrv", ready["namesrv"])
        self.run_inside("message", "send", "Hello", "first", "--namesrv", ready["namesrv"])
        # A host's name instead of its address.
        (self.root / "etc").mkdir()
        (self.root / "etc/hosts").write_text("127.0.0.1 name-server\n")
        port = ready["namesrv"].rsplit(":", 1)[1]
        self.assertIn("Hello", self.run_inside("topic", "list", "--namesrv", f"name-server:{port}"))


if __name__ == "__main__":
    RMQ = pathlib.Path(sys.argv.pop(1)).resolve()
    result = unittest.main(exit=False, verbosity=2).result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed else 0)
