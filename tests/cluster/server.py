"""Server processes for the cluster tests: `rmq serve` on free ports of 127.0.0.1 and a directory
of its own; restarted on the same ports and data. RMQ_BIN names the executable."""

import atexit
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = pathlib.Path(os.environ.get("RMQ_BIN", ROOT / "build/release/rmq")).resolve()
START_SECONDS = 30.0
STOP_SECONDS = 30.0

live = []


@atexit.register
def _end_all():
    for process in live:
        if process.poll() is None:
            process.kill()
            process.wait()


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


class Server:
    """roles: any of namesrv, master, slave, controller. broker_keys: keys of a broker.conf. environment: what the
    process gets besides this one's."""

    def __init__(self, roles=("namesrv", "master"), broker_keys=None, namesrv=None,
                 directory=None, environment=None, advertise="127.0.0.1"):
        if not BINARY.is_file():
            raise SystemExit("FAIL no executable %s: build it, or set RMQ_BIN" % BINARY)
        self.roles = tuple(roles)
        self.broker_keys = dict(broker_keys or {})
        self.namesrv_given = namesrv
        self.advertise = advertise
        self.environment = dict(environment or {})
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="rmq-cluster-"))
        self.data = self.directory / "data"
        self.log = self.directory / "rmq.log"
        self.process = None
        self.namesrv = None
        self.broker = None
        self.controller = None
        self.more_arguments = []
        self.ready_seconds = None

    @property
    def vip(self):
        return self.broker[0], self.broker[1] - 2

    def config_arguments(self, role, keys):
        path = self.directory / (role + ".conf")
        path.write_text("".join("%s=%s\n" % pair for pair in keys.items()))
        return ["--config", "%s=%s" % (role, path)]

    def arguments(self):
        arguments = [str(BINARY), "serve", "--role=" + ",".join(self.roles), "--data",
                     str(self.data), "--listen", "127.0.0.1", "--advertise", self.advertise]
        if self.namesrv_given:
            arguments += ["--namesrv", "%s:%d" % self.namesrv_given]
        keys = dict(self.broker_keys)
        arguments += self.more_arguments
        if self.namesrv is None and self.broker is None:
            # A controller alone is started again on its port; beside others it gets another one.
            arguments += ["--port", str(self.controller[1] if self.controller else 0)]
        else:
            if self.broker:
                keys["listenPort"] = self.broker[1]
            if self.namesrv:
                arguments += self.config_arguments("namesrv", {"listenPort": self.namesrv[1]})
        if keys:
            arguments += self.config_arguments("slave" if "slave" in self.roles else "master", keys)
        return arguments

    def start(self):
        """Returns when the server said that it is ready."""
        read_end, write_end = os.pipe()
        arguments = self.arguments() + ["--ready-fd", str(write_end)]
        log = open(self.log, "ab")
        begin = time.monotonic()
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(write_end,),
            cwd=self.directory, env=os.environ | self.environment)
        live.append(self.process)
        os.close(write_end)
        log.close()
        line = b""
        try:
            while not line.endswith(b"\n"):
                left = begin + START_SECONDS - time.monotonic()
                if left <= 0 or not select.select([read_end], [], [], left)[0]:
                    self.kill()
                    raise RuntimeError("not ready in %g s\n%s" % (START_SECONDS, self.tail()))
                data = os.read(read_end, 4096)
                if not data:
                    break
                line += data
        finally:
            os.close(read_end)
        self.ready_seconds = time.monotonic() - begin
        if not line:
            raise RuntimeError("rmq serve ended before it was ready, code %s\n%s"
                               % (self.process.wait(), self.tail()))
        ready = json.loads(line)
        if "namesrv" in ready:
            self.namesrv = address(ready["namesrv"])
        if "broker" in ready:
            self.broker = address(ready["broker"])
        if "controller" in ready:
            self.controller = address(ready["controller"])
        return self

    def start_and_kill(self, seconds):
        """SIGKILL that long after exec: before it is ready, or soon after."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.arguments(), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=self.directory)
        live.append(self.process)
        time.sleep(seconds)
        self.kill()

    def tail(self, lines=15):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def wait(self, seconds=STOP_SECONDS):
        """The exit code."""
        return self.process.wait(seconds)

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait()

    def rss_anon(self):
        """Bytes."""
        for line in open("/proc/%d/status" % self.process.pid):
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no RssAnon")

    def remove(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
