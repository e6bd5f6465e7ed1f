#!/usr/bin/env python3
"""Many topics on one broker: what a queue costs, how long a start takes after a kill, and sends over all of them
beside sends to one.

    bench/many_topics.py [--topics 10000] [--queues 8] [--kills 5] [--seconds 4] [--rounds 6]

One message lies in each queue, and each has its file on disk before anything is measured. Results go to
bench/results/many_topics.md. RMQ_BIN names the executable. Needs the machine for itself.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/cluster"))
import remoting  # noqa: E402
import server  # noqa: E402

TOPIC = "Many"
IN_FLIGHT = 200


def create_topics(address, topics: int, queues: int) -> None:
    with remoting.Connection(address, timeout=60) as connection:
        waiting = 0
        for number in range(topics):
            fields = {"topic": f"{TOPIC}-{number + 1}", "defaultTopic": "TBW102", "readQueueNums": queues, "writeQueueNums": queues,
                      "perm": 6, "topicFilterType": "SINGLE_TAG", "topicSysFlag": 0, "order": "false"}
            connection.socket.sendall(remoting.frame(remoting.UPDATE_AND_CREATE_TOPIC, number + 1, fields))
            waiting = answers(connection, waiting + 1, IN_FLIGHT)
        answers(connection, waiting, 0)


def send_to_each_queue(address, topics: int, queues: int) -> None:
    with remoting.Connection(address, timeout=60) as connection:
        waiting = 0
        for number in range(topics):
            template = remoting.SendTemplate(f"{TOPIC}-{number + 1}")
            connection.socket.sendall(b"".join(template.send(number * queues + queue + 1, queue, b"x" * 128, b"")
                                               for queue in range(queues)))
            waiting = answers(connection, waiting + queues, IN_FLIGHT)
        answers(connection, waiting, 0)


def answers(connection, waiting: int, most: int) -> int:
    """Receives answers until at most `most` are missing."""
    while waiting > most:
        remoting.ok(connection.receive())
        waiting -= 1
    return waiting


def disk_bytes(directory: pathlib.Path) -> int:
    return sum(path.lstat().st_blocks * 512 for path in [directory, *directory.rglob("*")])


def wait_for_files(directory: pathlib.Path, queues: int) -> None:
    """Until every queue has its file: the server makes them beside all else, and slowly where very many were deleted just before."""
    while sum(len(files) for _, _, files in os.walk(directory)) < queues:
        time.sleep(3)


def status_bytes(pid: int, name: str) -> int:
    for line in open(f"/proc/{pid}/status", encoding="ascii"):
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(name)


def sends_per_second(broker: server.Server, topic: str, topics: int, seconds: float) -> float:
    arguments = [topic, "--topics", str(topics)] if topics > 1 else [topic]
    out = subprocess.run([server.BINARY, "bench", "produce", *arguments, "--warm-up", "2", "--duration", str(seconds), "--output",
                          "json", "--namesrv", "%s:%d" % broker.namesrv, "--timeout-ms", "60000"],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out.splitlines()[-1])["messages_per_second"]


def compare(broker: server.Server, options: argparse.Namespace, one_first: bool) -> tuple[float, float]:
    """Sends a second to one topic and to all. Each begins with a quiet disk: it would pay for what the other has left to write."""
    result = {}
    for topic, topics in [("One", 1), (TOPIC, options.topics)][::1 if one_first else -1]:
        os.sync()
        result[topic] = sends_per_second(broker, topic, topics, options.seconds)
    return result["One"], result[TOPIC]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--topics", type=int, default=10_000)
    parser.add_argument("--queues", type=int, default=8)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args()
    queues = options.topics * options.queues
    with tempfile.TemporaryDirectory(prefix="bench-topics-", dir=os.environ.get("BENCH_DIRECTORY")) as directory:
        broker = server.Server(directory=directory).start()
        os.sync()  # a start waits for what others have left to write on the same disk
        begin = time.monotonic()
        create_topics(broker.broker, options.topics, options.queues)
        print(f"topics made in {time.monotonic() - begin:.1f} s", flush=True)
        # The first message of each queue makes it. What the topics themselves take is not counted.
        subprocess.run([server.BINARY, "topic", "create", "One", "--queues", "8", "--namesrv", "%s:%d" % broker.namesrv], check=True)
        before = broker.rss_anon()
        begin = time.monotonic()
        send_to_each_queue(broker.broker, options.topics, options.queues)
        print(f"one message in each queue after {time.monotonic() - begin:.1f} s", flush=True)
        begin = time.monotonic()
        wait_for_files(broker.data / "store/consumequeue", queues)
        print(f"all files after {time.monotonic() - begin:.1f} s more", flush=True)
        ready = []
        for _ in range(options.kills):
            broker.kill()
            broker.start()
            ready.append(broker.ready_seconds)
        print("ready after kill -9: " + ", ".join(f"{seconds:.2f} s" for seconds in ready), flush=True)
        memory = broker.rss_anon() - before
        disk = disk_bytes(broker.data / "store/consumequeue")
        print(f"memory {memory / queues:,.0f} and disk {disk / queues:,.0f} bytes a queue", flush=True)
        rounds = []
        for number in range(options.rounds):
            rounds.append(compare(broker, options, one_first=number % 2 == 0))
            print(f"round {number + 1}: one topic {rounds[-1][0]:,.0f}, all {rounds[-1][1]:,.0f} sends a second", flush=True)
        one, many = zip(*rounds)
        page_tables = status_bytes(broker.process.pid, "VmPTE")
        total = broker.rss_anon()
        broker.remove()
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release().split('-')[0]}"
    text = (f"# Many topics\n\n{options.topics:,} topics with {options.queues} queues each, {time.strftime('%Y-%m-%d')}, {machine}.\n\n"
            f"    bench/many_topics.py --topics {options.topics} --queues {options.queues} --seconds {options.seconds:g} "
            f"--rounds {options.rounds}\n\n| figure | |\n| --- | ---: |\n"
            f"| ready after kill -9, median of {options.kills}, longest | {statistics.median(ready):.2f} s, {max(ready):.2f} s |\n"
            f"| memory a queue | {memory / queues:,.0f} bytes |\n| disk a queue | {disk / queues:,.0f} bytes |\n"
            f"| RssAnon at the end | {total / 1048576:.0f} MiB, page tables {page_tables / 1048576:.0f} MiB |\n"
            f"| sends a second to one topic, median | {statistics.median(one):,.0f} |\n"
            f"| sends a second to all topics, median | {statistics.median(many):,.0f} |\n\n"
            f"All topics: {statistics.median(b / a for a, b in rounds):.2f} of one, the median of {options.rounds} pairs of rounds.\n")
    print(text)
    (ROOT / "bench/results/many_topics.md").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
