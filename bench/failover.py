#!/usr/bin/env python3
"""How long nobody can send when a master dies, or stands still: a set of two under a controller, with default settings, and producers
with a time-out of 300 ms that read the route again after every error.

    bench/failover.py [--rounds 50]

The table goes to bench/results/failover.md. RMQ_BIN names the executable.
"""

import argparse
import os
import pathlib
import platform
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/cluster"))
import failover  # noqa: E402
import senders  # noqa: E402

HOW = {"kill": "kill -9", "stop": "SIGSTOP"}
WANTED = {"kill": 0.1, "stop": 1.5}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args()
    lines, wrong = "", 0
    for mode in ("sync", "async"):
        for how, name in HOW.items():
            found = failover.run(mode, how, options.rounds)
            median = statistics.median(found.pauses)
            lines += (f"| {mode} | {name} | {median:.3f} s | {max(found.pauses):.3f} s | {WANTED[how]} s | {found.acknowledged:,} | "
                      f"{len(found.lost):,} |\n")
            print(lines.splitlines()[-1], flush=True)
            wrong += len(found.errors) + (len(found.lost) if mode == "sync" else 0) + (median > WANTED[how])
            for error in found.errors[:5]:
                print("ERROR", error)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release().split('-')[0]}"
    text = (f"# Failover\n\n{options.rounds} rounds each, {time.strftime('%Y-%m-%d')}, {machine}. A name server, a controller and a set of two brokers, "
            f"with default settings; {senders.SENDERS}\nproducers, each with one message on its way and a time-out of 300 ms. From the signal to the "
            f"next acknowledged send. What an asynchronous\nmaster had and its slave had not is lost to consumers; it is in the old master's "
            f"`rmq/diverged`.\n\n    bench/failover.py --rounds {options.rounds}\n\n"
            f"| mode | the master | median | longest | median wanted | acknowledged | of these lost |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |\n{lines}")
    print(text)
    (ROOT / "bench/results/failover.md").write_text(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
