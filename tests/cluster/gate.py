"""A gate between two ends of TCP connections: it passes bytes on, after a while where that is asked for, or holds them back. What is
held back comes when the gate opens, as after a partition."""

import collections
import socket
import threading
import time

CHUNK = 256 * 1024


class Gate:
    """Connections to `at` reach `to`; each "host:port" is a pair. delay: seconds that bytes take in each direction."""

    def __init__(self, at, to, delay=0.0):
        self.to = to
        self.delay = delay
        self.opened = threading.Event()
        self.opened.set()
        self.sockets = []
        self.listener = socket.create_server(at)
        threading.Thread(target=self._accept, daemon=True).start()

    def shut(self):
        self.opened.clear()

    def open(self):
        self.opened.set()

    def close(self):
        self.listener.close()
        for end in self.sockets:
            end.close()

    def _accept(self):
        while True:
            try:
                here, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(here,), daemon=True).start()

    def _connect(self, here):
        self.opened.wait()
        try:
            there = socket.create_connection(self.to)
        except OSError:
            here.close()
            return
        for end in (here, there):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets.append(end)
        _Direction(self, here, there)
        _Direction(self, there, here)


class _Direction:
    def __init__(self, gate, source, sink):
        self.gate = gate
        self.source = source
        self.sink = sink
        self.under_way = collections.deque()  # (when it is due, bytes); b"" is the end
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._write, daemon=True).start()

    def _read(self):
        data = b"-"
        while data:
            try:
                data = self.source.recv(CHUNK)
            except OSError:
                data = b""
            with self.changed:
                self.under_way.append((time.monotonic() + self.gate.delay, data))
                self.changed.notify()

    def _write(self):
        while True:
            with self.changed:
                while not self.under_way:
                    self.changed.wait()
                due, data = self.under_way.popleft()
            self.gate.opened.wait()
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            try:
                if data:
                    self.sink.sendall(data)
                    continue
            except OSError:
                pass
            # The end of one direction is that of both, here as in the processes on either side.
            for end in (self.source, self.sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            return
