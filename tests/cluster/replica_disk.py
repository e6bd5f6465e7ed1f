#!/usr/bin/env python3
"""A broker set of two under a controller, amid sends, in which the disk of one fills up. Of the slave: the set goes on without it, also
when the master is killed and comes back meanwhile, and takes it back in when there is room. Of the master: sends are refused with the
reason, it stays master, and sends go on when there is room. Nothing that was acknowledged is lost, and both logs are the same.

    replica_disk.py [--mode sync|async]
"""

import argparse
import sys

import disk_case
import failover
import load
import server
from replication import Pair, runtime_info, wait_until
from senders import producing

TOPIC = "replicadisk"
SEGMENT = 1 << 20  # so that a file is needed every second or so


class Set(failover.Set):
    """Whose disks can be filled."""

    def __init__(self, mode):
        self.disks = []
        super().__init__(mode)

    def make_broker(self, keys):
        self.disks.append(disk_case.Disk())
        return server.Server(roles=("master",), namesrv=self.namesrv.namesrv, broker_keys=keys | {"mappedFileSizeCommitLog": SEGMENT},
                             environment=self.disks[-1].environment)

    def __exit__(self, kind, *rest):
        super().__exit__(kind, *rest)
        for disk in self.disks:
            disk.close()

    def disk_of(self, broker):
        return self.disks[self.brokers.index(broker)]

    def slave(self):
        master = self.master()
        return next(broker for broker in self.brokers if broker is not master)


def members(brokers):
    return len(brokers.state()["inSyncReplicas"])


def slave_is_full(brokers, senders):
    master, slave = brokers.master(), brokers.slave()
    senders.mark()
    brokers.disk_of(slave).fail(disk_case.EVERYTHING, "/store/", disk_case.ENOSPC)
    wait_until("the set is without the slave", lambda: members(brokers) == 1)
    answered = senders.answered
    wait_until("sends go on", lambda: senders.answered > answered + 500)
    pause = senders.pause
    master.kill()
    master.start()
    answered = senders.answered
    wait_until("the master is back", lambda: senders.answered > answered + 500)
    if brokers.master() is not master:
        raise RuntimeError("a slave without the log leads")
    brokers.disk_of(slave).work()
    brokers.wait_whole()
    return pause


def master_is_full(brokers, senders):
    master = brokers.master()
    brokers.disk_of(master).fail(disk_case.EVERYTHING, "/store/", disk_case.ENOSPC)
    wait_until("sends are refused", lambda: any("service not available now: the disk" in error for error in senders.errors))
    if brokers.master() is not master:
        raise RuntimeError("a broker that refuses is not dead")
    brokers.disk_of(master).work()
    answered = senders.answered
    wait_until("sends go on", lambda: senders.answered > answered + 500)
    brokers.wait_whole()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--mode", choices=("sync", "async"), default="sync")
    options = parser.parse_args()
    with Set(options.mode) as brokers:
        with producing(brokers.namesrv.namesrv, brokers.master(), TOPIC) as senders:
            wait_until("load", lambda: senders.answered > 500)
            pause = slave_is_full(brokers, senders)
            master_is_full(brokers, senders)
        last, slave = brokers.master(), brokers.slave()
        for broker in (last, slave):
            wait_until("all is dispatched", lambda: runtime_info(broker.broker)["dispatchBehindBytes"] == "0")  # pylint: disable=W0640
        wait_until("the logs are as long", lambda: Pair.end(last) == Pair.end(slave))
        errors = []
        for broker in (last, slave):
            read, wrong = load.check(broker.broker, senders.ledger, whole=True)
            errors += wrong
            print("%d acknowledged, %d read" % (len(senders.ledger.acknowledged), read))
        print("the slave's disk was full: nobody could send for %.2f s; producers saw %s" % (pause, senders.errors))
    for error in errors[:20]:
        print("ERROR", error)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
