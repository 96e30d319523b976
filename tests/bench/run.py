"""`make bench`: what one exchange costs, beside what else one could do. Prints a table; no figure here is a test.

    rows      direct (the mock asked), nginx (plain reverse proxy), naive (ordinary parts), ours (ledger on/off, engines)
    figures   CPU per exchange of the process under test (µs, user + system, all threads), requests/s, p50 and p99 (ms)

Absolute times drift from machine to machine and from minute to minute: every row is the median of several turns, the
programs of one table take turns, and the ratios (to nginx: how many hops an exchange costs) come from one run.
`make bench ARGS="--turns 5 --seconds 2 --only rest,soap,signed,facade,ledger,scale,memory,append,tree,verify,reports,alerts,policy"`.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "mock-sources")]

from connectors.client import Hub as Client  # noqa: E402
from integrator import settings  # noqa: E402
from integrator.commands import apps, sandbox  # noqa: E402
from mock_sources.world import World  # noqa: E402
from tests.bench import facade as signed_messages  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
PURPOSE = "administrative_fine"  # grants all three questions of the bench
MOCK, NGINX, OURS = "the mock asked directly", "nginx, plain reverse proxy", "ours, durable ledger (SQLite)"
SUBJECTS = 400  # different ones in turn, so that nothing profits from asking the same twice


@dataclass(frozen=True, slots=True)
class Figures:
    """One row: what the process under test did under one load."""

    name: str
    connections: int
    micros: float  # CPU per answer
    rate: float  # answers per second
    p50: float  # ms
    p99: float
    errors: str = ""


def cpu(pids: list[int]) -> float:
    """Seconds of CPU that these processes and their threads used so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def rss(pid: int) -> float:
    """Resident memory in MiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(
    name: str, pids: list[int], port: int, asked: list[bytes], connections: int, *, expect: int = 200, **bound: Any
) -> Figures:
    """Load one address and account for the CPU of `pids` meanwhile."""
    before = cpu(pids)
    result = json.loads(_load(port, asked, connections, expect, bound).communicate()[0])
    used = cpu(pids) - before
    errors = ",".join(f"{status}×{count}" for status, count in result["errors"].items())
    answers = max(result["answers"], 1)
    return Figures(
        name,
        connections,
        used / answers * 1e6,
        answers / result["seconds"],
        result["p50"] or 0,
        result["p99"] or 0,
        errors,
    )


def _load(
    port: int, requests: list[bytes], connections: int, expect: int, bound: dict[str, Any]
) -> subprocess.Popen[bytes]:
    plan = {"host": "127.0.0.1", "port": port, "connections": connections, "expect": expect, **bound}
    plan["requests_b64"] = [base64.b64encode(request).decode() for request in requests]
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        json.dump(plan, file)
    return subprocess.Popen([sys.executable, "-P", str(HERE / "load.py"), file.name], stdout=subprocess.PIPE)


def post(path: str, body: dict[str, Any], token: str, port: int) -> bytes:
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


def get(path: str, port: int, **headers: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{lines}\r\n".encode()


# --- the programs under test ------------------------------------------------------------------------------------------


class Bench:
    """Everything that runs during the bench, and the requests it is asked."""

    def __init__(self, state: Path, seconds: float, turns: int = 3) -> None:
        self.state, self.seconds, self.turns = state, seconds, turns
        self.rows: list[Figures] = []
        self.world = World.build(7)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.box = sandbox.Sandbox("", f"http://127.0.0.1:{sandbox.free_port(18090)}", state)
        sandbox.start(
            self.box,
            "mocks",
            [sys.executable, "-P", "-m", "mock_sources", "--state", str(state / "mock"), "--port", self.mock_port_text],
            f"{self.box.mocks}/mock/health",
        )
        owned = [
            (person, car)
            for person in self._people()
            for car in self.world.vehicles_of(ssin=person.ssin)[:1]
            if car.status == "REG"
        ]
        self.people = [person for person, _ in owned[:SUBJECTS]]
        self.plates = [car.plate for _, car in owned[:SUBJECTS]]
        firms = (firm for person in self._people() for firm in self.world.enterprises_of(person.ssin))
        self.enterprises = [firm.number for firm in islice(firms, SUBJECTS)]

    @property
    def mock_port_text(self) -> str:
        return self.box.mocks.rpartition(":")[2]

    @property
    def mock_pid(self) -> int:
        return self.box.processes[0].pid

    def _people(self) -> Iterator[Any]:
        """Living people, household after household, from a place in the middle of the region."""
        for number in range(1000, 200_000, 7):
            household = self.world.household(number)
            for member in household.members if household else ():
                person = self.world.person(member.ssin)
                if person is not None and person.death is None:
                    yield person

    @contextlib.contextmanager
    def hub(
        self,
        name: str,
        *,
        ledger: str | None = None,
        program: list[str] | None = None,
        sources: dict[str, Any] | None = None,
    ) -> Iterator[Subject]:
        """A hub of its own, with an application enrolled. `program` replaces `integrator serve` (ledger off)."""
        port, folder = sandbox.free_port(0), self.state / name
        folder.mkdir(parents=True)
        (folder / "mock").symlink_to(self.state / "mock")
        config = folder / "bench.yaml"
        config.write_text(json.dumps({"limits": {"perApplication": 512, "inFlight": 1024}, "sources": sources or {}}))
        words = [
            "--settings",
            str(config),
            "--port",
            str(port),
            "--state",
            str(folder),
            "--mocks",
            self.box.mocks,
            "--shard",
            name,
        ]
        words += ["--ledger", ledger] if ledger else []
        command = [*(program or [sys.executable, "-P", "-m", "integrator.cli", "serve"]), *words]
        process = sandbox.start(self.box, name, command, f"http://127.0.0.1:{port}/readyz")
        chosen = settings.load(config, state=str(folder), port=port, mocks=self.box.mocks)
        apps.create(chosen, "bench", "ixelles", [PURPOSE], folder / "bench.jwk")
        time.sleep(1.1)  # applications are looked at once a second
        try:
            yield Subject(name, process.pid, port, folder / "bench.jwk")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(40)
            self.box.processes.remove(process)

    def add(self, row: Figures, *, of: Sequence[Figures] = ()) -> None:
        """Print a row and keep it; `of` = all turns it was chosen from, whose spread is told."""
        self.rows.append(row)
        spread = f"({min(one.micros for one in of):.0f}–{max(one.micros for one in of):.0f})" if len(of) > 1 else ""
        errors = ",".join(one.errors for one in of if one.errors) or row.errors
        print(
            f"  {row.name:<32} c={row.connections:<3} {row.micros:>6.0f} µs {spread:<13} {row.rate:>6.0f}/s"
            f"  p50 {row.p50:>7.2f} ms  p99 {row.p99:>7.2f} ms  {errors}",
            flush=True,
        )


@dataclass(frozen=True, slots=True)
class Subject:
    """A hub under test."""

    name: str
    pid: int
    port: int
    key: Path

    def token(self) -> str:
        with Client.from_key(self.key, purpose=PURPOSE) as client:
            return client.token()


# --- the questions ----------------------------------------------------------------------------------------------------


def vehicles(bench: Bench, token: str, port: int) -> list[bytes]:
    return [
        post("/vehicle/v1/registrations/query", {"plateNumber": plate, "dossierReference": "BENCH-1"}, token, port)
        for plate in bench.plates
    ]


def persons(bench: Bench, token: str, port: int) -> list[bytes]:
    return [
        post("/person/v1/persons/get", {"ssin": person.ssin, "dossierReference": "BENCH-1"}, token, port)
        for person in bench.people
    ]


def enterprises(bench: Bench, token: str, port: int) -> list[bytes]:
    return [
        get(f"/enterprise/v1/enterprises/{number}", port, Authorization=f"Bearer {token}")
        for number in bench.enterprises
    ]


def direct(bench: Bench, port: int) -> list[bytes]:
    credentials = json.loads((bench.state / "mock" / "credentials" / "div.json").read_text())
    form = urllib.parse.urlencode(
        {
            "grant_type": "client_credentials",
            "client_id": credentials["clientId"],
            "client_secret": credentials["clientSecret"],
        }
    )
    basic = base64.b64encode(f"{credentials['clientId']}:{credentials['clientSecret']}".encode()).decode()
    ask = urllib.request.Request(
        f"{bench.box.mocks}/div/oauth/token", form.encode(), {"Authorization": f"Basic {basic}"}
    )
    try:
        reply = urllib.request.urlopen(ask, timeout=5)
    except urllib.error.HTTPError:
        reply = urllib.request.urlopen(urllib.request.Request(ask.full_url, form.encode()), timeout=5)
    token = json.load(reply)["access_token"]
    return [
        get(f"/div/v1/mobility/registrations?plateNr={plate}", port, Authorization=f"Bearer {token}")
        for plate in bench.plates
    ]


# --- the parts of the bench -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entrant:
    """One program in a race: what it is called, whose CPU counts, where it listens and what it is asked."""

    name: str
    pids: list[int]
    port: int
    asked: list[bytes]


def race(bench: Bench, entrants: list[Entrant], connections: tuple[int, ...] = (1, 16, 64)) -> None:
    """Load them by turns, so that a slow moment of the machine hits all alike; one row each, the turn of median CPU."""
    for count in connections:
        turns: dict[str, list[Figures]] = {one.name: [] for one in entrants}
        for _ in range(bench.turns):
            for one in entrants:
                turns[one.name].append(measure(one.name, one.pids, one.port, one.asked, count, seconds=bench.seconds))
        for rows in turns.values():
            bench.add(sorted(rows, key=lambda row: row.micros)[len(rows) // 2], of=rows)


def rest(bench: Bench) -> None:
    """A REST source: what stands between the caller and the DIV, and what it costs."""
    print("REST source (vehicle by plate, DIV)")
    mock = int(bench.mock_port_text)
    entrants = [Entrant(MOCK, [bench.mock_pid], mock, direct(bench, mock))]
    with bench.hub("rest") as hub, naive(bench, hub) as (pid, port), nginx(bench, mock) as found:
        if found is not None:
            entrants.append(Entrant(NGINX, found[0], found[1], direct(bench, found[1])))
        entrants.append(Entrant(OURS, [hub.pid], hub.port, vehicles(bench, hub.token(), hub.port)))
        entrants.append(Entrant("naive hub", [pid], port, vehicles(bench, hub.token(), port)))
        race(bench, entrants)
    compare(bench, "naive hub", OURS, 16)
    compare(bench, OURS, NGINX, 16)
    added(bench)


def soap(bench: Bench) -> None:
    """A SOAP source without signatures (KBO, UsernameToken)."""
    print("SOAP source, unsigned (enterprise by number, KBO)")
    naive_name = "naive hub, SOAP (zeep)"
    with bench.hub("soap") as hub, naive(bench, hub) as (pid, port), hop(bench) as nginx_hop:
        ours = Entrant("ours, SOAP", [hub.pid], hub.port, enterprises(bench, hub.token(), hub.port))
        theirs = Entrant(naive_name, [pid], port, enterprises(bench, hub.token(), port))
        race(bench, [ours], (1, 64))
        race(bench, [*nginx_hop, ours, theirs], (16,))
    compare(bench, naive_name, "ours, SOAP", 16)
    compare(bench, "ours, SOAP", NGINX, 16)


def signed(bench: Bench) -> None:
    """A SOAP source signed both ways (Rijksregister, P-256)."""
    print("SOAP source, signed both ways (person by number, Rijksregister)")
    with bench.hub("signed") as hub, hop(bench) as nginx_hop:
        ours = Entrant("ours, SOAP signed", [hub.pid], hub.port, persons(bench, hub.token(), hub.port))
        race(bench, [ours], (1, 64))
        race(bench, [*nginx_hop, ours], (16,))
    compare(bench, "ours, SOAP signed", NGINX, 16)


def facade(bench: Bench) -> None:
    """The same question by both façades. A signed message is good once, so this one counts questions, not seconds."""
    print("Façades (vehicle by plate, DIV): REST with a token, SOAP signed both ways (P-256)")
    with bench.hub("facade") as hub:
        sign, number = signed_messages.signer(bench.state / "facade"), iter(range(1_000_000))
        turns: dict[str, list[Figures]] = {"ours, REST": [], "ours, SOAP façade": []}
        for _ in range(bench.turns):
            asked = vehicles(bench, hub.token(), hub.port)
            told = [signed_messages.message(sign, PURPOSE, plate, next(number), hub.port) for plate in bench.plates]
            for (name, rows), requests in zip(turns.items(), (asked, told), strict=True):
                rows.append(measure(name, [hub.pid], hub.port, requests, 1, requests=len(requests)))
        for rows in turns.values():
            bench.add(sorted(rows, key=lambda row: row.micros)[len(rows) // 2], of=rows)
    compare(bench, "ours, SOAP façade", "ours, REST", 1)


def ledger(bench: Bench) -> None:
    """What the durable record costs: the same hub with a ledger that forgets (it exists only here), and the two engines."""
    print("The ledger, on and off")
    off = [sys.executable, "-P", str(HERE / "without_ledger.py")]
    engines: list[tuple[str, dict[str, Any]]] = [("ledger off", {"program": off}), ("ledger SQLite", {})]
    url = postgres()
    if url is not None:
        engines.append(("ledger PostgreSQL", {"ledger": url}))
    with contextlib.ExitStack() as stack:
        entrants = []
        for name, options in engines:
            hub = stack.enter_context(bench.hub(name.replace(" ", "-").lower(), **options))
            entrants.append(Entrant(name, [hub.pid], hub.port, vehicles(bench, hub.token(), hub.port)))
        race(bench, entrants, (16,))
    for name, _ in engines[1:]:
        compare(bench, name, "ledger off", 16)


def scale(bench: Bench) -> None:
    """One process and two, each with its own shard, over a source that costs almost nothing, so that the hub is what is measured."""
    print("One process and two")
    with still(bench) as source:
        if source is None:
            print("  (nginx is not installed: left out)")
            return
        sources = {"div": {"url": f"http://127.0.0.1:{source}"}}
        with bench.hub("one", sources=sources) as one, bench.hub("two", sources=sources) as two:
            for name, hubs, connections in (("one process", [one], 16), ("two processes", [one, two], 32)):
                tokens = {hub.port: vehicles(bench, hub.token(), hub.port)[:1] for hub in hubs}
                bench.add(measure_many(name, hubs, tokens, connections, bench.seconds))
    compare(bench, "two processes", "one process", None, by="rate")
    # On two cores the loads, the source and the clerks (about 160 µs an exchange) take what the second hub would need: the
    # cheaper the hub, the smaller that ratio. What two processes can do with a core each is told by their CPU.
    one, two = (
        next(row for row in reversed(bench.rows) if row.name == name) for name in ("one process", "two processes")
    )
    print(
        f"  = two processes ÷ one process, a core each: {2 * one.micros / two.micros:.2f} (by CPU an exchange)\n",
        flush=True,
    )


def memory(bench: Bench) -> None:
    """Resident memory over 100 000 exchanges."""
    print("Memory over 100 000 exchanges")
    with bench.hub("memory") as hub:
        done = 0
        for target in (10_000, 40_000, 70_000, 100_000):
            requests = vehicles(bench, hub.token(), hub.port)
            row = measure("", [hub.pid], hub.port, requests, 16, requests=target - done)
            done = target
            print(f"  after {target:>7} exchanges: {rss(hub.pid):7.1f} MiB resident  {row.errors}", flush=True)


# Parts that need neither hub nor sources are programs of their own; run one alone for its options.
PROGRAMS = {
    "append": ("The ledger alone: exchanges recorded and published, bytes of each", "ledger.py"),
    "tree": ("The tree: a million leaves", "tree.py"),
    "verify": ("A whole ledger of a million entries verified, one core", "verify.py"),
    "reports": ("Reports over ten years of half a million entries", "reports.py", "--entries", "500000"),
    "alerts": ("Alerts: planted misuse found, false alarms", "alerts.py"),
    "policy": ("Decisions with ten thousand grants", "policy.py"),
}


def program(name: str) -> Callable[[Bench], None]:
    title, file, *options = PROGRAMS[name]

    def part(bench: Bench) -> None:
        print(title, flush=True)
        subprocess.run([sys.executable, "-P", str(HERE / file), *options], check=True)
        print(flush=True)

    return part


PARTS: dict[str, Callable[[Bench], None]] = {
    "rest": rest,
    "soap": soap,
    "signed": signed,
    "facade": facade,
    "ledger": ledger,
    "scale": scale,
    "memory": memory,
    **{name: program(name) for name in PROGRAMS},
}


# --- helpers ----------------------------------------------------------------------------------------------------------


def measure_many(
    name: str, hubs: list[Subject], requests: dict[int, list[bytes]], connections: int, seconds: float
) -> Figures:
    before = cpu([hub.pid for hub in hubs])
    runs = [_load(hub.port, requests[hub.port], connections // len(hubs), 200, {"seconds": seconds}) for hub in hubs]
    results = [json.loads(run.communicate()[0]) for run in runs]
    used = cpu([hub.pid for hub in hubs]) - before
    answers = sum(result["answers"] for result in results)
    return Figures(
        name, connections, used / max(answers, 1) * 1e6, answers / max(result["seconds"] for result in results),
        max(result["p50"] or 0 for result in results), max(result["p99"] or 0 for result in results),
        ",".join(str(result["errors"]) for result in results if result["errors"]),
    )  # fmt: skip


def compare(bench: Bench, over: str, under: str, connections: int | None, *, by: str = "micros") -> None:
    """Ratio of two rows' medians, from this run."""
    pick = lambda name: sorted(
        getattr(row, by) for row in bench.rows if row.name == name and connections in (None, row.connections)
    )
    upper, lower = pick(over), pick(under)
    if upper and lower and lower[len(lower) // 2]:
        print(
            f"  = {over} ÷ {under}: {upper[len(upper) // 2] / lower[len(lower) // 2]:.2f} ({'CPU' if by == 'micros' else 'answers/s'})\n",
            flush=True,
        )


def added(bench: Bench) -> None:
    at_one = {row.name: row.p50 for row in bench.rows if row.connections == 1}
    ours, plain = at_one.get(OURS), at_one.get(MOCK)
    if ours and plain:
        print(f"  = added latency at 1 connection: {ours - plain:.2f} ms p50\n", flush=True)


@contextlib.contextmanager
def naive(bench: Bench, hub: Subject) -> Iterator[tuple[int, int]]:
    port, folder = sandbox.free_port(0), bench.state / f"naive-{hub.name}"
    folder.mkdir()
    with urllib.request.urlopen(f"http://127.0.0.1:{hub.port}/.well-known/jwks.json") as reply:
        jwks = json.load(reply)
    credentials = bench.state / "mock" / "credentials"
    config = {
        "port": port, "jwks": jwks, "audience": f"http://127.0.0.1:{hub.port}", "issuer": f"http://127.0.0.1:{hub.port}/sandbox",
        "div": f"{bench.box.mocks}/div", "div_credentials": json.loads((credentials / "div.json").read_text()),
        "kbo": f"{bench.box.mocks}/kbo/kbopubws180000/services/wsKBOPub", "kbo_credentials": json.loads((credentials / "kbo.json").read_text()),
        "kbo_wsdl": str(next((ROOT / "connectors" / "kbo" / "contract").rglob("*.wsdl"))), "ledger": f"sqlite:///{folder}/naive.db",
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-P", str(HERE / "naive.py"), str(folder / "config.json")]
    process = sandbox.start(bench.box, f"naive-{hub.name}", command, f"http://127.0.0.1:{port}/openapi.json")
    try:
        yield process.pid, port
    finally:
        process.kill()
        process.wait()
        bench.box.processes.remove(process)


@contextlib.contextmanager
def nginx(bench: Bench, upstream: int) -> Iterator[tuple[list[int], int] | None]:
    """A plain reverse proxy in front of the mock, or None where nginx is not installed."""
    location = "location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ''; }"
    with _nginx(bench, f"upstream up {{ server 127.0.0.1:{upstream}; keepalive 64; }}", location) as found:
        yield found


@contextlib.contextmanager
def hop(bench: Bench) -> Iterator[list[Entrant]]:
    """nginx before the mock, as the measure of what a hop costs on this machine; nothing where it is not installed."""
    with nginx(bench, int(bench.mock_port_text)) as found:
        yield [] if found is None else [Entrant(NGINX, found[0], found[1], direct(bench, found[1]))]


@contextlib.contextmanager
def still(bench: Bench) -> Iterator[int | None]:
    """A source that always gives one recorded answer of the DIV mock, from nginx."""
    port = int(bench.mock_port_text)
    request = direct(bench, port)[0]
    path = request.split(b" ")[1].decode()
    token = request.partition(b"Authorization: ")[2].partition(b"\r\n")[0].decode()
    with urllib.request.urlopen(
        urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": token})
    ) as reply:
        (bench.state / "answer.json").write_bytes(reply.read())
    granted = json.dumps({"access_token": "still", "token_type": "Bearer", "expires_in": 3600})
    location = (
        f"location = /oauth/token {{ default_type application/json; return 200 '{granted}'; }}"
        f" location / {{ default_type application/json; root {bench.state}; try_files /answer.json =404; }}"
    )
    with _nginx(bench, "", location) as found:
        yield None if found is None else found[1]


@contextlib.contextmanager
def _nginx(bench: Bench, head: str, location: str) -> Iterator[tuple[list[int], int] | None]:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        yield None
        return
    port = sandbox.free_port(0)
    folder = Path(tempfile.mkdtemp(dir=bench.state))
    (folder / "nginx.conf").write_text(
        f"daemon off; user root; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; events {{ worker_connections 512; }}"
        f" http {{ access_log off; keepalive_requests 1000000; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;"
        f" uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e; {head} server {{ listen 127.0.0.1:{port}; {location} }} }}"
    )
    process = subprocess.Popen(
        [program, "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(0.5)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield [process.pid, *map(int, children)], port
    finally:
        process.terminate()
        process.wait()


def postgres() -> str | None:
    """A database for the bench where PostgreSQL is found: INTEGRATOR_TEST_POSTGRES, else the usual local one."""
    import psycopg

    url = os.environ.get("INTEGRATOR_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
    try:
        with psycopg.connect(url, connect_timeout=2, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS integrator_bench")
            connection.execute("CREATE DATABASE integrator_bench")
    except psycopg.Error:
        return None
    return url.rpartition("/")[0] + "/integrator_bench"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=2.0, help="of load per turn")
    parser.add_argument("--turns", type=int, default=3, help="per row; the one of median CPU is told")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="integrator-bench-") as folder:
        bench = Bench(Path(folder), chosen.seconds, chosen.turns)
        print(
            f"{os.cpu_count()} CPUs · Python {sys.version.split()[0]} · {chosen.turns} turns of {chosen.seconds:g} s a row · CPU is user + system of the process named\n"
        )
        try:
            for part in chosen.only.split(","):
                PARTS[part](bench)
        finally:
            bench.box.stop()


if __name__ == "__main__":
    main()
