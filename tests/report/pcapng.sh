#!/bin/bash
# The report as pcapng, read by tshark: the section's comment, a comment at each reset the JSON report
# tells of and at no packet that nothing is said of, the packets themselves unchanged.
set -u
bin=$builddir/rstconsole
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
fail() { echo "FAIL $*" >&2; bad=1; }
command -v tshark >/dev/null || { echo "left out: no tshark"; exit 77; }
export XDG_DATA_HOME=$work LC_ALL=C
"${PYTHON3:-python3}" "$srcdir/tests/screen/make_pcap.py" "$work/made.pcap" || exit 1
set -- "$work/made.pcap"
if [ -d "${CORPUS:-/nonexistent}/rst" ]; then
    set -- "$@" $(ls "$CORPUS"/rst/*.pcap | awk 'NR % 90 == 0')
fi
for file; do
    "$bin" -b -r "$file" --format pcapng >"$work/out.pcapng" 2>/dev/null
    "$bin" -b -r "$file" --format json >"$work/out.json" 2>/dev/null
    tshark -n -r "$work/out.pcapng" -T fields -e frame.number -e frame.comment \
        >"$work/comments" 2>"$work/err" || fail "$file: tshark: $(cat "$work/err")"
    "${PYTHON3:-python3}" - "$work" <<'PY' || fail "$file: comments"
import json, sys
work = sys.argv[1]
report = json.load(open(work + "/out.json"))
said = {}
for line in open(work + "/comments", encoding="utf-8"):
    number, _, comment = line.rstrip("\n").partition("\t")
    if number.isdigit():
        said[int(number)] = comment
resets = {r["packet"]: r for r in report["resets"] if r["packet"]}
for packet, r in resets.items():
    if "#%d" % r["id"] not in said.get(packet, ""):
        sys.exit("packet %d says nothing of reset %d" % (packet, r["id"]))
    if r["verdicts"] and r["verdicts"][0]["cause"] not in said[packet]:
        sys.exit("packet %d does not name %s" % (packet, r["verdicts"][0]["cause"]))
for packet, comment in said.items():
    if comment and packet not in resets and "reset #" not in comment:
        sys.exit("packet %d: %s" % (packet, comment[:60]))
if any(resets) and not any(said.values()):
    sys.exit("no comment at all")
PY
    tshark -n -r "$file" -T fields -e frame.len -e frame.cap_len >"$work/a" 2>/dev/null
    tshark -n -r "$work/out.pcapng" -T fields -e frame.len -e frame.cap_len >"$work/b" 2>/dev/null
    cmp -s "$work/a" "$work/b" || fail "$file: other packets"
done
"$bin" -b -r "$work/made.pcap" --format pcapng >"$work/out.pcapng"
capinfos -k "$work/out.pcapng" 2>/dev/null | grep -q rstconsole || fail "no comment of the section"
echo "$# captures"
exit $bad
