"""The table of results: report.py FOLDER MACHINE [--quick]. Reads FOLDER/NAME.json of each bench/NAME, flat objects, and prints Markdown.

A row that has no figure yet says so; nothing here is measured or rounded up. Of small numbers and short rounds (--quick) nothing is
said to be reached or missed, for the targets are about large ones.
"""

import glob
import json
import os
import sys

folder, machine = sys.argv[1:3]
quick = "--quick" in sys.argv[3:]
scripts = os.path.dirname(os.path.abspath(__file__))
figures = {}
for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    name = os.path.basename(path)[:-len(".json")]
    if isinstance(content, dict) and os.access(os.path.join(scripts, name), os.X_OK):  # else what a script left for itself
        figures.update({f"{name}.{key}": value for key, value in content.items()})


if "storm.devices" in figures:
    figures["storm.notSucceeded"] = figures["storm.devices"] - figures.get("storm.commandsSucceeded", 0)


def text(value, digits=0):
    if not isinstance(value, (int, float)):
        return "not measured"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.{digits}f}" if digits or value >= 1000 else f"{value:g}"


def at(key):
    return figures.get(key)


def some(key):
    return text(at(key)) if key in figures else "so many"


def ratio(key, of, target):
    """A row about a ratio: target, ours, yardstick, ratio, verdict."""
    ours, other = at(key), at(of)
    if ours is None or not other:
        return f">= {target} x", text(ours), text(other), "-", "not measured"
    reached = ours / other
    return f">= {target} x", text(ours), text(other), f"{reached:.2f}", verdict(reached >= target)


def most(key, limit, unit):
    value = at(key)
    return f"<= {text(limit)} {unit}".rstrip(), text(value), "-", "-", "not measured" if value is None else verdict(value <= limit)


def busy(cells, key):
    """The same row, with a warning if the yardstick was not busy: then its load was the limit, not the yardstick."""
    share = at(key)
    if share is None or share >= BUSY_PERCENT:
        return cells
    return (*cells[:-1], f"{cells[-1]}; the yardstick's core only {text(share)} % busy")


def verdict(reached):
    if quick:
        return "--quick: not judged"
    return "reached" if reached else "**missed**"


BUSY_PERCENT = 95
OURS, ONE_WAY = "keepalives.oursAnsweredPerSecond", "keepalives.oursOneWayPerSecond"
many = some("keepalives.rowsMany")
rows = [
    (f"answered keepalives/s, {many} rows, against C doing the same", ratio(OURS, "keepalives.cAnsweredPerSecond", 0.85)),
    ("the same against coturn, unauthenticated STUN Binding", ratio(OURS, "keepalives.coturnAnsweredPerSecond", 1.1)),
    ("the same against Californium, DTLS with CID", busy(
        ratio(OURS, "keepalives.californiumAnsweredPerSecond", 3), "keepalives.californiumServerCpuPercent")),
    (f"one-way keepalives/s, {many} rows, against C doing the same", ratio(ONE_WAY, "keepalives.cOneWayPerSecond", 0.6)),
    ("answered with many rows against few", ratio(OURS, "keepalives.oursAnsweredFewRowsPerSecond", 0.7)),
    ("one-way with many rows against few", ratio(ONE_WAY, "keepalives.oursOneWayFewRowsPerSecond", 0.7)),
    ("resident bytes per device, all of the server", most("keepalives.residentBytesPerDevice", 130, "B")),
    ("full mutual TLS sessions/s with a durable command each, against nginx's bare handshakes",
     ratio("sessions.sessionsPerSecond", "sessions.nginxHandshakesPerSecond", 1)),
    ("cold command, API to running on the device, loopback: 99 of 100", most("sessions.coldCommandMicrosP99", 10000, "µs")),
    ("  half of them", most("sessions.coldCommandMicrosP50", 10000, "µs")),
    (f"ready after kill -9, {some('restart.devices')} devices", most("restart.readyAfterKillMillis", 3000, "ms")),
    ("first wake after that", most("restart.firstWakeAfterReadyMillis", 1000, "ms")),
    ("  addresses to be proven anew after that", most("restart.addressesToProveAnew", 0, "")),
    ("serve ready, empty data folder", most("startup.beckonServeEmptyMillis", 2000, "ms")),
    ("serve ready, the table of kill -9 never read before", most("restart.firstReadyMillis", 3000, "ms")),
    (f"group command to {some('storm.devices')} devices: single commands meanwhile, 99 of 100",
     most("storm.singleInStormP99Millis", 1000, "ms")),
    ("  devices whose command did not succeed", most("storm.notSucceeded", 0, "")),
    ("  keepalives lost meanwhile", most("storm.keepalivesLossPercent", 0, "%")),
    (f"keepalives lost with {some('fleet.provenDevices')} devices every {some('fleet.intervalSeconds')} s on one core",
     most("fleet.lossPercent", 0, "%")),
]

print(f"Machine: {machine}\n")
print("| what | target | ours | yardstick | ratio | |")
print("|---|---|---|---|---|---|")
for what, cells in rows:
    print(f"| {what} | " + " | ".join(cells) + " |")

print("\nWhat an idle device costs, and what a restart costs, beside others:\n")
print("| | bytes per idle device | after kill -9 |")
print("|---|---|---|")
print(f"| Beckon, all of the server | {text(at('keepalives.residentBytesPerDevice'))} | devices notice nothing |")
print(f"| Mosquitto, plain (kernel included) | {text(at('mosquitto.plainBytesPerClient'))} | |")
print(f"| Mosquitto, mutual TLS (kernel included) | {text(at('mosquitto.tlsBytesPerClient'))} | "
      f"{text(at('mosquitto.tlsClients'))} clients back after {text(at('mosquitto.reconnectSeconds'), 1)} s, "
      f"{text(at('mosquitto.reconnectCpuMillisPerClient'), 2)} ms of server CPU each |")
print(f"| Californium, DTLS with CID (heap) | {text(at('californium.noDeduplicatorHeapBytesPerSession'))} | |")

print("\nEverything that was measured:\n")
print("| command | figure | value |")
print("|---|---|---|")
for key, value in figures.items():
    command, _, figure = key.partition(".")
    if figure != "machine":
        print(f"| bench/{command} | {figure} | {value if isinstance(value, str) else text(value, 2 if value % 1 else 0)} |")
