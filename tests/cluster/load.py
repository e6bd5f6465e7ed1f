"""A load of pipelined sends over many connections, a ledger of what was sent and what was
acknowledged, and the check of a server's queues against that ledger."""

import random
import selectors
import socket
import time

import remoting

QUEUES = 8


class Ledger:
    """What may be, and what must be, in a topic."""

    def __init__(self, topic):
        self.topic = topic
        self.acknowledged = {}  # (queue id, queue offset) -> (message id, physical offset or None)
        self.sent = set()  # ids of all messages that were ever sent
        self.bad = []  # contradictions already in the answers
        self.checked = [0] * QUEUES  # below these offsets everything was read and found right
        self.found = {}  # id -> place, of everything read so far

    def acknowledge(self, ids, queue_id, offset, message_ids):
        positions = message_ids.split(b",")
        if len(positions) != len(ids):
            self.bad.append("%d messages, %d message ids" % (len(ids), len(positions)))
            positions = [None] * len(ids)
        for index, identity in enumerate(ids):
            place = (queue_id, offset + index)
            if place in self.acknowledged:
                self.bad.append("offset %s given to %s and to %s"
                                % (place, self.acknowledged[place][0], identity))
            physical = positions[index]
            self.acknowledged[place] = (
                identity, remoting.physical_offset(physical) if physical else None)


def body_of(identity):
    """The body follows from the id, so that a reader can tell what it must be."""
    size = 40 + hash_of(identity) % 300
    return (identity + b"|" + b"0123456789abcdef" * (size // 16 + 1))[:len(identity) + size]


def hash_of(identity):
    value = 0
    for byte in identity:
        value = (value * 31 + byte) & 0xFFFFFFFF
    return value


class _Channel:
    """One connection of the load."""

    def __init__(self, address, name):
        self.socket = socket.create_connection(address, 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.name = name
        self.sequence = 0
        self.opaque = 0
        self.outstanding = {}  # opaque -> ids
        self.out = bytearray()
        self.inbound = bytearray()
        self.open = True


class Load:
    """`connections` connections that keep `window` requests each in flight; every tenth request
    is a batch of four."""

    def __init__(self, address, ledger, name, connections=16, window=64, seed=0):
        self.ledger = ledger
        self.window = window
        self.random = random.Random(seed)
        self.template = remoting.SendTemplate(ledger.topic)
        self.selector = selectors.DefaultSelector()
        self.channels = [_Channel(address, b"%b-%d" % (name, i)) for i in range(connections)]
        for channel in self.channels:
            self.selector.register(
                channel.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, channel)
        self.messages_sent = 0
        self.messages_acknowledged = 0
        self.refused = {}  # code -> count
        self.sending = True

    def close(self):
        for channel in self.channels:
            channel.socket.close()
        self.selector.close()

    @property
    def in_flight(self):
        return sum(len(c.outstanding) for c in self.channels)

    @property
    def any_open(self):
        return any(c.open for c in self.channels)

    def _fill(self, channel):
        parts = []
        while len(channel.outstanding) < self.window:
            channel.opaque += 1
            count = 4 if channel.opaque % 10 == 0 else 1
            ids = []
            for _ in range(count):
                channel.sequence += 1
                ids.append(b"%b-%d" % (channel.name, channel.sequence))
            queue_id = self.random.randrange(QUEUES)
            if count == 1:
                parts.append(self.template.send(
                    channel.opaque, queue_id, body_of(ids[0]), properties_of(ids[0])))
            else:
                parts.append(self.template.send(
                    channel.opaque, queue_id, remoting.batch_body(
                        [(body_of(i), properties_of(i)) for i in ids]),
                    b"WAIT\x01true\x02", batch=True))
            channel.outstanding[channel.opaque] = ids
            self.ledger.sent.update(ids)
            self.messages_sent += count
        channel.out += b"".join(parts)

    def _write(self, channel):
        if not channel.out and self.sending:
            self._fill(channel)
        if channel.out:
            try:
                written = channel.socket.send(channel.out)
                del channel.out[:written]
            except BlockingIOError:
                pass
            except OSError:
                self._end(channel)

    def _read(self, channel):
        try:
            data = channel.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end(channel)
            return
        channel.inbound += data
        for header, _body in remoting.split_frames(channel.inbound):
            opaque, code, queue_id, offset, message_ids = remoting.send_answer(header)
            ids = channel.outstanding.pop(opaque, None)
            if ids is None:
                self.ledger.bad.append("an answer to no request: %r" % header[:200])
            elif code == remoting.SUCCESS:
                self.messages_acknowledged += len(ids)
                self.ledger.acknowledge(ids, queue_id, offset, message_ids)
            else:
                self.refused[code] = self.refused.get(code, 0) + 1

    def _end(self, channel):
        if channel.open:
            channel.open = False
            self.selector.unregister(channel.socket)

    def turn(self, timeout):
        """One round of reads and writes. A channel asks for writability only while it has or
        wants to write."""
        for channel in self.channels:
            if channel.open:
                wants = channel.out or (
                    self.sending and len(channel.outstanding) <= self.window // 2)
                events = selectors.EVENT_READ | (selectors.EVENT_WRITE if wants else 0)
                if self.selector.get_key(channel.socket).events != events:
                    self.selector.modify(channel.socket, events, channel)
        if not self.any_open:
            return
        for key, events in self.selector.select(timeout):
            if events & selectors.EVENT_READ:
                self._read(key.data)
            if events & selectors.EVENT_WRITE and key.data.open:
                self._write(key.data)

    def run_until(self, end, condition=lambda: False):
        """Runs until the monotonic time `end`, until `condition` holds or all are closed."""
        while self.any_open and not condition():
            left = end - time.monotonic()
            if left <= 0:
                break
            self.turn(min(left, 0.05))


def properties_of(identity):
    return b"UNIQ_KEY\x01" + identity + b"\x02TAGS\x01T\x02"


def create(address, topic):
    with remoting.Connection(address) as connection:
        remoting.create_topic(connection, topic, QUEUES)


def check(address, ledger, whole=False, errors_max=20):
    """Reads the topic, all of it or what is new since the last check. Returns (messages read,
    errors): every acknowledged message at its offset with its body, offsets without a gap from 0
    to the end, nothing twice, nothing that was never sent."""
    errors = list(ledger.bad)
    read = 0
    if whole:
        ledger.checked = [0] * QUEUES
        ledger.found = {}
    topic = ledger.topic.encode()
    ends = {}
    with remoting.Connection(address, timeout=30) as connection:
        for queue_id in range(QUEUES):
            queue = remoting.Queue(connection, ledger.topic, queue_id)
            begin, end = queue.min_offset(), queue.max_offset()
            ends[queue_id] = end
            expected = ledger.checked[queue_id]
            if begin != 0:
                errors.append("queue %d begins at %d" % (queue_id, begin))
            if end < expected:
                errors.append("queue %d ended at %d and ends at %d" % (queue_id, expected, end))
            for record in queue.records(expected, end):
                read += 1
                if record.queue_offset != expected:
                    errors.append("queue %d: %d where %d should be"
                                  % (queue_id, record.queue_offset, expected))
                expected = record.queue_offset + 1
                errors += _check_record(ledger, record, queue_id, topic)
                if len(errors) > errors_max:
                    return read, errors
            if expected != end:
                errors.append("queue %d ends at %d, messages end at %d" % (queue_id, end, expected))
            ledger.checked[queue_id] = end
    for (queue_id, offset), (identity, _) in ledger.acknowledged.items():
        if offset >= ends[queue_id]:
            errors.append("acknowledged and lost: %s at %d:%d, the end is %d"
                          % (identity.decode(), queue_id, offset, ends[queue_id]))
            if len(errors) > errors_max:
                break
    return read, errors


def _check_record(ledger, record, queue_id, topic):
    place = (queue_id, record.queue_offset)
    identity = remoting.property_of(record, b"UNIQ_KEY")
    errors = []
    if record.queue_id != queue_id or record.topic != topic:
        errors.append("%s holds a message of %r queue %d"
                      % (place, record.topic, record.queue_id))
    if identity not in ledger.sent:
        errors.append("%s: %r was never sent" % (place, identity))
        return errors
    if record.body != body_of(identity):
        errors.append("%s: the body of %r is not what was sent" % (place, identity))
    if not record.crc_ok:
        errors.append("%s: wrong checksum" % (place,))
    if identity in ledger.found:
        errors.append("%r twice: at %s and at %s" % (identity, ledger.found[identity], place))
    ledger.found[identity] = place
    acknowledged = ledger.acknowledged.get(place)
    if acknowledged:
        if acknowledged[0] != identity:
            errors.append("%s was acknowledged for %r and holds %r"
                          % (place, acknowledged[0], identity))
        if acknowledged[1] is not None and acknowledged[1] != record.physical_offset:
            errors.append("%s: message id says commit log %d, it lies at %d"
                          % (place, acknowledged[1], record.physical_offset))
    return errors
