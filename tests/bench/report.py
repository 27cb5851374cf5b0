"""What the ladder prints, and the targets it is judged by. Used by run.py."""
import sys
from statistics import median

EAGER, COMPILED = "PyTorch eager", "torch.compile"
FANN_JOB = ("FANN", "mlpl C, FANN's job", "mlpl C planned, FANN's job")


def print_rung(name, result):
    title = f"{name}: {result['net']}, batch {result['batch']}"
    if result["optimizer"] != "-":
        title += ", " + result["optimizer"]
    if result["dropout"]:
        title += f", dropout {result['dropout']}"
    print(f"\n{title}")
    best = result["best"]
    ours = best.get("mlpl", {}).get("us")
    print(f"  {'':28}{'us/step':>12}  {'threads':>7}  {'mlpl is':>9}")
    for label, each in best.items():
        base = best.get(FANN_JOB[1], {}).get("us") if label in FANN_JOB else ours
        times = f"{each['us'] / base:8.2f}x" if base else ""
        print(f"  {label:28}{each['us']:12.2f}  {each['threads']:7}  {times}  "
              f"{each['variant'] if label in (EAGER, COMPILED) else ''}")
    if ours:
        m = result["machine"]
        print(f"  {'T*':28}{result['limit_us']:12.2f}           "
              f"{ours / result['limit_us']:8.2f} T*  "
              f"({m['peak']:.0f} GFLOP/s, {m['triad']:.1f} GB/s, "
              f"read {m['read']:.1f} GB/s; "
              f"mlpl: {share_of_peak(result):.0%} of peak)")
    sys.stdout.flush()


def share_of_peak(result, label="mlpl"):
    return result["flops"] / result["best"][label]["us"] / 1e3 / result["machine"]["peak"]


def print_processes(name, result):
    print("\nS1: a process that makes one step of L3" if name == "S1" else
          "\nM1: peak of resident memory, 640 steps of L5")
    unit, scale = ("ms", 1) if name == "S1" else ("KiB", 1024)
    ours = result[unit]["mlpl"]
    for label, value in result[unit].items():
        shown = f"{value / scale:10.1f} {'ms' if name == 'S1' else 'MiB'}"
        print(f"  {label:24}{shown}   {value / ours:7.1f}x")


# ---- the targets of the issue ---------------------------------------------------------

class Targets:
    def __init__(self):
        self.rows = []

    def add(self, what, value, goal, at_most=False):
        """value None: not measured."""
        met = None if value is None else value <= goal if at_most else value >= goal
        self.rows.append({"target": what, "value": value, "goal": goal,
                          "at_most": at_most, "met": met})

    def show(self):
        print("\nTargets")
        for row in self.rows:
            goal = f"{'at most' if row['at_most'] else 'at least'} {row['goal']:g}"
            if row["value"] is None:
                verdict = "not measured"
            elif row["met"]:
                verdict = f"{row['value']:.3g}  met"
            else:
                off = row["value"] / row["goal"] - 1
                verdict = f"{row['value']:.3g}  missed by {abs(off):.0%}"
            print(f"  {row['target']:54}{goal:16}{verdict}")


def ratio(result, peers, ours="mlpl"):
    """How many times as fast as the fastest of peers; None without one of the sides."""
    best = result["best"]
    theirs = [best[peer]["us"] for peer in peers if peer in best]
    return min(theirs) / best[ours]["us"] if theirs and ours in best else None


EAGER_GOALS = {"L1": 30, "L2": 20, "L3": 8, "L4": 2.5, "L5": 1.6, "L6": 1.5, "L7": 1.15,
               "L8": 1.15, "I1": 2.5, "I2": 1.1}
PLANNED_GOALS = {"L1": 80, "L2": 25, "L3": 9}


def judge_rung(targets, name, r):
    targets.add(f"{name}: times PyTorch eager", ratio(r, [EAGER]), EAGER_GOALS[name])
    if name in PLANNED_GOALS:
        targets.add(f"{name}: planned step, times PyTorch eager",
                    ratio(r, [EAGER], "mlpl planned"), PLANNED_GOALS[name])
        own = [ratio(r, ["FANN"], label) for label in FANN_JOB[1:]]
        own = [each for each in own if each]
        targets.add(f"{name}: C API, times FANN on its job", max(own, default=None), 1)
    if name in ("L4", "L5", "L6"):
        targets.add(f"{name}: times the best of torch.compile and JAX",
                    ratio(r, [COMPILED, "JAX"]), 1.2)
    if "mlpl" not in r["best"]:
        return
    if name in ("L4", "L5", "L6", "L7", "L8"):
        targets.add(f"{name}: in T*", r["best"]["mlpl"]["us"] / r["limit_us"], 1.4, True)
    if name in ("L7", "I2"):
        goal = 0.75 if name == "L7" else 0.85
        targets.add(f"{name}: share of the product peak", share_of_peak(r), goal)
    if name == "I1":
        targets.add("I1: share of the read bandwidth of its weights",
                    r["limit_us"] / r["best"]["mlpl"]["us"], 0.7)


def judge_processes(targets, results):
    if "S1" in results:
        ms = results["S1"]["ms"]
        other = ms.get("Debian's PyTorch")
        targets.add("S1: milliseconds", ms["mlpl"], 15, True)
        targets.add("S1: times Debian's PyTorch", other and other / ms["mlpl"], 60)
    if "M1" in results:
        kib = results["M1"]["KiB"]
        other = kib.get("Debian's PyTorch")
        targets.add("M1: share of Debian's PyTorch", other and kib["mlpl"] / other, 0.1,
                    True)


def judge(results):
    targets = Targets()
    for name, result in results.items():
        if "best" in result:
            judge_rung(targets, name, result)
    judge_processes(targets, results)
    return targets


# ---- the summary: a table to paste ----------------------------------------------------

def shown(value, form="{:.3g}", nothing="-"):
    return nothing if value is None else form.format(value)


def number(us):
    if us is None:
        return "-"
    return f"{us:.2f}" if us < 10 else f"{us:.1f}" if us < 1000 else f"{us:.0f}"


def print_table(results):
    names = [name for name, r in results.items() if "best" in r]
    if not names:
        return
    labels = ["mlpl", "mlpl planned", EAGER, COMPILED, "JAX", "scikit-learn"]
    present = [each for each in labels if any(each in results[n]["best"] for n in names)]
    head = ["rung", *[label + ", us" for label in present], "times eager",
            "planned, times eager", "T*, us", "in T*", "share of peak"]
    print("\n| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for name in names:
        r = results[name]
        best = {label: each["us"] for label, each in r["best"].items()}
        in_limit = best["mlpl"] / r["limit_us"] if "mlpl" in best else None
        row = [name, *[number(best.get(label)) for label in present],
               shown(ratio(r, [EAGER])), shown(ratio(r, [EAGER], "mlpl planned")),
               number(r["limit_us"]), shown(in_limit),
               shown(share_of_peak(r) if "mlpl" in best else None, "{:.0%}")]
        print("| " + " | ".join(row) + " |")


def print_fann_table(results):
    labels = [each for each in FANN_JOB if any(each in r.get("best", {})
                                               for r in results.values())]
    if labels:
        print("\n| FANN's job, us a sample | " + " | ".join(labels) + " |\n|" +
              " --- |" * (1 + len(labels)))
    for name, r in results.items():
        best = {k: v["us"] for k, v in r.get("best", {}).items() if k in labels}
        if best:
            row = [r["net"], *[number(best.get(label)) for label in labels]]
            print("| " + " | ".join(row) + " |")


def print_machine(results):
    turns = [r["machine"] for r in results.values() if "best" in r]
    if turns:
        names = ("peak", "triad", "read_1", "read_2")
        peak, triad, one, two = (median(m[name] for m in turns) for name in names)
        print(f"\nproduct peak {peak:.0f} GFLOP/s ({turns[-1]['peak_of']}), triad "
              f"{triad:.1f} GB/s, reading I1's weights {one:.0f} GB/s on one thread, "
              f"{two:.0f} on all (medians of the rungs' own figures)")


def print_summary(results, versions, away):
    """All that follows the rungs; gives the targets, judged."""
    for peer, why in away.items():
        print(f"\nwithout {peer}: {why}")
    print_machine(results)
    print("\n" + ", ".join(f"{k} {v}" for k, v in versions.items()))
    print_table(results)
    print_fann_table(results)
    targets = judge(results)
    targets.show()
    return targets.rows
