#!/usr/bin/env python3
"""Captures of the fault lab, kept: what the console says of each must still be the scenario's truth."""
import glob
import json
import os
import subprocess
import sys

import exam
import lab

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    wrong, paths = 0, sorted(glob.glob(os.path.join(HERE, "captures/*.pcapng")))
    for path in paths:
        s = exam.load(os.path.basename(path)[:-7])
        done = subprocess.run([lab.program("rstconsole"), "-b", "--format", "json", "-r", path],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        report = json.loads(done.stdout)
        addr = lab.SERVER6 if s.get("v6") is True else lab.SERVER
        a = exam.answer(s, "file", 0, report, {"addr": addr}, 0)
        if not a["top1"] or a["false_alarm"] or a["missed"] or a["confirmed_wrong"] or \
                a.get("sender_right") is False:
            wrong += 1
            print("not ok:", exam.tables.line(a))
    print(f"{wrong} wrong of {len(paths)} captures")
    return 1 if wrong or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
