#!/usr/bin/env python3
"""run_for.py SECONDS LOG NAME PROGRAM ARG…: runs a libFuzzer program until it has used that much CPU time; a line in LOG."""
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

seconds, log, name, *command = sys.argv[1:]


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


with tempfile.TemporaryFile() as messages:
    with subprocess.Popen(command, stderr=messages) as fuzzer:
        while fuzzer.poll() is None:
            time.sleep(1)
            if fuzzer.poll() is None and cpu_seconds(fuzzer.pid) >= float(seconds):
                fuzzer.send_signal(signal.SIGINT)  # libFuzzer prints its statistics and ends
                fuzzer.wait()
    size = messages.seek(0, os.SEEK_END)
    messages.seek(max(0, size - 65536))
    text = messages.read().decode(errors="replace")

used = resource.getrusage(resource.RUSAGE_CHILDREN)
runs = re.search(r"number_of_executed_units: (\d+)", text)
cover = re.findall(r"cov: (\d+)", text)
line = (f"{name}: {used.ru_utime + used.ru_stime:.0f} s of CPU, {runs[1] if runs else '?'} executions, "
        f"coverage {cover[-1] if cover else '?'}, exit {fuzzer.returncode}")
print(line)
with open(log, "a", encoding="utf-8") as f:
    f.write(line + "\n")
if fuzzer.returncode not in (0, 72) and "ERROR:" in text:
    print(text[text.index("ERROR:"):])
    sys.exit(1)
