#!/usr/bin/env python3
"""make check's share of the examination: the scenarios marked quick, whose verdicts must be right."""
import sys

import exam

if __name__ == "__main__":
    sys.argv[1:] = ["--quick", *sys.argv[1:]]
    sys.exit(exam.main())
