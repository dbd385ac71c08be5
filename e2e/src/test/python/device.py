#!/usr/bin/env python3
"""A whole Beckon device in Python's standard library, written from docs/PROTOCOL.md alone.

    device.py enroll CODE --data DIR      once; needs the openssl command for key and request
    device.py run --data DIR [--delivery push|inquiry] [--interval SECONDS] [--lab]

It keeps alive, is woken, dials, runs one action (echo) and reports. Made to be read by people who
port Beckon to another language: one thread, no framework, sections in the order of the document.
"""
import argparse, base64, hashlib, hmac, ipaddress, json, os, random, re, secrets, select, socket
import ssl, struct, subprocess, sys, time, zlib

# --- 2. Datagrams ---

COOKIE = 0x2112A442
KEEPALIVE, KEEPALIVE_ANSWER, WAKE, WAKE_ANSWER = 0x0001, 0x0101, 0x026E, 0x036E
USERNAME, INTEGRITY, XOR_MAPPED_ADDRESS, FINGERPRINT = 0x0006, 0x001C, 0x0020, 0x8028
KEY, SEQUENCE, PATH_TOKEN, STATUS = 0xCB01, 0xCB02, 0xCB03, 0xCB04
WAKE_ID, WAKE_FIELDS, FILLER = 0xCB05, 0xCB06, 0xCB07
LENGTHS = {INTEGRITY: (16,), XOR_MAPPED_ADDRESS: (8, 20), FINGERPRINT: (4,), KEY: (4,), SEQUENCE: (6,),
           PATH_TOKEN: (8,), STATUS: (12,), WAKE_ID: (8,), WAKE_FIELDS: (12,)}
REQUIRED = {KEEPALIVE_ANSWER: {STATUS, XOR_MAPPED_ADDRESS}, WAKE: {USERNAME, KEY, SEQUENCE, WAKE_ID, WAKE_FIELDS}}
SMALLEST_KEEPALIVE = 92


def attribute(kind, value):
    return struct.pack(">HH", kind, len(value)) + value + bytes(-len(value) % 4)


def integrity(key, kind, transaction, attributes):
    """HMAC over header and attributes; the header counts the integrity attribute (20 bytes) already."""
    header = struct.pack(">HHI", kind, len(attributes) + 20, COOKIE) + transaction
    return header, hmac.new(key, header + attributes, hashlib.sha256).digest()[:16]


def datagram(key, kind, transaction, *attributes):
    body = b"".join(attribute(*a) for a in attributes)
    missing = SMALLEST_KEEPALIVE - 20 - len(body) - 20
    if kind == KEEPALIVE and missing > 0:
        body += attribute(FILLER, bytes(missing - 4))
    header, mac = integrity(key, kind, transaction, body)
    return header + body + attribute(INTEGRITY, mac)


def read_datagram(data, key):
    """(type, transaction ID, attributes), or None for whatever is malformed or not authentic."""
    if not 20 <= len(data) <= 548 or len(data) % 4:
        return None
    kind, length, cookie = struct.unpack(">HHI", data[:8])
    if cookie != COOKIE or length != len(data) - 20 or kind not in REQUIRED:
        return None
    found, at, integrity_at = {}, 20, None
    while at < len(data):
        number, size = struct.unpack(">HH", data[at:at + 4])
        value, end = data[at + 4:at + 4 + size], at + 4 + (size + 3) // 4 * 4
        known = number in LENGTHS or number in (USERNAME, FILLER)
        if end > len(data) or number in found or FINGERPRINT in found:
            return None
        if integrity_at is not None and number != FINGERPRINT:
            return None
        if known and size not in LENGTHS.get(number, (size,)) or not known and number < 0x8000:
            return None
        if number == FINGERPRINT and int.from_bytes(value, "big") != zlib.crc32(data[:at]) ^ 0x5354554E:
            return None
        if number == INTEGRITY:
            integrity_at = at
        if known:
            found[number] = value
        at = end
    if integrity_at is None or not REQUIRED[kind] <= found.keys():
        return None
    _, mac = integrity(key, kind, data[8:20], data[20:integrity_at])
    return (kind, data[8:20], found) if hmac.compare_digest(mac, found[INTEGRITY]) else None


def mapped_address(value, transaction):
    mask = struct.pack(">I", COOKIE) + transaction
    address = ipaddress.ip_address(bytes(a ^ b for a, b in zip(value[4:], mask)))
    port = struct.unpack(">H", value[2:4])[0] ^ COOKIE >> 16
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


# --- 5.2 Frames: Protocol Buffers by hand ---

class Fixed64(int):
    """A field of eight bytes, little-endian."""


def varint(n):
    out = b""
    while n > 0x7F:
        out, n = out + bytes([n & 0x7F | 0x80]), n >> 7
    return out + bytes([n])


def message(*fields):
    out = b""
    for number, value in fields:
        if isinstance(value, dict):
            out += b"".join(message((number, message((1, k), (2, v)))) for k, v in value.items())
        elif isinstance(value, str):
            out += message((number, value.encode()))
        elif not value:
            continue  # zero, empty, false: left out
        elif isinstance(value, Fixed64):
            out += varint(number << 3 | 1) + struct.pack("<Q", value)
        elif isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def read_varint(data, at):
    shift = n = 0
    while True:
        n |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return n, at


class Fields:
    """A message taken apart: lists of values by field number."""

    def __init__(self, data):
        self.values, at = {}, 0
        while at < len(data):
            tag, at = read_varint(data, at)
            if tag & 7 == 0:
                value, at = read_varint(data, at)
            else:
                size, at = read_varint(data, at) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], at)
                value, at = data[at:at + size], at + size
            self.values.setdefault(tag >> 3, []).append(value)

    def number(self, n): return self.values.get(n, [0])[-1]
    def bytes(self, n): return self.values.get(n, [b""])[-1]
    def text(self, n): return self.bytes(n).decode()
    def list(self, n): return self.values.get(n, [])
    def map(self, n): return {e.text(1): e.text(2) for e in map(Fields, self.list(n))}


HELLO, WELCOME, INQUIRY, INQUIRY_ANSWER, COMMAND, BODY_CHUNK, UPDATE, RECEIPT, CANCELLATION, ACTIONS, BYE = range(1, 12)
ENROLLMENT_REQUEST, ENROLLMENT_ANSWER = 20, 21
DELIVERED, RUNNING, SUCCEEDED, FAILED, REJECTED, EXPIRED, CANCELLED, UNKNOWN = range(2, 10)
STATES = "- QUEUED DELIVERED RUNNING SUCCEEDED FAILED REJECTED EXPIRED CANCELLED UNKNOWN".split()


class Frames:
    """Frames over TLS, each behind its length. Reading never blocks once the handshake is done."""

    def __init__(self, address, protocol, ca, identity=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks chain, dates and serverAuth
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False  # the number in the certificate counts, not its host
        context.set_alpn_protocols([protocol])
        context.load_verify_locations(ca)
        if identity:
            context.load_cert_chain(*identity)
        tcp = socket.create_connection(host_port(address), timeout=5)
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls, self.data = context.wrap_socket(tcp), b""
        names = dict(self.tls.getpeercert()).get("subjectAltName", ())
        if not any(k == "URI" and re.fullmatch(r"urn:beckon:server:0/\d+", v) for k, v in names):
            raise ssl.SSLError(f"server certificate: names {names} (expected urn:beckon:server:0/…)")

    def send(self, kind, *fields):
        body = varint(kind << 3 | 2)  # the kind's message is there even if it is empty
        content = message(*fields)
        body += varint(len(content)) + content
        self.tls.settimeout(30)
        self.tls.sendall(varint(len(body)) + body)

    def receive(self, timeout=0.0):
        """All frames that are here, as (kind, fields)."""
        self.tls.settimeout(timeout)
        try:
            while True:
                more = self.tls.recv(65536)
                if not more:
                    raise ConnectionError("closed")
                self.data += more
                if not self.tls.pending():
                    break
        except (ssl.SSLWantReadError, BlockingIOError, socket.timeout):
            pass
        while self.data and (len(self.data) > 2 or self.data[-1] < 0x80):
            size, at = read_varint(self.data, 0)
            if size > 65536:
                raise ConnectionError("frame too long")
            if len(self.data) < at + size:
                break
            for kind, values in Fields(self.data[at:at + size]).values.items():
                yield kind, Fields(values[-1])
            self.data = self.data[at + size:]


# --- 7. Enrollment ---

def enroll(code, data):
    match = re.fullmatch(r"beckon1:(.+):([^:]+)", code.strip())
    payload = base64.urlsafe_b64decode(match.group(2) + "==") if match else b""
    if len(payload) != 57 or payload[0] != 1:
        sys.exit("enrollment code: not readable (expected beckon1:HOST:PORT:…)")
    address, fingerprint, secret = match.group(1), payload[1:33], payload[33:49]
    if zlib.crc32(address.encode() + payload[:53]) != int.from_bytes(payload[53:], "big"):
        sys.exit("enrollment code: damaged (copy the whole line)")
    os.makedirs(data, mode=0o700, exist_ok=True)
    path = lambda name: os.path.join(data, name)
    if not os.path.exists(path("private-key.pem")):  # kept: a repeated enrollment uses the same key
        write(path("private-key.pem"), openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout"))
    request = openssl("req", "-new", "-key", path("private-key.pem"), "-subj", "/CN=device", "-outform", "DER")
    # The ssl module shows a server's whole chain only since Python 3.13, so openssl fetches it first.
    shown = openssl("s_client", "-connect", address, "-tls1_3", "-alpn", "beckon-enroll/1", "-showcerts", fails=True)
    chain = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", shown.decode(errors="replace"), re.S)
    roots = [c for c in chain if hashlib.sha256(ssl.PEM_cert_to_DER_cert(c)).digest() == fingerprint]
    if not roots:
        sys.exit(f"server: {address} is not the one that made the code, or cannot be reached")
    write(path("ca.pem"), roots[0].encode())
    frames = Frames(address, "beckon-enroll/1", path("ca.pem"))
    frames.send(ENROLLMENT_REQUEST, (1, secret), (2, request))
    answers, patience = [], time.monotonic() + 20
    while not answers and time.monotonic() < patience:
        answers = list(frames.receive(timeout=1))
    kind, answer = answers[0] if answers else sys.exit("enrollment: no answer (try again with the same code)")
    if kind != ENROLLMENT_ANSWER:
        sys.exit(f"enrollment: refused, {answer.text(1)}: {answer.text(2)}")
    pem = lambda ders: "".join(map(ssl.DER_cert_to_PEM_cert, ders)).encode()
    write(path("certificates.pem"), pem(answer.list(3)))
    write(path("ca.pem"), pem(answer.list(4)))
    write(path("identity.json"), json.dumps({
        "device-id": answer.text(1), "generation": answer.number(2), "device-key": answer.bytes(5).hex(),
        "key-id": answer.number(6), "udp": answer.text(7), "tls": answer.text(8)}).encode())
    say(f"enrolled device={answer.text(1)} generation={answer.number(2)}")


def openssl(*args, fails=False):
    return subprocess.run(("openssl",) + args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=not fails, timeout=20).stdout


def write(path, content):
    """Replaces a file so that a power cut leaves the old or the new one, whole."""
    with os.fdopen(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def host_port(address):
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


# --- 3. Keepalives, 4. Wakes, 6. Commands ---

# The action as the server shall know it: echo(text: STRING), other arguments and a body as they come.
ECHO = message((1, "echo"), (2, "gives back what it got"),
               (3, message((1, "text"), (2, 1))), (4, 1), (5, 1))
MY_ACTIONS = message((1, ECHO))


class Device:
    def __init__(self, data, delivery, interval):
        self.data, self.delivery, self.interval = data, delivery, interval
        with open(os.path.join(data, "identity.json")) as file:
            self.identity = json.load(file)
        self.id, self.key = self.identity["device-id"], bytes.fromhex(self.identity["device-key"])
        self.boot_id = Fixed64(secrets.randbits(63) | 1)
        self.clock = (time.time() * 1000, time.monotonic())  # unix milliseconds, and when it was
        self.sequence, self.token, self.mapped = 0, bytes(8), None
        self.sent, self.answered = {}, [0, 0]  # sequence by transaction ID; two newest answered
        self.wakes, self.wake = {}, (0, 0)  # deadlines by wake ID; the newest
        self.dials, self.dial_at, self.attempt, self.session = [], None, 0, None
        self.journal = {}
        if os.path.exists(os.path.join(data, "journal.json")):
            with open(os.path.join(data, "journal.json")) as file:
                self.journal = json.load(file)
        for life in self.journal.values():
            if life["state"] == RUNNING:  # started before the power went: nobody knows how it ended
                life.update(state=UNKNOWN, reason="the device restarted while the command ran")
        self.open_socket()
        self.next_dial_in = time.monotonic() + 86400 * random.uniform(0.8, 1.2)
        if any(life["state"] > RUNNING for life in self.journal.values()):
            self.dial_at = time.monotonic()

    def now_millis(self):
        return int(self.clock[0] + (time.monotonic() - self.clock[1]) * 1000)

    def open_socket(self):
        family, _, _, _, self.server = socket.getaddrinfo(*host_port(self.identity["udp"]), type=socket.SOCK_DGRAM)[0]
        self.udp = socket.socket(family, socket.SOCK_DGRAM)
        self.udp.setblocking(False)
        self.first, self.silent, self.prompt, self.count = True, 0, 0, 0
        self.keepalive()

    def keepalive(self):
        self.sequence = max(self.sequence + 1, self.now_millis())
        transaction = secrets.token_bytes(12)
        bits = struct.pack(">BBH", self.identity["key-id"], self.announced(), self.identity["generation"])
        self.bytes = datagram(self.key, KEEPALIVE, transaction, (USERNAME, self.id.encode()), (KEY, bits),
                              (SEQUENCE, self.sequence.to_bytes(6, "big")), (PATH_TOKEN, self.token))
        self.sent[transaction] = self.sequence
        if len(self.sent) > 256:
            del self.sent[next(iter(self.sent))]
        self.waiting, self.count = transaction, self.count + 1
        now = time.monotonic()
        self.retransmit_at = [now + 0.5, now + 1.5, now + 3.5]
        wait = self.interval * random.uniform(0.9, 1.1)
        if self.interval > 25 and self.count % 4 == 0:
            wait = 3  # a rebooted router may have made the same mapping anew: confirm it
        self.next_keepalive = now + wait
        self.transmit(self.bytes)

    def announced(self):
        return round(self.interval) if self.interval <= 120 else 120 + round(self.interval / 60)

    def transmit(self, data):
        try:
            self.udp.sendto(data, self.server)
        except OSError:
            pass  # no route just now, or an ICMP error: the next keepalive tells

    def on_time(self, now):
        if now >= self.next_keepalive:
            if self.waiting:
                self.silent += 1
            self.prompt = 0
            if self.silent >= 3:
                self.udp.close()
                say("keepalive-silent")
                self.next_dial_in = min(self.next_dial_in, now + random.uniform(300, 3600))
                self.open_socket()
            else:
                self.keepalive()
        elif self.waiting and self.retransmit_at and now >= self.retransmit_at[0]:
            self.retransmit_at.pop(0)
            self.transmit(self.bytes)
        if now >= self.next_dial_in:
            self.next_dial_in = now + (21600 if self.silent else 86400) * random.uniform(0.8, 1.2)
            self.dial_at = self.dial_at or now
        if self.dial_at and now >= self.dial_at and not self.session:
            self.dial(now)

    def on_datagram(self, data):
        read = read_datagram(data, self.key)
        if read and read[0] == KEEPALIVE_ANSWER:
            self.on_answer(read[1], read[2])
        elif read:
            self.on_wake(read[1], read[2])

    def on_answer(self, transaction, found):
        sequence = self.sent.get(transaction)
        if sequence is None:
            return
        flags, high, low = struct.unpack(">HHI", found[STATUS][:8])
        self.clock = (high << 32 | low, time.monotonic())
        newest = transaction == self.waiting
        if newest:
            self.waiting = None
        self.silent = 0
        if flags & 1:  # stale: go on behind the server's last sequence
            self.sequence = max(self.sequence, int.from_bytes(found.get(SEQUENCE, b""), "big"))
            return self.keepalive_now()
        self.answered = sorted({*self.answered, sequence})[-2:]
        if not newest:
            return
        self.token = found.get(PATH_TOKEN, bytes(8))
        mapped = mapped_address(found[XOR_MAPPED_ADDRESS], transaction)
        say(f"keepalive-answered mapped={mapped} unproven={flags >> 1 & 1}")
        changed, self.mapped = self.first or mapped != self.mapped, mapped
        if flags & 2:  # unproven: echo the token at once
            self.keepalive_now()
        if changed:
            self.first, self.next_keepalive = False, time.monotonic() + 3

    def keepalive_now(self):
        if self.prompt < 3:
            self.prompt += 1
            self.keepalive()

    def on_wake(self, transaction, found):
        echo, wake_id = int.from_bytes(found[SEQUENCE], "big"), int.from_bytes(found[WAKE_ID], "big")
        deadline, fields = int.from_bytes(found[WAKE_FIELDS][:6], "big"), found[WAKE_FIELDS][6:]
        number, delay = struct.unpack(">HI", fields)
        mine = found[USERNAME] == self.id.encode() and found[KEY][2:] == struct.pack(">H", self.identity["generation"])
        fresh = echo in self.sent.values() and echo >= self.answered[0]
        if not mine or not fresh or deadline < self.now_millis() or number != 0:
            return
        self.transmit(datagram(self.key, WAKE_ANSWER, transaction, (WAKE_ID, found[WAKE_ID])))
        new = self.wakes.get(wake_id, 0) < deadline  # a later deadline: another command waits
        self.wakes = {w: d for w, d in self.wakes.items() if d > self.now_millis()}
        self.wakes[wake_id] = deadline
        self.wake = (wake_id, deadline)
        if not new:
            return
        say(f"wake id={wake_id:016x}")
        if not self.session:
            self.attempt, self.dial_at = 0, time.monotonic() + random.uniform(0, delay / 1000)
        else:
            self.proof_at = time.monotonic() + 3  # by then the server shows that it knows this session
            if self.welcomed and self.delivery == "inquiry":
                self.session.send(INQUIRY, (1, Fixed64(wake_id)))

    def dial(self, now):
        self.dials = [t for t in self.dials if t > now - 50]
        if len(self.dials) >= 10:  # on average one per 5 s: late, never dropped
            self.dial_at = self.dials[0] + 50
            return
        self.dials.append(now)
        path = lambda name: os.path.join(self.data, name)
        try:
            self.session = Frames(self.identity["tls"], "beckon/1", path("ca.pem"),
                                  (path("certificates.pem"), path("private-key.pem")))
            self.bodies, self.welcomed, self.heard, self.proof_at = {}, False, now, None
            self.session.send(HELLO, (1, self.id), (2, self.boot_id), (3, 1 if self.delivery == "push" else 2),
                              (4, Fixed64(self.wake[0])), (5, hashlib.sha256(MY_ACTIONS).digest()))
            self.dial_at = None
        except (OSError, ssl.SSLError) as e:
            self.session = None
            self.dial_again(str(e))

    def dial_again(self, why):
        """After 1, 3, 7, 15 … s, until the wake's deadline; or until an owed update is through."""
        owed = any(life["state"] > RUNNING for life in self.journal.values())
        pause = min(2 ** self.attempt, 3600)
        self.attempt += 1
        wanted = owed or self.now_millis() + pause * 1000 < self.wake[1]
        self.dial_at = time.monotonic() + pause if wanted else None
        say(f"dial-failed {why}")

    def on_session(self):
        try:
            for kind, frame in self.session.receive():
                self.heard = time.monotonic()
                self.on_frame(kind, frame)
                if not self.session:
                    return
            quiet = time.monotonic() - self.heard
            if quiet > (60 if self.welcomed else 10) or self.proof_at and time.monotonic() > self.proof_at:
                raise ConnectionError("the server is silent")
        except (OSError, ssl.SSLError, ValueError, IndexError, KeyError) as e:
            self.close_session(str(e))

    def close_session(self, why):
        self.session.tls.close()
        self.session = None
        say(f"session-closed {why}")
        if not self.welcomed or self.proof_at or self.journal:
            self.dial_again(why)

    def on_frame(self, kind, frame):
        if kind == WELCOME:
            self.welcomed, self.attempt = True, 0
            say("session-opened")
            if frame.number(3):
                self.session.send(ACTIONS, (1, ECHO))
            for command_id in list(self.journal):
                self.report(command_id)
            if self.delivery == "inquiry":
                self.session.send(INQUIRY, (1, Fixed64(self.wake[0])))
        elif kind == INQUIRY_ANSWER:
            self.proof_at = None
        elif kind == COMMAND:
            self.proof_at = None
            if frame.number(6) and frame.text(2) not in self.journal:
                self.bodies[frame.text(2)] = (frame, [])
            else:
                self.on_command(frame, b"")
        elif kind == BODY_CHUNK and frame.text(1) in self.bodies:
            command, parts = self.bodies[frame.text(1)]
            if frame.number(2) != sum(map(len, parts)):
                raise ConnectionError("a body chunk out of place")
            parts.append(frame.bytes(3))
            if frame.number(4):
                del self.bodies[frame.text(1)]
                self.on_command(command, b"".join(parts))
        elif kind == RECEIPT:
            if self.journal.pop(frame.text(1), None):
                self.save()
                say(f"receipt {frame.text(1)}")
        elif kind == CANCELLATION:
            if frame.text(1) not in self.journal:  # before its command, or its body, came
                self.note(frame.text(1), CANCELLED, "cancelled before it started")
            self.report(frame.text(1))
        elif kind == BYE:
            if frame.number(1) in (4, 5):  # revoked, or not this device: dialling again is of no use
                sys.exit(f"server: refuses this device ({frame.text(2)})")
            self.close_session(f"bye reason={frame.number(1)} {frame.text(2)}")

    def on_command(self, command, body):
        command_id, args = command.text(2), command.map(4)
        if command_id in self.journal:
            return self.report(command_id)
        if command.text(1) != self.id:
            return self.session.send(UPDATE, (1, command_id), (2, REJECTED), (4, "device ID: not mine"))
        if command.text(3) != "echo":
            self.note(command_id, REJECTED, f"action: {command.text(3)} (expected echo)")
        elif command.number(5) < self.now_millis():
            self.note(command_id, EXPIRED, "it came too late")
        else:
            self.note(command_id, DELIVERED)  # in the journal first, then acknowledged
            self.report(command_id)
            self.note(command_id, RUNNING)
            self.report(command_id)
            self.note(command_id, SUCCEEDED, result=args, body=body)
        self.report(command_id)

    def note(self, command_id, state, reason="", result=None, body=b""):
        self.journal[command_id] = {"state": state, "reason": reason, "result": result or {},
                                    "body": base64.b64encode(body).decode()}
        self.save()
        say(f"command {command_id} {STATES[state]}")

    def save(self):
        write(os.path.join(self.data, "journal.json"), json.dumps(self.journal).encode())

    def report(self, command_id):
        life = self.journal[command_id]
        body = base64.b64decode(life["body"])
        self.session.send(UPDATE, (1, command_id), (2, life["state"]), (3, self.now_millis()), (4, life["reason"]),
                          (5, life["result"]), (8, bool(body)), (9, len(body)))
        for at in range(0, len(body), 32768):
            part = body[at:at + 32768]
            self.session.send(BODY_CHUNK, (1, command_id), (2, at), (3, part), (4, at + len(part) == len(body)))

    def run(self):
        say(f"ready device={self.id}")
        while True:
            self.on_time(time.monotonic())
            sockets = [self.udp] + ([self.session.tls] if self.session else [])
            ready, _, _ = select.select(sockets, [], [], 0.1)
            if self.udp in ready:
                try:
                    data, sender = self.udp.recvfrom(2048)
                    if sender[:2] == self.server[:2]:
                        self.on_datagram(data)
                except OSError:
                    pass  # an ICMP error changes nothing
            if self.session:
                self.on_session()


def say(text):
    print(text, flush=True)


def main():
    parser = argparse.ArgumentParser(description="A Beckon device in plain Python.")
    commands = parser.add_subparsers(dest="command", required=True)
    enrolling, running = commands.add_parser("enroll"), commands.add_parser("run")
    enrolling.add_argument("code")
    running.add_argument("--delivery", choices=["push", "inquiry"], default="push")
    running.add_argument("--interval", type=float, default=25)
    running.add_argument("--lab", action="store_true", help="allows intervals under 15 s")
    for each in (enrolling, running):
        each.add_argument("--data", required=True)
    args = parser.parse_args()
    if args.command == "enroll":
        enroll(args.code, args.data)
    elif args.interval < 15 and not args.lab:
        sys.exit(f"interval: {args.interval}s (expected 15s or more, or --lab)")
    else:
        Device(args.data, args.delivery, args.interval).run()


if __name__ == "__main__":
    main()
