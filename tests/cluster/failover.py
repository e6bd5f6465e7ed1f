#!/usr/bin/env python3
"""A broker set of two under a controller: the slave takes over by itself when the master dies, by kill -9 or by standing
still, amid sends. Producers have a time-out of 300 ms and read the route again after every error. In sync mode nothing that
was acknowledged is lost; in async mode at most the end that the slave did not have, which is found in the old master's
rmq/diverged. The old master comes back as a slave, by itself when it had only stood still.

    failover.py [--mode sync|async] [--how kill|stop] [--rounds 10]
"""

import argparse
import dataclasses
import json
import pathlib
import signal
import statistics
import sys
import time

import load
import remoting
import server
from replication import runtime_info, wait_until
from senders import producing

GET_SYNC_STATE_DATA = 1006
KEYS = {"brokerName": "b", "brokerClusterName": "c", "enableControllerMode": "true", "mappedFileSizeCommitLog": 1 << 24}
TOPIC = "failover"


class Set:
    """A name server, a controller and two brokers, and what is known of them."""

    def __init__(self, mode):
        self.namesrv = server.Server(roles=("namesrv",)).start()
        self.controller = server.Server(roles=("controller",)).start()
        keys = KEYS | {"controllerAddr": "%s:%d" % self.controller.controller,
                       "brokerRole": "SYNC_MASTER" if mode == "sync" else "ASYNC_MASTER"}
        self.brokers = [self.make_broker(keys) for _ in range(2)]
        for broker in self.brokers:
            broker.start()
        self.wait_whole()

    def make_broker(self, keys):
        return server.Server(roles=("master",), namesrv=self.namesrv.namesrv, broker_keys=keys)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for process in (*self.brokers, self.controller, self.namesrv):
            if kind is None:
                process.remove()
            else:
                if process.process and process.process.poll() is None:
                    process.kill()
                print("-- %s\n%s" % (process.directory, process.tail(40)))

    def state(self):
        """What the controller says: {"masterAddress": ..., "inSyncReplicas": [...]}."""
        with remoting.Connection(self.controller.controller) as connection:
            body = remoting.ok(connection.request(GET_SYNC_STATE_DATA, {}, b'["b"]')).body
        return json.loads(body)["replicasInfoTable"].get("b", {})

    def is_whole(self):
        state = self.state()
        return bool(state.get("masterAddress")) and len(state.get("inSyncReplicas", [])) == 2

    def wait_whole(self):
        wait_until("both brokers are in the set", self.is_whole)

    def master(self):
        address = server.address(self.state()["masterAddress"])
        return next(broker for broker in self.brokers if broker.broker == address)


def stands_still(pid):
    states = [path.read_text().rpartition(")")[2].split()[0] for path in pathlib.Path("/proc/%d/task" % pid).glob("*/stat")]
    return set(states) == {"T"}


def one_round(brokers, senders, how):
    """How long nobody could send."""
    answered = senders.answered
    wait_until("load on a whole set", lambda: senders.answered > answered + 1000)
    old = brokers.master()
    begun = time.monotonic()
    if how == "kill":
        old.kill()
    else:
        old.signal(signal.SIGSTOP)
        wait_until("it stands still", lambda: stands_still(old.process.pid))
    killed = senders.mark()
    wait_until("somebody can send again", lambda: killed in senders.first_after)
    pause = senders.first_after[killed] - begun
    wait_until("the set is without it", lambda: len(brokers.state()["inSyncReplicas"]) == 1)
    if how == "kill":
        old.start()
    else:
        old.signal(signal.SIGCONT)
    brokers.wait_whole()
    if brokers.master() is old:
        raise RuntimeError("the old master leads again")
    return pause


def lost_of(errors):
    """What a set without synchronous replicas may do: the end that only the old master had is gone, its places are given again."""
    return [error for error in errors
            if error.startswith("acknowledged and lost") or "was acknowledged for" in error or " given to " in error]


@dataclasses.dataclass
class Outcome:
    pauses: list  # seconds, from the death of a master to the next acknowledged send
    acknowledged: int
    read: int
    lost: list  # what was acknowledged and is not there
    errors: list  # everything else that is wrong
    seen: dict  # by producers, and how often


def run(mode, how, rounds):
    with Set(mode) as brokers:
        with producing(brokers.namesrv.namesrv, brokers.master(), TOPIC) as senders:
            pauses = [one_round(brokers, senders, how) for _ in range(rounds)]
        # All that is in the log is confirmed, and so can be read, a moment later.
        last = brokers.master()
        wait_until("all is dispatched", lambda: runtime_info(last.broker)["dispatchBehindBytes"] == "0")
        read, errors = load.check(last.broker, senders.ledger, errors_max=100_000)
        lost = lost_of(errors)
        return Outcome(pauses, len(senders.ledger.acknowledged), read, lost, [error for error in errors if error not in lost], senders.errors)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--mode", choices=("sync", "async"), default="sync")
    parser.add_argument("--how", choices=("kill", "stop"), default="kill")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    found = run(options.mode, options.how, options.rounds)
    print("%s, %s: %d rounds, from there to the next acknowledged send: median %.3f s, max %.3f s; %d acknowledged, %d read, %d lost; "
          "producers saw %s" % (options.mode, options.how, options.rounds, statistics.median(found.pauses), max(found.pauses),
                                found.acknowledged, found.read, len(found.lost), found.seen))
    errors = found.errors + (found.lost if options.mode == "sync" else [])
    for error in errors[:20]:
        print("ERROR", error)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
