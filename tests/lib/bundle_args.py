#!/usr/bin/env python3
"""Make an OCI runtime bundle run a command without a terminal and without cgroups:  bundle_args.py CONFIG COMMAND…"""
import json, sys

with open(sys.argv[1]) as f:
    config = json.load(f)
config["process"].update(args=sys.argv[2:], terminal=False)
config["linux"]["resources"] = {}
with open(sys.argv[1], "w") as f:
    json.dump(config, f)
