#!/bin/bash
# The real binary: what it says and how it ends (design.md 5). Loopback only.
set -u
bin=$builddir/rstconsole
tmp=$(mktemp -d) || exit 1
child=
trap '[ -n "$child" ] && kill "$child" 2>/dev/null; rm -rf "$tmp"' EXIT
export HOME=$tmp XDG_DATA_HOME=$tmp/data LC_ALL=C.UTF-8
unset SUDO_UID PKEXEC_UID
fails=0 n=0

fail() {
    echo "FAIL $name: $*"
    sed 's/^/    stderr: /' "$tmp/err" | head -5
    fails=$((fails + 1))
}
# run NAME STATUS STDERR-PATTERN ARG... : '' = nothing on stderr, '*' = anything
run() {
    name=$1 status=$2 pattern=$3
    shift 3
    n=$((n + 1))
    "$bin" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    got=$?
    ended
}
ended() {
    [ "$got" = "$status" ] || fail "exit status $got, not $status"
    case $pattern in
    '') [ ! -s "$tmp/err" ] || fail "stderr is not empty" ;;
    '*') ;;
    *) grep -q -e "$pattern" "$tmp/err" || fail "no '$pattern' on stderr" ;;
    esac
}
says() { grep -q -e "$1" "$tmp/out" || fail "no '$1' on stdout"; }
silent() { [ ! -s "$tmp/out" ] || fail "stdout is not empty"; }
json() { "$PYTHON3" -c "import json,sys; d=json.load(open('$tmp/out')); sys.exit(0 if ($1) else 1)" ||
    fail "the report does not hold: $1"; }

"$PYTHON3" - "$srcdir" "$tmp" <<'EOF' || exit 1
import sys
sys.path.insert(0, sys.argv[1] + "/tests/report")
import crafted
for name, data in crafted.captures():
    open(sys.argv[2] + "/" + name, "wb").write(data)
good = dict(crafted.captures())["refused.pcap"]
open(sys.argv[2] + "/torn.pcap", "wb").write(good[:-7])
open(sys.argv[2] + "/torn.pcapng", "wb").write(bytes.fromhex("0a0d0d0a"))
open(sys.argv[2] + "/nothing.pcap", "wb").write(b"")
open(sys.argv[2] + "/words.txt", "wb").write(b"this is no capture\n" * 10)
open(sys.argv[2] + "/oddlink.pcap", "wb").write(good[:20] + (147).to_bytes(4, "little") + good[24:])
EOF
cd "$tmp" || exit 1

# ---- help and usage
run help 0 '' --help
says 'Usage: rstconsole'
awk 'length > 90 { exit 1 }' out || fail "help is wider than 90 columns"
run version 0 '' -V
says '^rstconsole [0-9]'
run causes 0 '' --list-causes
says 'port-closed'
run explain 0 '' --explain port-closed
says 'How to confirm'
run explain-unknown 2 'list-causes' --explain no-such-cause
run doctor 0 '' --doctor
says 'sock_diag.*available'
says 'of .* processes'
run unknown-long 2 'no-such-option' --no-such-option
grep -q -e --help err || fail "no usage hint"
run unknown-short 2 'unknown option: -Z' -Z
run no-value 2 'needs a value' -b -r
run no-terminal 2 'terminal'
run no-playbook 2 'elasticsearch, s3' -b -P es tcp://127.0.0.1:1
run explain-errno 0 '' --explain econnreset
run explain-playbook 0 '' --explain elasticsearch
says 'max_content_length'
run bad-time 2 'interval' -b --interval soon tcp://127.0.0.1:1
run bad-count 2 'not a number' -b -c many tcp://127.0.0.1:1
run bad-format 2 'format' -b --format pdf -r refused.pcap
run bad-tls 2 'TLS version' -b --tls-min 9 tcp://127.0.0.1:1
run tls-order 2 'above' -b --tls-min 1.3 --tls-max 1.2 tcp://127.0.0.1:1
run both-families 2 'exclude' -b -4 -6 tcp://127.0.0.1:1
run read-and-capture 2 'one of them' -b -r refused.pcap -i lo
run read-and-target 2 'no targets' -b -r refused.pcap tcp://127.0.0.1:1
run demo-and-target 2 'own targets' -b --demo tcp://127.0.0.1:1
run filter-uncaptured 2 'nothing is captured' -b -i none -f 'tcp' tcp://127.0.0.1:1
run command-and-target 2 'COMMAND' -b tcp://127.0.0.1:1 -- true
run zero-interval 2 'above 0' -b --interval 0 tcp://127.0.0.1:1
run zero-timeout 2 'above 0' -b --timeout 0 tcp://127.0.0.1:1
run bad-theme 2 'high-contrast' -b --theme nice tcp://127.0.0.1:1
run several 2 '--interface, --interval' -b --in 3
run no-value-taken 2 'takes no value' --help=all
run empty-value 2 'is empty' -b -r ''
run packets-to-stdout 2 'stdout' -b -w - tcp://127.0.0.1:1
run bad-method 2 'method' -b -i none -X 'GE T' http://127.0.0.1:1/
run bad-connect-to 2 'port' -b -i none --connect-to 127.0.0.1 tcp://127.0.0.1:1
run wrong-family 2 'IPv6' -b -i none -6 tcp://127.0.0.1:1
run no-such-source 3 'no interface or address' -b -i none --source no-such-if tcp://127.0.0.1:1
run foreign-source 3 'no address of this host' -b -i none --source 192.0.2.9 tcp://127.0.0.1:1
run source-family 2 'family' -b -i none --source ::1 tcp://127.0.0.1:1
run no-cacert 3 'absent.pem' -b -i none --cacert absent.pem tcp://127.0.0.1:1
run bad-cacert 3 'no certificate' -b -i none --cacert words.txt tcp://127.0.0.1:1
run bad-header 2 'header' -b -H nonsense http://127.0.0.1:1/
run bad-target 2 '.' -b -i none 'http://user:secret@127.0.0.1/'
grep -q secret err && fail "the password is repeated"
run hyphen 2 'no host name' -b -i none -
run bad-port 2 '.' -b -i none tcp://127.0.0.1:99999
run console-format 2 'batch' --format json tcp://127.0.0.1:1

# ---- filters: libpcap's own words, and where it went wrong
run bad-filter 2 'filter:' -b -r refused.pcap -f 'tcp port 80 adn host 1.2.3.4'
grep -q '~^' err || fail "the part that compiles is not marked"
silent
run good-filter 0 '' -b -r refused.pcap --format json -f 'udp'
json 'd["vantage"]["packets"] == 0 and d["resets"] == []'

# ---- files
run refused 1 '' -b -r refused.pcap --format json
json 'd["resets"][0]["stage"] == "syn" and d["resets"][0]["verdicts"][0]["cause"] == "port-closed"'
json 'd["started"] == "2023-11-14T22:13:20.000000000Z" and d["vantage"]["capture"] == "file"'
run text 1 '' -b -r refused.pcap
says 'What hurt'
run markdown 1 '' -b -r refused.pcap --format markdown
says '^## What hurt'
run lines 1 '' -b -r refused.pcap --format jsonl --flows
"$PYTHON3" -c "import json; d=[json.loads(l) for l in open('out')]
assert [x['type'] for x in d] == ['vantage', 'reset', 'flow', 'summary'], d" || fail "not the lines it should be"
run flows 1 '' -b -r refused.pcap --format json --flows
json 'd["flows"][0]["conn_state"] == "REJ"'
run empty-capture 0 '' -b -r empty.pcap --format json
run close 0 '' -b -r close.pcap --format json
run empty-file 3 'nothing.pcap' -b -r nothing.pcap
silent
run torn 0 '*' -b -r torn.pcap --format json
json 'd["vantage"]["packets"] == 1 and d["vantage"]["truncated"] == 1'
grep -q 'cut in the middle of packet 2' err || fail "it is not said where it is cut"
grep -q 'torn.pcap.*torn.pcap' err && fail "the name is said twice"
run torn-header 3 'cut inside the header' -b -r torn.pcapng
run no-capture 3 'words.txt' -b -r words.txt
run odd-link 3 'link type' -b -r oddlink.pcap
run directory 3 '.' -b -r "$tmp"
run absent 3 'absent.pcap' -b -r absent.pcap
if [ "$(id -u)" != 0 ]; then
    cp refused.pcap secret.pcap && chmod 0 secret.pcap
    run unreadable 3 'secret.pcap' -b -r secret.pcap
fi
name=stdin status=1 pattern='' n=$((n + 1))
"$bin" -b -r - --format json <refused.pcap >out 2>err
got=$?
ended
json 'd["vantage"]["packets"] == 2'
[ ! -e data ] || fail "-r alone kept a session"

# ---- the report's way out
run output-file 1 '' -b -r refused.pcap -o report.json --format json
silent
cp report.json out && json 'd["summary"]["harmful_resets"] == 1'
[ "$(stat -c %a report.json)" = 600 ] || fail "the report's mode is not 0600"
run output-nowhere 3 'no/such' -b -r refused.pcap -o no/such/dir
run output-directory 3 'directory' -b -i none -o "$tmp" tcp://127.0.0.1:1
cp refused.pcap kept.pcap
run output-is-input 2 'overwritten' -b -r kept.pcap -o kept.pcap
run packets-are-input 2 'overwritten' -b -r kept.pcap -w ./kept.pcap
cmp -s refused.pcap kept.pcap || fail "the capture that was read is gone"
run output-is-packets 2 'one file' -b -r refused.pcap -o same -w same
mkfifo pipe || exit 1
cat pipe >out &
run_pipe=$!
run output-pipe 1 '' -b -r refused.pcap -o pipe --format json
wait "$run_pipe"
[ -p pipe ] || fail "the pipe was replaced by a file"
ln -s linked link && echo old >linked
run output-link 1 '' -b -r refused.pcap -o link
[ -L link ] && grep -q 'What hurt' linked || fail "the link was replaced"
name=stdout-closed status=3 pattern='stdout' n=$((n + 1))
"$bin" -b -r many.pcap --format json >&- 2>err
got=$?
ended
name=stdout-gone status=3 pattern='stdout' n=$((n + 1))
{ "$bin" -b -r many.pcap --format json 2>err; echo $? >got; } | head -c 1 >/dev/null
got=$(cat got)
ended
if [ -w /dev/full ]; then
    name=disk-full status=3 pattern='No space' n=$((n + 1))
    "$bin" -b -r many.pcap >/dev/full 2>err
    got=$?
    ended
fi
run copy 1 '' -b -r refused.pcap -w copy.pcapng --format json
cp out first
run copy-read 1 '' -b -r copy.pcapng --format json
json 'd["resets"] == json.load(open("first"))["resets"]'

# ---- the lines of a log
cat >app.log <<'EOL'
2026-11-22T14:05:12Z read tcp 10.0.0.2:1->10.0.0.7:9200: read: connection reset by peer duration=60s
2026-11-22T14:07:12Z read tcp 10.0.0.2:2->10.0.0.7:9200: read: connection reset by peer duration=60s
2026-11-22T14:09:12Z read tcp 10.0.0.2:3->10.0.0.7:9200: read: connection reset by peer duration=60s
all is well
2026-11-22T14:09:13Z Get "https://bob:hunter2@api.lan/": EOF password=hunter2 Authorization: Bearer hunter2
EOL
run log 1 '' -b --log app.log --format json --save
json 'len(d["log"]) == 2 and d["log"][0]["lines"] == 3 and d["log"][0]["host"] == "10.0.0.7"'
json '"log-same-age" in [f["kind"] for s in d["log"][0]["checklist"] for f in s["facts"]] + [f["kind"] for v in d["log"][0]["verdicts"] for f in v["for"]]'
json 'd["resets"] == [] and d["log"][0]["verdicts"]'
cp out first
dir=$(echo "$XDG_DATA_HOME"/rstconsole/sessions/*)
grep -rq hunter2 "$dir" out && fail "a password of the log was kept"
run log-session 1 '' -b -r "$dir" --format json
json 'd["log"] == json.load(open("first"))["log"]'
rm -rf "$XDG_DATA_HOME"
run log-text 1 '' -b --log app.log
says 'connection reset while waiting for the response'
run log-lines 1 '' -b --log app.log --format jsonl
says '"type":"log"'
run log-quiet 0 'no line of 10 tells' -b --log words.txt -r close.pcap --format json
json 'd["log"] == []'
run log-absent 3 'absent.log' -b --log absent.log
run log-twice 2 'stdin' -b --log - -r -
name=log-stdin status=1 pattern='' n=$((n + 1))
"$bin" -b --log - --format json <app.log >out 2>err
got=$?
ended
json 'len(d["log"]) == 2'
[ ! -e data ] || fail "--log alone kept a session"

# ---- a session of a file, read again
run save 1 '' -b -r hello.pcap --save --format json
cp out first
dir=$(echo "$XDG_DATA_HOME"/rstconsole/sessions/*)
[ -s "$dir/report.txt" ] && [ -s "$dir/report.md" ] && [ -s "$dir/report.json" ] ||
    fail "no reports beside the session"
[ "$(stat -c %a "$dir")" = 700 ] || fail "the session's mode is not 0700"
[ ! -e "$dir/lock" ] || fail "the lock is left behind"
run session 1 '' -b -r "$dir" --format json
cmp -s first out || fail "the session reads differently"
run session-file 1 '' -b -r "$dir/session.jsonl" --format json
head -c -9 "$dir/session.jsonl" >t && cat t >"$dir/session.jsonl"
run session-torn 1 '' -b -r "$dir" --format json
echo '{"type":"result"}' >>"$dir/session.jsonl"
run session-edited 1 'damaged' -b -r "$dir" --format json
rm -rf "$XDG_DATA_HOME"

# ---- probes of this host
run refused-probe 1 '' -b -i none --format json tcp://127.0.0.1:1
json 'd["targets"][0]["probes"][0]["failure"] == "connection_refused" and len(d["resets"]) == 1'
json 'd["targets"][0]["probes"][0]["verdicts"][0]["cause"] == "port-closed"'
ls "$XDG_DATA_HOME"/rstconsole/sessions/*/session.jsonl >/dev/null || fail "no session was kept"
run v6 1 '' -b -i none --format json 'tcp://[::1]:1'
run unknown-host 1 '' -b -i none --timeout 2s --format json tcp://no-such-host.invalid:80
json 'd["summary"]["failed_probes"] >= 1 and d["targets"][0]["probes"][0]["probe"] == "dns"'
run numeric-dns 1 '*' -b -i none --timeout 1s dns://no-such-host.invalid
printf '# two\n\ntcp://127.0.0.1:1 name=one timeout=2s\n  tcp://127.0.0.1:2  name=two\n' >targets
run targets-file 1 '' -b -i none -t targets --format json
json '[t["name"] for t in d["targets"]] == ["one", "two"]'
printf 'tcp://127.0.0.1:1 nonsense=1\n' >targets
run targets-bad 2 'targets:1' -b -i none -t targets
printf '# nothing\n' >targets
run targets-none 2 'no target in it' -b -i none -t targets
printf '\xef\xbb\xbftcp://127.0.0.1:1\r\n' >targets
run targets-mark 1 '' -b -i none -t targets
run targets-absent 3 'absent' -b -i none -t absent
mkdir -p "$tmp/ro" && chmod 500 "$tmp/ro"
if [ "$(id -u)" != 0 ]; then
    name=unsaved status=1 pattern='not saved: .*/ro/' n=$((n + 1))
    XDG_DATA_HOME=$tmp/ro "$bin" -b -i none --format json tcp://127.0.0.1:1 >out 2>err </dev/null
    got=$?
    ended
fi
if unshare -rn true 2>/dev/null; then
    name=unreachable status=1 pattern='*' n=$((n + 1))
    unshare -rn "$bin" -b -i none --timeout 2s --format json tcp://192.0.2.1:80 >out 2>err </dev/null
    got=$?
    ended
    json 'd["targets"][0]["probes"][0]["failure"] == "network_unreachable"'
else
    echo "left out: unreachable (no network namespaces here)"
fi
run no-interface 3 'no-such-if' -b -i no-such-if --duration 1s

run playbook 1 '' -b -i none --format json es://127.0.0.1:1
json 'd["targets"][0]["probes"][0]["playbook"]["id"] == "elasticsearch"'
run playbook-asked 1 '' -b -P s3 -r refused.pcap --format json
json 'd["resets"][0]["playbook"]["id"] == "s3" and len(d["resets"][0]["playbook"]["items"]) == 8'

# ---- the demo, and its session read again: the same to the byte
rm -rf "$XDG_DATA_HOME"
run demo 1 '*' -b --demo --format json
json 'len(d["targets"]) == 12 and d["summary"]["failed_probes"] == 11'
json 'not [p for t in d["targets"] if t["name"] == "healthy" for p in t["probes"] if p["outcome"] != "ok"]'
cp out first
dir=$(echo "$XDG_DATA_HOME"/rstconsole/sessions/*-demo)
run demo-replayed 1 '*' -b -r "$dir" --format json
cmp first out >&2 || fail "the demo's session reads differently"
rm -rf "$XDG_DATA_HOME"

# ---- started by root for somebody: it becomes that user, home included
if [ "$(id -u)" = 0 ] && getent passwd 65534 >/dev/null; then
    chmod 755 "$tmp"
    chmod 600 refused.pcap
    name=dropped status=3 pattern='refused.pcap' n=$((n + 1))
    SUDO_UID=65534 "$bin" -b -r refused.pcap >out 2>err </dev/null
    got=$?
    ended
    name=dropped-probe status=1 pattern='*' n=$((n + 1))
    SUDO_UID=65534 "$bin" -b -i none --format json tcp://127.0.0.1:1 >out 2>err </dev/null
    got=$?
    ended
    json "d['vantage']['user'] == '$(getent passwd 65534 | cut -d: -f1)'"
    if [ -e "$builddir/rstconsole-capture" ]; then
        name=dropped-capture status=1 pattern='*' n=$((n + 1))
        SUDO_UID=65534 "$bin" -b --format json tcp://127.0.0.1:1 >out 2>err </dev/null
        got=$?
        ended
        grep -q 'did not end' err && fail "the helper could not be told to end"
    fi
fi

# ---- nothing to probe, and nothing may be captured: the host's sockets are watched still
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    name=blind status='[01]' pattern='*' n=$((n + 1))
    setpriv --bounding-set=-net_raw --inh-caps=-all timeout 20 "$bin" -b --duration 1s --format json \
        >out 2>err </dev/null
    got=$?
    [ $got -le 1 ] && status=$got
    ended
    json 'd["vantage"]["capture"] == "none" and d["targets"] == []'
fi

# ---- the capture breaks off: what was gathered is reported and saved
if [ "$(id -u)" = 0 ] && [ -e "$builddir/rstconsole-capture" ]; then
    name=capture-lost status=1 pattern='capture has ended' n=$((n + 1))
    rm -rf "$XDG_DATA_HOME"
    "$bin" -b -i lo -c 0 --interval 60s --format json tcp://127.0.0.1:1 >out 2>err </dev/null &
    child=$!
    until grep -qs '"type":"result"' "$XDG_DATA_HOME"/rstconsole/sessions/*/session.jsonl; do
        kill -0 "$child" 2>/dev/null || break
        sleep 0.05
    done
    read -r helper _ <"/proc/$child/task/$child/children"
    kill -9 "$helper"
    until grep -q "capture has ended" err || ! kill -0 "$child" 2>/dev/null; do sleep 0.05; done
    kill -INT "$child"
    wait "$child"
    got=$?
    child=
    ended
    json 'd["summary"]["harmful_resets"] == 1 and d["vantage"]["packets"] > 0'
    run capture-lost-read 1 '*' -b -r "$(echo "$XDG_DATA_HOME"/rstconsole/sessions/*)" --format json
    json 'd["summary"]["harmful_resets"] == 1'
fi

# ---- a disk that is full: said once, and the run goes on
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    name=full status=1 pattern='no longer saved: .*No space' n=$((n + 1))
    mkdir -p small
    unshare -m sh -c 'mount -t tmpfs -o size=8k none small && head -c 9000 /dev/zero >small/a
        XDG_DATA_HOME=$PWD/small "$@"' sh \
        "$bin" -b -i none --format json tcp://127.0.0.1:1 >out 2>err </dev/null
    got=$?
    if grep -q 'not saved' err; then pattern='not saved: .*No space'; fi
    ended
    [ "$(wc -l <err)" = 1 ] || [ "$(wc -l <err)" = 2 ] || fail "it is said again and again"
    json 'd["summary"]["failed_probes"] == 1'
fi

# ---- stopped before a probe was finished: nothing passed
"$PYTHON3" -c '
import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
c = s.accept()
print("here", flush=True)

while c[0].recv(4096): pass' >port 2>/dev/null &
silent_server=$!
until [ -s port ] || ! kill -0 "$silent_server" 2>/dev/null; do sleep 0.05; done
name=stopped status=1 pattern='' n=$((n + 1))
"$bin" -b -i none --timeout 50s --format json "http://127.0.0.1:$(head -n 1 port)/" \
    >out 2>err </dev/null &
child=$!
until grep -q here port || ! kill -0 "$child" 2>/dev/null; do sleep 0.05; done
kill -INT "$child"
wait "$child"
got=$?
child=
kill "$silent_server" 2>/dev/null
ended
json 'd["targets"][0]["probes"][-1]["failure"] == "interrupted"'
json '"ended before" in d["summary"]["text"] and d["summary"]["failed_probes"] == 0'

# ---- signals: the report is still written, the session is whole
for sig in INT TERM HUP; do
    name=signal-$sig status=1 pattern='' n=$((n + 1))
    rm -rf "$XDG_DATA_HOME"
    "$bin" -b -i none -c 0 --interval 60s --format json tcp://127.0.0.1:1 >out 2>err </dev/null &
    child=$!
    for _ in $(seq 400); do
        grep -qs '"type":"result"' "$XDG_DATA_HOME"/rstconsole/sessions/*/session.jsonl && break
        kill -0 "$child" 2>/dev/null || break
        sleep 0.05
    done
    kill -"$sig" "$child"
    wait "$child"
    got=$?
    child=
    ended
    json 'd["summary"]["failed_probes"] == 1 and d["ended"]'
    tail -n 1 "$XDG_DATA_HOME"/rstconsole/sessions/*/session.jsonl | grep -q '"type":"end"' ||
        fail "the session has no end"
done

echo "$n runs, $fails failures"
[ "$fails" = 0 ]
