#!/usr/bin/env python3
"""Makes tests/golden/stores anew: small stores of Java's brokers, and lists of what is in them.

For each version and end (a clean stop, kill -9) an archive NAME.tar.gz with the store's directory, and NAME.txt:
a line for each message with topic, queue, queue offset, physical offset, size, CRC-32 of the record (31 bits), store time, born
time, message id, keys and the beginning of the body, separated by tabs; then "checkpoint" with the three times in it.
Needs a JDK 17 and Maven. Times, and so the bytes, differ each time.
"""

import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

HERE = pathlib.Path(__file__).resolve().parent
STORES = HERE / "stores"
sys.path.insert(0, str(HERE.parent / "interop"))
import servers  # noqa: E402  (beside the interop tests)
import store_broker  # noqa: E402
import store_content  # noqa: E402


def make(version: str, end: str, work: pathlib.Path) -> None:
    name = f"java-{version}-{end}"
    # The timer wheel is 38 MB of zeros, and nothing of these stores uses it.
    broker = store_broker.StoreBroker(work / name, settings={"timerWheelEnable": "false"})
    content = store_content.Content(broker)
    try:
        broker.start(version)
        content.create()
        content.fill("a")
        content.commit_offsets()
        content.await_saved()
        content.delay("a-late", store_content.AFTER_STOP)
        content.read_all()
        getattr(broker, end)()
    finally:
        broker.close()
    lines = ["\t".join(line(raw)) for _, records in sorted(content.queues.items()) for raw in records]
    times = struct.unpack_from(">qqq", (broker.root / "checkpoint").read_bytes())
    lines.append("\t".join(["checkpoint", *map(str, times)]))
    STORES.joinpath(name + ".txt").write_text("\n".join(lines) + "\n")
    subprocess.run(["tar", "-C", broker.home, "--sparse", "--owner=0", "--group=0", "--numeric-owner", "--sort=name", "-czf",
                    STORES / (name + ".tar.gz"), "store"], check=True)


def line(raw: bytes) -> list[str]:
    record = store_content.decode(raw)
    system, born = struct.unpack_from(">IQ", raw, 36)
    assert system & 0x30 == 0, "hosts of four bytes"
    store_time, store_host = struct.unpack_from(">Q8s", raw, 56)
    message_id = (store_host + struct.pack(">Q", record.physical_offset)).hex().upper()
    pairs = store_content.properties_of(record)
    return [record.topic.decode(), str(record.queue_id), str(record.queue_offset), str(record.physical_offset), str(len(raw)),
            f"{zlib.crc32(raw) & 0x7FFFFFFF:08x}", str(store_time), str(born), message_id, pairs.get("KEYS", ""), record.body.decode()[:20]]


def main() -> None:
    work = pathlib.Path(tempfile.mkdtemp(prefix="rmq-golden-"))
    try:
        shutil.rmtree(STORES, ignore_errors=True)
        STORES.mkdir()
        for version in (servers.JAVA_4, servers.JAVA_5):
            for end in ("stop", "kill"):
                make(version, end, work)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
