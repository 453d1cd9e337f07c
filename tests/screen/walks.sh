#!/bin/bash
# walks.sh: the guided walks of tests/screen/*.keys, with the real binary on a real terminal: from
# the start to the cause, its reasons, the packet, the advice and the saved report.
#
# A line of a .keys file:  run ARGS | keys KEY... | type TEXT | see TEXT | gone TEXT | other WHAT
# (another program: other.py); # begins a comment; $FILE is a capture made for it.
set -u
command -v tmux >/dev/null || { echo "skipped: no tmux" >&2; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
bin=$builddir/rstconsole
dir=$(mktemp -d) || exit 1
sock=rstwalk$$
export LANG=C.UTF-8 LC_ALL=C.UTF-8 TZ=UTC XDG_DATA_HOME=$dir/data XDG_CONFIG_HOME=$dir/config
export HOME=$dir PATH=$builddir:$PATH
unset LANGUAGE NO_COLOR
export ASAN_OPTIONS=detect_leaks=0
t() { tmux -L "$sock" "$@"; }
others=()
finish() {
    for pid in "${others[@]}"; do kill "$pid" 2>/dev/null; done
    t kill-server 2>/dev/null
    rm -rf "$dir"
}
trap finish EXIT
fail() {
    echo "FAIL: $walk: $*"
    t capture-pane -p
    exit 1
}
see() {
    local end=$((SECONDS + 40))
    until t capture-pane -p | grep -qF -- "$1"; do
        [ $SECONDS -lt $end ] || fail "line $n: the screen never showed: $1"
        sleep 0.05
    done
}
gone() {
    local end=$((SECONDS + 40))
    while t capture-pane -p | grep -qF -- "$1"; do
        [ $SECONDS -lt $end ] || fail "line $n: the screen still shows: $1"
        sleep 0.05
    done
}
FILE=$dir/reset.pcap
"$PYTHON3" "$here/make_pcap.py" "$FILE" || exit 1

walk() {
    local verb rest words=
    [ "$1" = walk-words ] && words=yes
    walk=$1 n=0 sock=rst$$$1
    while read -r verb rest; do
        n=$((n + 1))
        case $verb in
        '' | '#'*) ;;
        run)
            t -f /dev/null new-session -d -x 80 -y 24 \
                "exec env ${words:+TERM=dumb} $bin ${rest//\$FILE/$FILE}" || {
                echo "skipped: tmux does not start" >&2
                exit 77
            }
            t set-option -g remain-on-exit on >/dev/null
            ;;
        keys) t send-keys $rest ;;
        type) t send-keys -l -- "$rest" ;;
        see) see "$rest" ;;
        gone) gone "$rest" ;;
        other)
            "$PYTHON3" "$here/other.py" $rest >"$dir/other" 2>&1 &
            others+=($!)
            ;;
        left) # the program has ended by itself
            local end=$((SECONDS + 40))
            until [ "$(t display-message -p '#{pane_dead}')" = 1 ]; do
                [ $SECONDS -lt $end ] || fail "line $n: it did not end"
                sleep 0.05
            done
            ;;
        saved) # a report lies where it was said
            local end=$((SECONDS + 40))
            until ls "$dir"/data/rstconsole/sessions/*/report.* >/dev/null 2>&1; do
                [ $SECONDS -lt $end ] || fail "line $n: no report was written"
                sleep 0.05
            done
            ;;
        *) fail "line $n: no such verb: $verb" ;;
        esac
    done <"$here/$1.keys"
    t kill-server 2>/dev/null
    rm -rf "$dir/data"
    echo "ok: $1"
}
for name in ${WALKS:-walk-demo walk-file walk-other walk-words}; do
    walk "$name"
done
