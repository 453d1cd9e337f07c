#!/bin/bash
# tmux.sh: the real binary on a real terminal: it starts, moves between screens, follows a resize,
# gives the terminal back on SIGTERM and on q, and says when the window is too small.
# Waits for content with a deadline; never for a fixed time.
set -u
command -v tmux >/dev/null || { echo "skipped: no tmux" >&2; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
bin=$builddir/rstconsole
dir=$(mktemp -d) || exit 1
sock=rst$$
export LANG=C.UTF-8 LC_ALL=C.UTF-8 TZ=UTC XDG_DATA_HOME=$dir/data XDG_CONFIG_HOME=$dir/config
# A leak check at exit would outlast the terminal it is told on.
export ASAN_OPTIONS=detect_leaks=0
t() { tmux -L "$sock" "$@"; }
finish() {
    t kill-server 2>/dev/null
    rm -rf "$dir"
}
trap finish EXIT
fail() {
    echo "FAIL: $*"
    t capture-pane -p
    exit 1
}
# see TEXT: until the screen shows it, 15 s at most.
see() {
    local end=$((SECONDS + 15))
    until t capture-pane -p | grep -qF -- "$1"; do
        [ $SECONDS -lt $end ] || fail "the screen never showed: $1"
        sleep 0.05
    done
}
gone() {
    local end=$((SECONDS + 15))
    while t capture-pane -p | grep -qF -- "$1"; do
        [ $SECONDS -lt $end ] || fail "the screen still shows: $1"
        sleep 0.05
    done
}
keys() { t send-keys "$@"; }

"$PYTHON3" "$here/make_pcap.py" "$dir/reset.pcap" || fail "no capture file"
t -f /dev/null new-session -d -x 80 -y 24 "PS1='prompt> ' exec bash --norc --noprofile -i" || {
    echo "skipped: tmux does not start" >&2
    exit 77
}
t set-option -g remain-on-exit on
see 'prompt>'

# start, and the screens
keys "$bin -r $dir/reset.pcap" Enter
see 'reset.pcap'
see '2 Resets'
see 'RESET'
keys Tab
keys d
see 'HARMFUL'
see '2 Causes'
keys Escape
see '3 Packets'
keys 2
keys Enter
see 'What to do'
keys f
see 'client 10.1.0.2:50000'
see 'SYN-ACK'
keys '='
see 'A normal close'
keys '='
gone 'A normal close'
keys Enter
see 'Bytes'
keys '?'
see 'Everywhere'
keys q
gone 'Everywhere'

# a resize is followed at once, also to a window that is too small and back
t resize-window -x 160 -y 45
see 'Bytes'
t resize-window -x 30 -y 8
see 'this terminal'
t resize-window -x 100 -y 30
see 'Bytes'
keys Escape
keys Escape
keys Escape
see '3 Packets'

# the filter says while it is typed whether it is one
keys /
keys -l 'flags:Q'
see 'wants letters'
keys BSpace
keys -l 'R'
see 'Enter sets it'
keys Enter
see 'filter: flags:R'
keys x
gone 'filter: flags:R'

# ^Z: the shell is back, and so is the screen after fg
keys C-z
see 'Stopped'
keys 'fg' Enter
see '3 Packets'

# q quits and the terminal is as it was
keys q
see 'prompt>'
gone '3 Packets'
keys 'stty -a | grep -o " echo "; echo status-$?' Enter
see 'status-0'
keys 'clear' Enter
gone 'status-0'

# SIGTERM: the terminal is given back
keys "$bin -r $dir/reset.pcap & p=\$!; fg" Enter
see '3 Packets'
child=$(pgrep -P "$(t display-message -p '#{pane_pid}')" -x rstconsole | head -1)
[ -n "$child" ] || fail "no child"
kill -TERM "$child"
see 'prompt>'
gone '3 Packets'
keys 'stty -a | grep -o " echo "; echo again-$?' Enter
see 'again-0'

# Q leaves the screen printed; a terminal without a cursor is told in words
keys 'clear' Enter
gone 'again-0'
keys "$bin -r $dir/reset.pcap" Enter
see '3 Packets'
keys Q
see 'prompt>'
see '3 Packets'
keys 'clear' Enter
gone '3 Packets'
keys "TERM=dumb $bin -r $dir/reset.pcap" Enter
see 'line by line'
keys '1' Enter
see 'retry:'
keys 'f' Enter
see 'from the client: SYN'
keys 'q' Enter
see 'prompt>'
keys 'clear' Enter
gone 'line by line'

# a lost terminal ends it: no process stays behind
keys "$bin -r $dir/reset.pcap" Enter
see '3 Packets'
child=$(pgrep -P "$(t display-message -p '#{pane_pid}')" -x rstconsole | head -1)
[ -n "$child" ] || fail "no child"
t kill-server
end=$((SECONDS + 15))
while kill -0 "$child" 2>/dev/null; do
    [ $SECONDS -lt $end ] || { kill -KILL "$child"; echo "FAIL: it outlived its terminal"; exit 1; }
    sleep 0.05
done
echo "ok"
