"""What bench/soak.py does to one server: loads, kills, cold pulls, and what it asks it and the machine."""

import ctypes
import json
import mmap
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import time

from many_topics import disk_bytes, status_bytes

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/cluster"))
import kill9  # noqa: E402
import load  # noqa: E402
import remoting  # noqa: E402
import server  # noqa: E402

TOPIC = "Soak"
TOPICS = [f"{TOPIC}-{number}" for number in range(1, 5)]
QUEUES = load.QUEUES
BODY_BYTES = 128
BYTES_PER_MESSAGE = 350  # of disk: record, queue entry, index entry, rounded up
OTHER_BYTES = 4 << 30  # files made ahead, the index's last file, the other server
SEGMENT_BYTES = 1 << 30
PIECE_SECONDS = 15.0
GUESSED_RATE = 500_000
START_SECONDS_MAX = 900.0  # a slow start is measured, too
# Nothing of the backlog may be deleted, however full the disk becomes.
KEYS = {"flushDiskType": "ASYNC_FLUSH", "fileReservedTime": 876_000, "cleanFileForciblyEnable": "false",
        "diskMaxUsedSpaceRatio": 95, "diskSpaceCleanForciblyRatio": 95, "diskSpaceWarningLevelRatio": 99}


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def errors_of(result: dict) -> str:
    return f"; failed: {result['errors']}" if result["errors"] else ""


def messages_with_room(directory: pathlib.Path, wanted: int, more: int) -> int:
    """How many of `wanted` messages fit, beside `more`, so that 15 % of what the disk has for us and 4 GiB stay free."""
    disk = shutil.disk_usage(directory)
    room = disk.free - (disk.used + disk.free) * 15 // 100 - (4 << 30) - OTHER_BYTES - more * BYTES_PER_MESSAGE
    return max(0, min(wanted, room // BYTES_PER_MESSAGE))


class Store:
    """A name server and master on a directory of its own, with the topics made."""

    def __init__(self, directory: pathlib.Path):
        directory.mkdir()
        server.START_SECONDS = START_SECONDS_MAX
        self.server = server.Server(directory=directory, broker_keys=KEYS).start()
        self.root = self.server.data / "store"
        with self.connect() as connection:
            for topic in TOPICS:
                remoting.create_topic(connection, topic, QUEUES)

    def connect(self) -> remoting.Connection:
        return remoting.Connection(self.server.broker, timeout=60)

    @property
    def pid(self) -> int:
        return self.server.process.pid

    def produce(self, seconds: float, warm_up: float, *more: str) -> dict:
        """The result of `rmq bench produce` to all topics."""
        command = [server.BINARY, "bench", "produce", TOPIC, "--topics", str(len(TOPICS)), "--body-bytes", str(BODY_BYTES),
                   "--warm-up", f"{warm_up:g}", "--duration", f"{seconds:.2f}", "--timeout-ms", "60000", "--output", "json",
                   "--namesrv", "%s:%d" % self.server.namesrv, *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = done.stdout.splitlines()
        if not lines or not lines[-1].startswith('{"bench"'):  # refused sends are in the result
            raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}\n{self.server.tail()}")
        return json.loads(lines[-1])

    def fill(self, wanted: int) -> tuple[int, int]:
        """Sends in pieces until the queues hold `wanted` messages. Returns how many were acknowledged, and how many requests
        failed."""
        acknowledged = failed = there = 0
        rate = GUESSED_RATE
        while there < wanted:
            seconds = max(0.1, min(PIECE_SECONDS, (wanted - there) / rate))
            result = self.produce(seconds, 0, "--batch", "32", "--in-flight", "4")
            acknowledged += result["messages"]
            failed += sum(result["errors"].values())
            rate = max(1.0, result["messages_per_second"])
            before, there = there, sum(self.ends().values())
            say(f"{there:,} of {wanted:,} messages, {rate:,.0f} a second{errors_of(result)}")
            if there == before:
                raise RuntimeError(f"no message of the backlog is taken{errors_of(result)}\n{self.server.tail()}")
        return acknowledged, failed

    def ends(self) -> dict[tuple[str, int], int]:
        return self.each_queue(remoting.Queue.max_offset)

    def begins(self) -> dict[tuple[str, int], int]:
        return self.each_queue(remoting.Queue.min_offset)

    def each_queue(self, what) -> dict[tuple[str, int], int]:
        with self.connect() as connection:
            return {(topic, queue): what(remoting.Queue(connection, topic, queue)) for topic in TOPICS for queue in range(QUEUES)}

    def wait_dispatched(self) -> None:
        """Until all that is in the log is in the queues: amid so many batches the dispatcher is up to a second behind."""
        end = time.monotonic() + 60
        while True:
            with self.connect() as connection:
                table = json.loads(remoting.ok(connection.request(remoting.GET_BROKER_RUNTIME_INFO)).body)["table"]
            if table["dispatchBehindBytes"] == "0":
                return
            if time.monotonic() > end:
                raise RuntimeError(f"{table['dispatchBehindBytes']} bytes are not dispatched after 60 s")
            time.sleep(0.05)

    def memory(self) -> int:
        """Bytes that are this process's own: RssAnon and page tables."""
        return status_bytes(self.pid, "RssAnon") + status_bytes(self.pid, "VmPTE")

    def read_from_disk(self) -> int:
        """Bytes, since the process began."""
        for line in open(f"/proc/{self.pid}/io", encoding="ascii"):
            if line.startswith("read_bytes:"):
                return int(line.split()[1])
        raise RuntimeError("no read_bytes")

    def restart(self) -> int:
        """Starts the killed server again. Returns how much of the log its message index lacked when it was ready, bytes."""
        size = self.server.log.stat().st_size
        self.server.start()
        with open(self.server.log, encoding="utf-8", errors="replace") as log:
            log.seek(size)
            text = log.read()
        begin = re.search(r'"message index is built from the log" from=(\d+)', text)
        end = re.search(r'store open .* end=(\d+)', text)
        if not end:
            raise RuntimeError(f"the log does not say where the store ends:\n{text}")
        return int(end.group(1)) - int(begin.group(1)) if begin else 0

    def wait_quiet(self) -> None:
        """The index that a kill has left behind is complete, and nothing waits for the disk: measured is a cold store, not a busy disk."""
        end = time.monotonic() + 120
        while self.index_is_built():
            if time.monotonic() > end:
                raise RuntimeError("the message index is not complete after 120 s")
            time.sleep(0.05)
        os.sync()

    def index_is_built(self) -> bool:
        text = self.server.log.read_text(encoding="utf-8", errors="replace")
        return text.rfind('"message index is built from the log"') > text.rfind('"message index is complete"')

    def disk_bytes(self) -> int:
        return disk_bytes(self.root)

    def drop_cache(self) -> None:
        """Log and queues leave the page cache, but for what is not on disk yet or mapped."""
        for folder in ("commitlog", "consumequeue"):
            for path in (self.root / folder).rglob("*"):
                if path.is_file():
                    drop_from_cache(path)

    def first_pulls(self) -> tuple[float, int]:
        """Pulls the oldest message of one queue of each topic, the page cache dropped before each. Returns the seconds that
        the slowest took, and how many of the messages were not in the page cache."""
        slowest, cold = 0.0, 0
        self.wait_quiet()
        for topic in TOPICS:
            log, at = self.place_in_log(topic, 0)
            self.drop_cache()
            cold += not is_cached(log, at)
            with self.connect() as connection:
                begin = time.monotonic()
                answer = remoting.ok(remoting.Queue(connection, topic, 0, "soak-first").pull(0))
                slowest = max(slowest, time.monotonic() - begin)
            first = next(remoting.records(answer.body))
            if first.queue_offset != 0 or not first.crc_ok:
                raise RuntimeError(f"pull of {topic} queue 0 at 0: answered with {first.queue_offset}, checksum {first.crc_ok}")
        return slowest, cold

    def place_in_log(self, topic: str, queue: int) -> tuple[pathlib.Path, int]:
        """The file with a queue's first message, and where in it."""
        with open(self.root / "consumequeue" / topic / str(queue) / f"{0:020}", "rb") as file:
            (physical,) = struct.unpack(">q", file.read(8))
        return self.root / "commitlog" / f"{physical - physical % SEGMENT_BYTES:020}", physical % SEGMENT_BYTES

    def kill_under_load(self, seconds: float) -> load.Ledger:
        """kill -9 amid a small load to the first topic. Returns what was sent and what was acknowledged."""
        ledger = load.Ledger(TOPICS[0])
        ledger.checked = [end for (topic, _), end in self.ends().items() if topic == TOPICS[0]]
        work = load.Load(self.server.broker, ledger, b"kill", connections=2, window=8)
        killer = kill9.kill_after(self.pid, seconds)
        # What it had written before it died still arrives, and counts as acknowledged.
        work.run_until(time.monotonic() + seconds + 10)
        os.waitpid(killer, 0)
        self.server.wait()
        work.close()
        if work.refused:
            ledger.bad.append(f"refused under a small load: {work.refused}")
        return ledger


def drop_from_cache(path: pathlib.Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)


def is_cached(path: pathlib.Path, at: int) -> bool:
    """Whether the page of byte `at` is in the page cache. Does not bring it there."""
    page = mmap.PAGESIZE
    with open(path, "rb") as file, mmap.mmap(file.fileno(), page, access=mmap.ACCESS_COPY, offset=at - at % page) as mapping:
        first = ctypes.c_char.from_buffer(mapping)
        found = ctypes.create_string_buffer(1)
        libc = ctypes.CDLL(None, use_errno=True)
        code = libc.mincore(ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(page), found)
        del first
    if code != 0:
        raise OSError(ctypes.get_errno(), "mincore", str(path))
    return bool(found.raw[0] & 1)
