#!/usr/bin/env python3
"""Make an OCI runtime bundle run a command with docker's capabilities, without a terminal and cgroups:

    bundle_args.py CONFIG COMMAND…
"""
import json, sys

CAPABILITIES = ["CAP_" + name for name in (
    "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT",
    "SETFCAP")]

with open(sys.argv[1]) as f:
    config = json.load(f)
config["process"].update(args=sys.argv[2:], terminal=False,
                         capabilities={k: CAPABILITIES for k in ("bounding", "effective", "permitted")})
config["linux"]["resources"] = {}
with open(sys.argv[1], "w") as f:
    json.dump(config, f)
