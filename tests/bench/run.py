"""The ladder's other half: run.sh says what it does and starts it."""
import argparse
import datetime
import hashlib
import json
import os
import platform
import select
import subprocess
import sys
import tempfile
import time
from statistics import median

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "peers"))
from common import rungs as read_rungs  # noqa: E402
from report import COMPILED, EAGER  # noqa: E402
from report import print_processes, print_rung, print_summary  # noqa: E402

BUILD = os.environ.get("MLPL_BUILD", "build/release")
PEERS = os.environ.get("MLPL_PEERS", "")
MLPL = os.path.join(BUILD, "mlpl")
LADDER = os.path.join(HERE, "ladder.lua")
DEBIAN_PYTHON = "/usr/bin/python3"
THREADS = (1, 2)
RUNGS = read_rungs()
ALL_RUNGS = [*RUNGS, "S1", "M1"]


def note(text):
    print(text, file=sys.stderr, flush=True)


# ---- processes that are asked lines ---------------------------------------------------

class Gone(Exception):
    """A worker that died, hung or cannot do what it was asked."""


class Process:
    def __init__(self, command, env=None, timeout=180):
        self.log = tempfile.TemporaryFile()
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=self.log,
                                      env={**os.environ, **(env or {})})
        self.rest = b""
        self.greeting = self.read(timeout)
        if not self.greeting.startswith("ready"):
            self.stop()
            raise Gone(self.greeting)

    def read(self, timeout):
        end = time.monotonic() + timeout
        while b"\n" not in self.rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.child.stdout], [], [], left)[0]:
                raise Gone(f"no answer within {timeout:.0f} seconds")
            got = os.read(self.child.stdout.fileno(), 1 << 16)
            if not got:
                raise Gone(self.last_words())
            self.rest += got
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def last_words(self):
        self.log.seek(0)
        words = self.log.read().decode(errors="replace").strip().splitlines()
        return "it ended" + (": " + words[-1][:200] if words else "")

    def ask(self, line, timeout=180):
        try:
            self.child.stdin.write(line.encode() + b"\n")
            self.child.stdin.flush()
        except OSError:
            raise Gone(self.last_words()) from None
        return self.read(timeout)

    def stop(self):
        self.child.kill()
        self.child.wait()


def peer_env(threads):
    t = str(threads)
    env = {"OMP_NUM_THREADS": t, "OPENBLAS_NUM_THREADS": t, "MKL_NUM_THREADS": t,
           "NPROC": t, "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "",
           "TORCHINDUCTOR_CACHE_DIR": os.path.join(PEERS, "inductor-" + t)}
    if threads == 1:
        env["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    return env


# ---- contestants ----------------------------------------------------------------------

class Contestant:
    """One way of doing a rung with one number of threads."""

    def __init__(self, label, variant, threads, process, question, own):
        self.label, self.variant, self.threads = label, variant, threads
        self.process, self.question, self.own = process, question, own
        self.turns, self.failed = [], None

    def turn(self, seconds):
        try:
            said = self.process.ask(self.question.format(seconds), 120 + 20 * seconds)
            self.turns.append(float(said))
        except Gone as why:
            self.failed = str(why)
            self.process.stop()         # a late answer would be taken for the next one's
        except ValueError as why:
            self.failed = str(why)


# label, variant, worker
PEER_KINDS = {
    "torch": [(EAGER, "default"), (EAGER, "fused"), (COMPILED, "compile"),
              (COMPILED, "compile_all")],
    "jax": [("JAX", "jit")],
    "sklearn": [("scikit-learn", "partial_fit")],
}


class Field:
    """All who take part, their processes and versions, and who stays away and why."""

    def __init__(self, peers):
        self.versions, self.away, self.workers, self.tools = {}, {}, {}, {}
        self.peers = [peer for peer in peers if peer in PEER_KINDS and self.has(peer)]
        self.fann = "fann" in peers and self.has_fann()
        for tool in ("peak", "bandwidth"):
            self.tools[tool] = Process([os.path.join(BUILD, "bench", tool)])
        for peer in self.peers:
            self.start_peer(peer)

    def has(self, peer):
        python = os.path.join(PEERS, "bin", "python3")
        found = os.path.exists(python) and subprocess.run(
            [python, "-c", f"import importlib.util as i, sys; "
             f"sys.exit(not i.find_spec({peer!r}))"]).returncode == 0
        if not found:
            self.away[peer] = "not installed (tests/bench/setup.sh)"
        return found

    def has_fann(self):
        if os.path.exists(os.path.join(BUILD, "bench", "peers_fann")):
            return True
        self.away["fann"] = "not installed (tests/bench/setup.sh)"
        return False

    def start_peer(self, peer):
        python = os.path.join(PEERS, "bin", "python3")
        worker = os.path.join(HERE, "peers", peer + "_worker.py")
        for threads in THREADS:
            try:
                process = Process([python, "-B", "-W", "ignore", worker, str(threads)],
                                  peer_env(threads))
                self.workers[peer, threads] = process
                self.versions[peer] = process.greeting.split(" ", 1)[1]
            except Gone as why:
                self.away[peer] = str(why)

    def own(self, label, command, variant, threads):
        """A contestant with a process for this rung alone, or none."""
        try:
            process = Process(command)
        except Gone as why:
            if "cannot" not in str(why):
                note(f"  {label}: {why}")
            return []
        version = process.greeting[6:].removeprefix("mlpl ")
        self.versions.setdefault(label.split()[0], version)
        return [Contestant(label, variant, threads, process, "{}", True)]

    def of_mlpl(self, rung):
        for kind, label in (("plain", "mlpl"), ("planned", "mlpl planned")):
            for threads in THREADS:
                command = [MLPL, LADDER, rung.name, kind, str(threads), "--serve"]
                yield from self.own(label, command, kind, threads)

    def of_fann(self, rung):
        bench = os.path.join(BUILD, "bench")
        own = os.path.join(bench, "own_fann")
        yield from self.own("FANN", [os.path.join(bench, "peers_fann"), rung.net], "", 1)
        yield from self.own("mlpl C, FANN's job", [own, rung.net], "plain", 1)
        yield from self.own("mlpl C planned, FANN's job", [own, rung.net, "planned"],
                            "planned", 1)

    def of_peer(self, rung, peer):
        for label, variant in PEER_KINDS[peer]:
            for threads in THREADS:
                process = self.workers.get((peer, threads))
                if not process:
                    continue
                try:
                    said = process.ask(f"prepare {rung.name} {variant}", 900)
                except Gone as why:
                    said = str(why)
                    process.stop()
                    del self.workers[peer, threads]
                if said == "ready":
                    question = f"run {rung.name} {variant} {{}}"
                    yield Contestant(label, variant, threads, process, question, False)
                elif threads == 1 and "nothing is trained" not in said:
                    note(f"  {label} {variant}: {said}")

    def contestants(self, rung):
        found = list(self.of_mlpl(rung))
        for peer in self.peers:
            found += self.of_peer(rung, peer)
        if self.fann and rung.name in ("L1", "L2", "L3"):
            found += self.of_fann(rung)
        return found

    def let_go(self, contestants):
        for each in contestants:
            if each.own:
                each.process.stop()
        for (peer, threads), process in list(self.workers.items()):
            try:
                process.ask("drop")
            except Gone as why:
                note(f"{peer} with {threads} threads is out: {why}")
                del self.workers[peer, threads]

    def measure_machine(self, seconds, into):
        for process in self.tools.values():
            for pair in process.ask(str(seconds), 300).split():
                name, value = pair.split("=")
                into.setdefault(name, []).append(float(value))

    def stop(self):
        for process in [*self.workers.values(), *self.tools.values()]:
            process.stop()


# ---- a rung ---------------------------------------------------------------------------

def flops(rung):
    pairs = list(zip(rung.sizes, rung.sizes[1:]))
    products = sum(i * o for i, o in pairs)
    if rung.job == "train":
        products += products + sum(i * o for i, o in pairs[1:])
    return 2 * rung.batch * products


def parameters(rung):
    return sum(i * o + o for i, o in zip(rung.sizes, rung.sizes[1:]))


def optimizer_bytes(rung):
    moved = {"sgd": 3, "momentum": 5, "adam": 7, "-": 0}
    return 4 * parameters(rung) * moved[rung.optimizer]


def machine_figures(turns):
    """Of the turns of a rung: GFLOP/s at best, GB/s of the triad and of reading."""
    middle = {name: median(values) for name, values in turns.items()}
    products = {name: v for name, v in middle.items() if name[:5] in ("ours_", "blis_")}
    best = max(products, key=products.get)
    return {"peak": products[best], "peak_of": best, "triad": middle["triad"],
            "read": max(middle["read_1"], middle["read_2"]),
            "read_1": middle["read_1"], "read_2": middle["read_2"], "all": middle}


def limit(rung, machine):
    """T*, in microseconds: of the products and of the memory."""
    if rung.name == "I1":
        return 0.0, 4e-3 * parameters(rung) / machine["read"]
    products = flops(rung) / machine["peak"] / 1e3
    return products, optimizer_bytes(rung) / machine["triad"] / 1e3


def best_of(contestants):
    """Per label the fastest variant at its better number of threads."""
    best = {}
    for each in contestants:
        if each.turns and not each.failed:
            time_ = median(each.turns)
            if each.label not in best or time_ < best[each.label]["us"]:
                best[each.label] = {"us": time_, "threads": each.threads,
                                    "variant": each.variant}
    return best


def take_turns(field, rung, contestants, options):
    machine = {}
    for round_ in range(options.rounds):
        note(f"{rung.name}: round {round_ + 1} of {options.rounds}")
        field.measure_machine(options.seconds, machine)
        for each in contestants:
            if not each.failed:
                time.sleep(0.02)        # the last one's threads may still look for work
                each.turn(options.seconds)
    return machine


def measure_rung(field, rung, options):
    note(f"{rung.name}: preparing")
    contestants = field.contestants(rung)
    turns = take_turns(field, rung, contestants, options)
    field.let_go(contestants)
    for each in contestants:
        if each.failed:
            note(f"  {each.label} {each.variant} {each.threads}: {each.failed}")
    machine = machine_figures(turns)
    products, memory = limit(rung, machine)
    return {
        "net": rung.net, "batch": rung.batch, "optimizer": rung.optimizer,
        "dropout": rung.dropout, "flops": flops(rung), "parameters": parameters(rung),
        "best": best_of(contestants), "machine": machine,
        "limit_us": products + memory, "limit_products_us": products,
        "limit_memory_us": memory,
        "medians": [{"contestant": each.label, "variant": each.variant,
                     "threads": each.threads, "us": median(each.turns),
                     "turns": each.turns} for each in contestants if each.turns],
    }


# ---- whole processes: S1, M1 ----------------------------------------------------------

def debian_torch():
    test = [DEBIAN_PYTHON, "-c", "import torch; print(torch.__version__)"]
    try:
        run = subprocess.run(test, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return run.stdout.strip() if run.returncode == 0 else None


def process_contestants(field, rung, steps):
    found = {"mlpl": [MLPL, LADDER, rung, "0", "--steps", str(steps)]}
    worker = [os.path.join(HERE, "peers", "torch_worker.py"), "0", "once", rung,
              str(steps)]
    version = debian_torch()
    if version:
        found["Debian's PyTorch"] = [DEBIAN_PYTHON, "-B", *worker]
        field.versions["Debian's torch"] = version
    else:
        field.away["python3-torch"] = "not installed (setup.sh --with-debian-torch)"
    if "torch" in field.peers:
        found["PyTorch of pip"] = [os.path.join(PEERS, "bin", "python3"), "-B", *worker]
    return found


def run_process(command):
    """Milliseconds from start to end, and the KiB that it says on its last line."""
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          close_fds=False, check=True, env=env)
    took = 1e3 * (time.perf_counter() - start)
    return took, int(done.stdout.split()[0])


def measure_processes(field, name, options):
    commands = process_contestants(field, *{"S1": ("L3", 1), "M1": ("L5", 640)}[name])
    times, memory = {}, {}
    for command in commands.values():
        run_process(command)            # the files are read once before
    for round_ in range(options.rounds if name == "S1" else min(options.rounds, 3)):
        note(f"{name}: round {round_ + 1}")
        for label, command in commands.items():
            for _ in range(5 if label == "mlpl" and name == "S1" else 1):
                took, kib = run_process(command)
                times.setdefault(label, []).append(took)
                memory.setdefault(label, []).append(kib)
    return {"ms": {k: median(v) for k, v in times.items()},
            "KiB": {k: median(v) for k, v in memory.items()}}


# ---- the same bits --------------------------------------------------------------------

BIT_STEPS = {"L1": 640, "L2": 640, "L3": 640, "L4": 200, "L5": 100, "L6": 70, "L7": 6,
             "L8": 12, "I1": 1, "I2": 1}


def checksum(name, kind, threads, steps):
    """Of the weights (I1, I2: the outputs) after some steps; None: no such loop."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "weights")
        subprocess.run([MLPL, LADDER, name, kind, str(threads), "--save", path,
                        str(steps)], stdout=subprocess.DEVNULL, check=True)
        if not os.path.exists(path):
            return None
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()


def bits_of(name, steps):
    sums = {}
    for kind in ("plain", "planned"):
        for threads in (1, 2, 3, 4, 8):
            found = checksum(name, kind, threads, steps)
            if found:
                sums[f"{kind}, {threads} threads"] = found
    return sums


def compare_bits(options):
    earlier = {}
    if options.against:
        with open(options.against) as file:
            earlier = json.load(file)["bits"]
    results, failed = {}, False
    for name in options.rungs:
        if name not in RUNGS:
            continue
        steps = options.steps or BIT_STEPS[name]
        sums = bits_of(name, steps)
        first = sums["plain, 1 threads"]
        others = [label for label, each in sums.items() if each != first]
        said = "differ: " + "; ".join(others) if others else "the same"
        before = earlier.get(name)
        if before and before["steps"] == steps:
            said += ", as before" if before["sha256"] == first else ", NOT as before"
        failed |= bool(others)
        print(f"{name}: {steps} steps, {len(sums)} runs: {said}  {first[:16]}",
              flush=True)
        results[name] = {"steps": steps, "sha256": first, "runs": sums}
    return results, failed


# ---- the command ----------------------------------------------------------------------

def machine():
    with open("/proc/cpuinfo") as lines:
        model = next((line.split(":")[1].strip() for line in lines
                      if line.startswith("model name")), platform.machine())
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "?")
    return {"processor": model, "processors": os.cpu_count(),
            "kernel": platform.release(), "system": system,
            "load_at_start": os.getloadavg()[0]}


def commit():
    run = subprocess.run(["git", "-C", HERE, "describe", "--always", "--dirty"],
                         capture_output=True, text=True, check=False)
    return run.stdout.strip() or None


def parse():
    parser = argparse.ArgumentParser(prog="run.sh", allow_abbrev=False)
    parser.add_argument("--rungs", default=",".join(ALL_RUNGS))
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--peers", default="torch,jax,sklearn,fann")
    parser.add_argument("--json")
    parser.add_argument("--bits", action="store_true")
    parser.add_argument("--against")
    parser.add_argument("--steps", type=int)
    options = parser.parse_args()
    options.rungs = options.rungs.split(",")
    options.peers = [] if options.peers == "none" else options.peers.split(",")
    for name in options.rungs:
        if name not in ALL_RUNGS:
            parser.error(f"there is no rung {name}; there are {', '.join(ALL_RUNGS)}")
    for peer in options.peers:
        if peer not in ("torch", "jax", "sklearn", "fann"):
            parser.error(f"there is no peer {peer}")
    return options


def write_json(path, record):
    with open(path, "w") as file:
        json.dump(record, file, indent=1)
        file.write("\n")


def race(options, record):
    results, field = record["rungs"], Field(options.peers)
    record["versions"], record["away"] = field.versions, field.away
    for name in options.rungs:
        if name in RUNGS:
            results[name] = measure_rung(field, RUNGS[name], options)
            print_rung(name, results[name])
        else:
            results[name] = measure_processes(field, name, options)
            print_processes(name, results[name])
    field.stop()
    record["targets"] = print_summary(results, field.versions, field.away)


def main():
    options = parse()
    record = {"command": "sh tests/bench/run.sh " + " ".join(sys.argv[1:]),
              "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
              "machine": machine(), "commit": commit(), "rungs": {}}
    print(record["command"])
    print(", ".join(f"{k} {v}" for k, v in record["machine"].items()))
    failed = False
    if options.bits:
        record["bits"], failed = compare_bits(options)
    else:
        race(options, record)
    if options.json:
        write_json(options.json, record)
    return 1 if failed else 0


sys.exit(main())
