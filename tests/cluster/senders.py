"""Producers that send all the time, and read the route again after every error."""

import contextlib
import json
import threading
import time

import load
import remoting
import server
from replication import wait_until

TIMEOUT = 0.3
SENDERS = 8


def route(namesrv, topic):
    """Where to send to; None while there is no master."""
    with remoting.Connection(namesrv, TIMEOUT) as connection:
        answer = connection.request(remoting.GET_ROUTEINFO_BY_TOPIC, {"topic": topic, "acceptStandardJsonOnly": "true"})
    if answer.code != 0:
        return None
    for broker in json.loads(answer.body)["brokerDatas"]:
        if "0" in broker["brokerAddrs"]:
            return server.address(broker["brokerAddrs"]["0"])
    return None


class Senders(threading.Thread):
    """Several producers, each with one message at a time on its way. find: where to send to; else name servers are asked. first:
    the number of the first producer."""

    def __init__(self, namesrv, ledger, first=0, find=None):
        super().__init__()
        self.find = find or (lambda: route(namesrv, ledger.topic))
        self.ledger = ledger
        self.answered = 0
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.last = time.monotonic()  # time of the last acknowledgement
        self.pause = 0.0  # the longest time between two of them, since the last mark
        self.first_after = {}  # by the time of a kill: that of the first one after it, which was sent after it
        self.marks = []
        self.errors = {}
        self.threads = [threading.Thread(target=self.produce, args=(first + i,)) for i in range(SENDERS)]

    def run(self):
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join()

    def produce(self, number):
        connection = None
        sequence = 0
        template = remoting.SendTemplate(self.ledger.topic)
        while not self.ended.is_set():
            try:
                if connection is None:
                    address = self.find()
                    if address is None:
                        raise ConnectionError("no master")
                    connection = remoting.Connection(address, TIMEOUT)
                sequence += 1
                identity = b"p%d-%d" % (number, sequence)
                with self.lock:
                    self.ledger.sent.add(identity)
                begun = time.monotonic()
                connection.socket.sendall(template.send(sequence, number % load.QUEUES, load.body_of(identity), load.properties_of(identity)))
                answer = connection.receive()
                if answer.code != 0:
                    raise ConnectionError("code %d: %s" % (answer.code, answer.remark))
                with self.lock:
                    self.ledger.acknowledge([identity], int(answer.ext["queueId"]), int(answer.ext["queueOffset"]),
                                            answer.ext["msgId"].encode())
                    now = time.monotonic()
                    self.answered += 1
                    self.pause = max(self.pause, now - self.last)
                    self.last = now
                    if self.marks and begun > self.marks[-1]:
                        self.first_after.setdefault(self.marks[-1], self.last)
            except (OSError, ConnectionError) as why:
                with self.lock:
                    text = " ".join(str(why).split()[:8])
                    self.errors[text] = self.errors.get(text, 0) + 1
                if connection is not None:
                    connection.close()
                    connection = None
                time.sleep(0.002)  # not so often that the route cannot change

    def mark(self):
        with self.lock:
            self.marks.append(time.monotonic())
            self.pause = 0.0
            return self.marks[-1]

    def end(self):
        self.ended.set()
        self.join()


@contextlib.contextmanager
def producing(namesrv, master, topic):
    """Senders to a new topic of the set that `master` leads now, until the end of the block; `ledger` says what they sent."""
    ledger = load.Ledger(topic)
    load.create(master.broker, topic)
    wait_until("the topic has a route", lambda: route(namesrv, topic) is not None)
    senders = Senders(namesrv, ledger)
    senders.start()
    try:
        yield senders
    finally:
        senders.end()
