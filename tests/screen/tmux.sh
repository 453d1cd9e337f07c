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

# the mouse: a click takes the focus, a second one on the row opens, the last line's keys are keys
# (as tmux sends them to TERM=screen: X10, button, column and row each plus 32; 35 is a release)
keys 2
x10() { printf "\\$(printf %o $((32 + $1)))\\$(printf %o $((32 + $2)))\\$(printf %o $((32 + $3)))"; }
click() { keys -l "$(printf '\033[M')$(x10 0 "$1" "$2")$(printf '\033[M')$(x10 3 "$1" "$2")"; }
row=$(t capture-pane -p | grep -n '14:05:00' | head -1 | cut -d: -f1)
click 20 "$row"
click 20 "$row"
see 'What to do'
at=$(t capture-pane -p | tail -1 | grep -bo 'Esc back' | cut -d: -f1)
click $((at + 2)) 30
see '3 Packets'
keys -l "$(printf '\033[M')$(x10 65 5 12)" # the wheel: nothing breaks

# a paste goes into the prompt, its line breaks do not run away with it
keys L
see 'log line:'
t set-buffer 'connect to 10.9.8.7:5432: Connection reset by peer'
t paste-buffer
see 'reset by peer'
keys Escape
gone 'log line:'

# what is copied reaches the terminal's clipboard (OSC 52; tmux keeps it as a buffer)
t set-option -g set-clipboard on
keys 2 c
see 'copied'
end=$((SECONDS + 15))
until t show-buffer 2>/dev/null | grep -q '10.0.0.9'; do
    [ $SECONDS -lt $end ] || fail "nothing was copied"
    sleep 0.05
done

# marks, the command line and its completion
keys m a
see 'marked as a'
keys :
keys -l 'them'
keys Tab
keys -l 'mon'
keys Tab
see 'ok: Enter does it'
keys Enter
gone ': theme mono'
keys :
keys Up
see ': theme mono'
keys Escape

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

# SIGHUP: it ends, and nothing it had is left behind
keys 'clear' Enter
gone 'again-0'
keys "$bin -r $dir/reset.pcap & p=\$!; fg" Enter
see '3 Packets'
child=$(pgrep -P "$(t display-message -p '#{pane_pid}')" -x rstconsole | head -1)
[ -n "$child" ] || fail "no child"
kill -HUP "$child"
see 'prompt>'
gone '3 Packets'
keys 'echo hung-$?' Enter
see 'hung-'

# NO_COLOR, --ascii and a locale without UTF-8: no colour, no byte beyond ASCII
keys 'clear' Enter
gone 'hung-'
keys "NO_COLOR=1 $bin --ascii -r $dir/reset.pcap" Enter
see '3 Packets'
t capture-pane -p -e | grep -qE $'\033\\[[0-9;]*(3[0-7]|4[0-7]|38;|48;|9[0-7])m' && fail "colour in spite of NO_COLOR"
t capture-pane -p | LC_ALL=C grep -q '[^ -~]' && fail "beyond ASCII in spite of --ascii"
keys q
see 'prompt>'
keys 'clear' Enter
gone '3 Packets'
for term in vt100 linux screen xterm xterm-256color; do
    keys "TERM=$term $bin -r $dir/reset.pcap" Enter
    see '3 Packets'
    keys 4
    see 'Resets over time'
    keys q
    see 'prompt>'
    keys 'clear' Enter
    gone 'Resets over time'
done
keys 'echo again-0' Enter
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
see 'Done:'
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
