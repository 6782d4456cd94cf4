#!/usr/bin/env python3
"""Times `xunjian audit` over a folder of packages against two yardsticks, in one run.

    python3 benches/peers.py FOLDER [--rounds 3]

Yardsticks, each a whole process of one thread over the same files:
  inflate    every entry inflated once with zlib (Python's zipfile; its loop costs little beside zlib)
  androguard manifest, strings and class names (PyPI androguard; left out where it is not installed)
The three take turns round by round, so that a drift of the machine's speed hits all alike; the
ratios of the same round are what counts. Prints seconds, peak memory and ratios; judges nothing.
"""
import argparse
import os
import statistics
import subprocess
import sys

INFLATE = """
import sys, zipfile
total = 0
for path in sys.argv[1:]:
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        continue
    for info in archive.infolist():
        try:
            with archive.open(info) as entry:
                while chunk := entry.read(1 << 20):
                    total += len(chunk)
        except Exception:
            pass
print(total)
"""

ANDROGUARD = """
import sys
from loguru import logger
logger.remove()
from androguard.core.apk import APK
from androguard.core.dex import DEX
for path in sys.argv[1:]:
    try:
        apk = APK(path)
        apk.get_permissions(), apk.get_activities()
        for dex in apk.get_all_dex():
            parsed = DEX(dex)
            len(parsed.get_strings()), len(parsed.get_classes_names())
    except Exception as error:
        print(path, error)
"""


def packages(folder):
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            if name.endswith((".apk", ".xapk", ".apks", ".aab", ".hap", ".ipa")):
                yield os.path.join(root, name)


def timed(command, threads):
    """User plus system seconds, wall seconds and peak memory in MB of one process."""
    before = os.times()
    env = dict(os.environ, RAYON_NUM_THREADS=str(threads))
    pid = os.posix_spawn(
        command[0], command, env,
        file_actions=[(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (1, 2)],
    )
    _, _, usage = os.wait4(pid, 0)
    wall = os.times().elapsed - before.elapsed
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--xunjian", default="target/release/xunjian")
    options = parser.parse_args()
    files = list(packages(options.folder))
    python = sys.executable
    contestants = {
        "xunjian": [options.xunjian, "audit", *files, "--format", "jsonl"],
        "inflate": [python, "-c", INFLATE, *files],
    }
    if subprocess.run([python, "-c", "import androguard"], capture_output=True).returncode == 0:
        contestants["androguard"] = [python, "-c", ANDROGUARD, *files]
    else:
        print("androguard is not installed here: left out")
    results = {name: [] for name in contestants}
    for _ in range(options.rounds):
        for name, command in contestants.items():
            results[name].append(timed(command, threads=1))
    print(f"{len(files)} files, {sum(map(os.path.getsize, files)) / 1e6:.0f} MB, {options.rounds} rounds, one thread each")
    for name, runs in results.items():
        cpu, wall, memory = (statistics.median(column) for column in zip(*runs))
        print(f"{name:11} cpu {cpu:7.2f} s  wall {wall:7.2f} s  peak {memory:6.0f} MB")
    for name in results:
        if name != "xunjian":
            ratios = [ours[1] / theirs[1] for ours, theirs in zip(results["xunjian"], results[name])]
            print(f"xunjian / {name}: {statistics.median(ratios):.3f} of its wall time ({1 / statistics.median(ratios):.1f} times as fast)")


main()
