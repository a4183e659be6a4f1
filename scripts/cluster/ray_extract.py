#!/usr/bin/env python3
"""Extracts a data set on a Ray cluster, a task for each part, and merges the parts. docs/CLUSTER.md tells how to use it.

Start it again to resume. Ctrl-C and `ray job stop` end all parts in good order. The exit code is that of `vidpairs merge`, 2 if a part failed,
130 if it was stopped. Every node needs the program, setpriv (util-linux), and the same paths.
"""
from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time

import ray

INTERRUPTED = 130
LOCKED = "another vidpairs is writing to"
# The process of a lost node may outlive it by seconds, and its lock on a network file system by minutes.
LOCK_PAUSE_SECS, LOCK_LIMIT_SECS = 10, 600
STOP_LIMIT_SECS = 30


class Interrupted(Exception):
    """The process of a part was ended from outside; the part can be resumed on any node."""


def extract(command: list[str]) -> str | None:
    """Runs one part to its end, on a node; returns the reason if it fails."""
    deadline = time.monotonic() + LOCK_LIMIT_SECS
    while True:
        # The kernel stops the program if Ray's worker is gone: nobody would wait for it.
        with subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "--", *command], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, text=True, start_new_session=True) as process:
            try:
                errors = process.communicate()[1].strip()
            except BaseException:  # ray.cancel raises KeyboardInterrupt here
                process.terminate()
                process.wait()
                raise
        if process.returncode == 0:
            return None
        if process.returncode < 0 or process.returncode == INTERRUPTED:
            raise Interrupted(f"the program ended with {process.returncode}")
        if LOCKED not in errors or time.monotonic() > deadline:
            return errors or f"the program ended with exit code {process.returncode}"
        print(f"{errors}; trying again in {LOCK_PAUSE_SECS} s", flush=True)
        time.sleep(LOCK_PAUSE_SECS)


class Progress:
    """One line about all parts: on a terminal always the same one, in a log one a minute."""

    def __init__(self, program: str, out: str) -> None:
        self.command = [program, "status", "-q", "--json", out]
        self.on_terminal = sys.stdout.isatty()
        self.shown_at = -60.0

    def show(self, is_last: bool = False) -> None:
        if not (self.on_terminal or is_last) and time.monotonic() < self.shown_at + 60:
            return
        found = subprocess.run(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if not found.stdout:
            return  # the first part has not begun
        status = json.loads(found.stdout)
        left = status["seconds_left"]
        line = (f"{status['complete']:,} of {status['parts']:,} parts complete, {status['running']:,} running; "
                f"{status['clips_done']:,} of {status['clips'] or 0:,} clips, {status['pairs']:,} pairs, {status['refused']:,} refused; "
                f"{status['clips_per_second']:.1f} clips/s" + (f", {left / 3600:.1f} h left" if left is not None else ""))
        self.shown_at = time.monotonic()
        end = "" if self.on_terminal and not is_last else "\n"
        print(f"\r{line}\033[K" if self.on_terminal else line, end=end, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline", help="pipeline file")
    parser.add_argument("--source", required=True, help="list of `vidpairs list`, or any source")
    parser.add_argument("--out", required=True, help="output folder, shared by all nodes, or URL of an object store")
    parser.add_argument("--parts", required=True, type=int, help="number of parts")
    parser.add_argument("--cpus", type=int, default=1, help="CPU cores, and worker threads, for each part [default: 1]")
    parser.add_argument("--memory", type=int, default=None, metavar="MIB", help="memory that Ray sets aside for each part")
    parser.add_argument("--retries", type=int, default=10, help="how often a part is resumed after the loss of its node [default: 10]")
    parser.add_argument("--scratch", metavar="DIR", help="folder of each node for files of an object store [default: its temporary folder]")
    parser.add_argument("--vidpairs", default="vidpairs", help="the program [default: vidpairs]")
    parser.add_argument("--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="setting of the pipeline (repeatable)")
    return parser.parse_args()


def start(options: argparse.Namespace) -> dict[ray.ObjectRef, str]:
    """Hands all parts to Ray; each task with the name of its part."""
    command = [options.vidpairs, "extract", "-q", options.pipeline, "--source", options.source, "--out", options.out,
               "--workers", str(options.cpus), *(["--scratch", options.scratch] if options.scratch else []), *(word for setting in options.set for word in ("--set", setting))]
    task = ray.remote(num_cpus=options.cpus, memory=options.memory and options.memory << 20, max_retries=options.retries,
                      retry_exceptions=[Interrupted])(extract)
    parts = [f"{index}/{options.parts}" for index in range(options.parts)]
    return {task.options(name=f"part {part}").remote([*command, "--part", part]): part for part in parts}


def wait_for_all(waiting: dict[ray.ObjectRef, str], progress: Progress) -> int:
    """Waits for all tasks, and returns how many failed."""
    num_failed = 0
    while waiting:
        done, _ = ray.wait(list(waiting), num_returns=len(waiting), timeout=5)
        for ref in done:
            part = waiting.pop(ref)
            try:
                reason = ray.get(ref)
            except ray.exceptions.RayError as error:  # its retries are used up, or the node lacks a program
                reason = str(error).strip().splitlines()[-1]
            if reason is not None:
                num_failed += 1
                print(f"\npart {part} failed: {reason}", file=sys.stderr)
        progress.show(is_last=not waiting)
    return num_failed


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    options = arguments()
    ray.init(log_to_driver=True)
    signal.signal(signal.SIGTERM, interrupt)  # `ray job stop`
    waiting = start(options)
    try:
        num_failed = wait_for_all(waiting, Progress(options.vidpairs, options.out))
    except KeyboardInterrupt:
        print("\nstopping all parts; start again to resume", file=sys.stderr)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for ref in waiting:
            ray.cancel(ref)
        ray.wait(list(waiting), num_returns=len(waiting), timeout=STOP_LIMIT_SECS)
        return INTERRUPTED
    if num_failed:
        print(f"{num_failed} of {options.parts} parts failed", file=sys.stderr)
        return 2
    return subprocess.run([options.vidpairs, "merge", options.out]).returncode


if __name__ == "__main__":
    sys.exit(main())
