#!/bin/sh
# demo_loop.sh [N [ARG...]]: console.py N times (10), a summary at the end. ARGs go to console.py.
n=${1:-10}
[ $# -gt 0 ] && shift
srcdir=${srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
export srcdir
bad=0 i=0
while [ "$i" -lt "$n" ]; do
    i=$((i + 1))
    "${PYTHON3:-python3}" "$srcdir/tests/fault/console.py" "$@" || bad=$((bad + 1))
done
echo "$n runs, $bad with something wrong"
[ "$bad" -eq 0 ]
