#!/usr/bin/env python3
"""Another project uses the installed client: installs into a temporary prefix, configures and builds examples/ against it
with find_package, and runs the example against a server.

RMQ_BUILD is the build directory, RMQ_CXX its compiler.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["RMQ_BUILD"])
RUN_SECONDS = 60


def run(*command: object, **options) -> subprocess.CompletedProcess:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class InstallTest(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="rmq-install-"))
        self.addCleanup(run, "rm", "-rf", self.directory)
        self.prefix = self.directory / "prefix"
        run("cmake", "--install", BUILD, "--prefix", self.prefix)

    def serve(self) -> str:
        """A server from the prefix; the address of its name server."""
        ready, ready_write = os.pipe()
        command = [self.prefix / "bin/rmq", "serve", "--data", self.directory / "data", "--port", "0",
                   "--ready-fd", str(ready_write)]
        log = open(self.directory / "rmq.log", "wb")
        self.addCleanup(log.close)
        server = subprocess.Popen(command, stdout=log, stderr=log, pass_fds=[ready_write])
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        os.close(ready_write)
        with os.fdopen(ready) as pipe:
            return json.loads(pipe.readline())["namesrv"]

    def test_readme_shows_the_example(self):
        example = (ROOT / "examples/send_and_consume.cpp").read_text().splitlines()[1:]
        shown = "".join(f"    {line}\n" if line else "\n" for line in example)
        self.assertIn(shown, (ROOT / "README.md").read_text())

    def test_example(self):
        headers = [path.relative_to(self.prefix).as_posix() for path in self.prefix.rglob("*.h")]
        self.assertEqual(headers, ["include/rmq/client.h"])

        build = self.directory / "build"
        run("cmake", "-S", ROOT / "examples", "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_CXX_COMPILER={os.environ['RMQ_CXX']}")
        run("cmake", "--build", build)
        namesrv = self.serve()
        done = run(build / "send_and_consume", namesrv, timeout=RUN_SECONDS)
        self.assertEqual(sorted(done.stdout.splitlines()), [f"received message {i}" for i in range(10)])

    def test_example_without_server(self):
        build = self.directory / "build"
        run("cmake", "-S", ROOT / "examples", "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_CXX_COMPILER={os.environ['RMQ_CXX']}")
        run("cmake", "--build", build)
        done = subprocess.run([build / "send_and_consume", "127.0.0.1:1"], capture_output=True, text=True, check=False,
                              timeout=RUN_SECONDS)
        self.assertEqual(done.returncode, 1)
        self.assertIn("127.0.0.1:1", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
