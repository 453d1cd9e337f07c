/*
 * The actions: ACTION(ID, "name", contexts, "keys", rank, hint, help).
 * Contexts are the screens the keys work in; in one context a key stands for one action (a test
 * checks it). hint: the short word of the hints line, NULL for none; of a low rank it comes first.
 * No include guard.
 */
/* everywhere */
ACTION(HELP, "help", IN_ALL, "? F1", 1, N_("help"), N_("help for this screen"))
ACTION(QUIT, "quit", IN_MOST, "q F10 ^C", 7, N_("quit"),
       N_("quit (asks only when something is not saved)"))
ACTION(QUIT_LEAVE, "quit-and-leave", IN_MOST, "Q", 0, NULL, N_("quit and leave the screen printed"))
ACTION(SAVE, "save", IN_MOST, "F2 S", 6, N_("save"), N_("save the session and its reports"))
ACTION(SAVE_REDACTED, "save-redacted", IN_MOST, "F4 X", 0, NULL,
       N_("save a redacted copy: addresses, names, paths and payload replaced"))
ACTION(REFRESH, "refresh", IN_MOST, "F5 R", 0, NULL, N_("probe the targets again now"))
ACTION(PAUSE, "pause", IN_MOST, "Space", 6, N_("pause"),
       N_("pause or go on (packets are still counted)"))
ACTION(COMMAND, "command", IN_ALL, ":", 0, NULL,
       N_("type a command; Tab completes it, Up brings earlier ones back"))
ACTION(COPY, "copy", IN_MOST, "c", 0, NULL,
       N_("copy what the cursor is on (OSC 52: the terminal's clipboard)"))
ACTION(MARK, "mark", IN_CONSOLE | IN_DIAGNOSIS | IN_FLOW | IN_PACKET | IN_EXPERIMENT, "m", 0, NULL,
       N_("mark this place with a letter"))
ACTION(JUMP, "jump", IN_MOST, "' `", 0, NULL,
       N_("jump to the place marked with a letter; twice: back to where you were"))
ACTION(REDRAW, "redraw", IN_ALL, "^L", 0, NULL, N_("draw the screen anew"))
ACTION(SUSPEND, "suspend", IN_ALL, "^Z", 0, NULL, N_("stop the program, back to the shell"))
/* moving */
ACTION(UP, "up", IN_ALL, "Up k", 0, NULL, N_("one line up"))
ACTION(DOWN, "down", IN_ALL, "Down j", 0, NULL, N_("one line down"))
ACTION(PAGE_UP, "page-up", IN_ALL, "PgUp ^B", 0, NULL, N_("one page up"))
ACTION(PAGE_DOWN, "page-down", IN_ALL, "PgDn ^F", 0, NULL, N_("one page down"))
ACTION(HALF_UP, "half-page-up", IN_ALL, "^U", 0, NULL, N_("half a page up"))
ACTION(HALF_DOWN, "half-page-down", IN_ALL, "^D", 0, NULL, N_("half a page down"))
ACTION(FIRST, "first", IN_ALL, "g Home", 0, NULL, N_("to the first"))
ACTION(LAST, "last", IN_ALL, "G End", 0, NULL, N_("to the last"))
ACTION(NEXT_PANE, "next-pane", IN_CONSOLE | IN_DIAGNOSIS | IN_PACKET | IN_HELP | IN_PAGES,
       "Tab Right l", 2, N_("pane"), N_("to the next pane or page"))
ACTION(PREVIOUS_PANE, "previous-pane", IN_CONSOLE | IN_DIAGNOSIS | IN_PACKET | IN_HELP | IN_PAGES,
       "S-Tab Left h", 0, NULL, N_("to the previous pane or page"))
ACTION(OPEN, "open", IN_CONSOLE | IN_DIAGNOSIS | IN_FLOW | IN_EXPERIMENT, "Enter", 3, N_("open"),
       N_("open what the cursor is on; run the experiment it is on"))
ACTION(EDIT, "edit", IN_TARGETS | IN_SETTINGS, "Enter", 3, N_("change"),
       N_("change the value the cursor is on"))
ACTION(BACK, "back", IN_SUB, "Esc Backspace", 4, N_("back"), N_("back to the screen before"))
ACTION(CLOSE_HELP, "close-help", IN_HELP, "q F10 ^C", 0, NULL, N_("close the help"))
ACTION(FLOW, "flow", IN_CONSOLE | IN_DIAGNOSIS | IN_PACKET, "f", 4, N_("flow"),
       N_("the connection as a ladder"))
/* the console */
ACTION(DIAGNOSE, "diagnose", IN_CONSOLE | IN_FLOW | IN_PACKET | IN_EXPERIMENT, "d", 4, N_("diagnose"),
       N_("who sent the reset, and why"))
ACTION(ADD, "add", IN_CONSOLE | IN_TARGETS, "a", 5, N_("add"), N_("add a target"))
ACTION(PASTE, "paste-log", IN_CONSOLE, "L", 0, NULL,
       N_("paste a line of a log: what it tells is diagnosed"))
ACTION(FILTER, "filter", IN_CONSOLE, "/ F3", 5, N_("filter"),
       N_("show only what matches: host: port: flags: stage: cause: "
          "harmful: process: or a pcap filter"))
ACTION(CLEAR, "clear-filter", IN_CONSOLE, "x", 0, NULL, N_("clear the filter"))
ACTION(RESETS_ONLY, "resets-only", IN_CONSOLE, "r", 0, NULL,
       N_("only resets among the packets, or all again"))
ACTION(HIDE_BENIGN, "hide-benign", IN_CONSOLE, "H", 0, NULL,
       N_("hide harmless resets, or show them again"))
ACTION(THIS_TARGET, "this-target", IN_CONSOLE, "t", 0, NULL,
       N_("only what concerns this host, or all again"))
ACTION(NEXT_RESET, "next-reset", IN_CONSOLE, "n", 0, NULL,
       N_("to the next reset among the packets"))
ACTION(PREVIOUS_RESET, "previous-reset", IN_CONSOLE, "N", 0, NULL,
       N_("to the previous reset among the packets"))
ACTION(ZOOM, "zoom", IN_CONSOLE | IN_DIAGNOSIS, "z", 8, N_("zoom"),
       N_("the pane alone, or all again"))
ACTION(GROW, "grow", IN_CONSOLE, "+", 0, NULL, N_("make the pane larger"))
ACTION(SHRINK, "shrink", IN_CONSOLE, "-", 0, NULL, N_("make the pane smaller"))
ACTION(TAB_1, "tab-1", IN_ALL, "1", 0, NULL, N_("to the first pane or page"))
ACTION(TAB_2, "tab-2", IN_ALL, "2", 0, NULL, N_("to the second pane or page"))
ACTION(TAB_3, "tab-3", IN_ALL, "3", 0, NULL, N_("to the third pane or page"))
ACTION(CHARTS, "charts", IN_MOST, "4 V", 0, NULL,
       N_("charts: resets over time, how long connecting takes, rounds"))
ACTION(HOST, "host", IN_MOST, "5 I", 0, NULL,
       N_("this host: counters, queues, tables, rules, and what is not permitted"))
ACTION(TARGETS, "targets", IN_MOST, "6 T", 0, NULL, N_("the targets and their options"))
ACTION(SETTINGS, "settings", IN_MOST, "7 O", 0, NULL, N_("all settings and keys"))
ACTION(HISTORY, "history", IN_MOST, "8 B", 0, NULL, N_("what earlier runs found"))
ACTION(COMPARE_RUNS, "compare-runs", IN_MOST, "9 W", 0, NULL,
       N_("compare: rounds before and after, or another session"))
ACTION(SEARCH_HISTORY, "search-history", IN_HISTORY, "/", 2, N_("search"),
       N_("only targets and causes whose names hold a word"))
ACTION(OTHER_SESSION, "other-session", IN_COMPARE, "a", 2, N_("session"),
       N_("compare with another session"))
ACTION(ALL_AGAIN, "all-again", IN_HISTORY | IN_COMPARE, "x", 3, N_("all"),
       N_("no search any more, no other session"))
ACTION(LATER_SPLIT, "later-split", IN_COMPARE, "]", 2, N_("later"),
       N_("let the second side begin a round later"))
ACTION(EARLIER_SPLIT, "earlier-split", IN_COMPARE, "[", 2, N_("earlier"),
       N_("let the second side begin a round earlier"))
/* the diagnosis */
ACTION(YES, "yes", IN_DIAGNOSIS, "y", 5, N_("yes"), N_("answer the question: yes"))
ACTION(NO, "no", IN_DIAGNOSIS, "n", 5, N_("no"), N_("answer the question: no"))
ACTION(DONT_KNOW, "do-not-know", IN_DIAGNOSIS, "i", 5, N_("unsure"),
       N_("answer the question: I do not know"))
ACTION(SKIP, "skip", IN_DIAGNOSIS, "s", 5, N_("skip"), N_("set the question aside"))
ACTION(UNDO, "undo", IN_DIAGNOSIS, "u", 7, N_("undo"), N_("take the last answer back"))
ACTION(NEXT_STEP, "next-step", IN_DIAGNOSIS, "]", 2, N_("next"),
       N_("to the question that would tell the most"))
ACTION(NEXT_INCIDENT, "next-incident", IN_DIAGNOSIS, ">", 0, NULL,
       N_("to the next reset or failure"))
ACTION(PREVIOUS_INCIDENT, "previous-incident", IN_DIAGNOSIS, "<", 0, NULL,
       N_("to the previous reset or failure"))
/* experiments */
ACTION(EXPERIMENT, "experiment", IN_CONSOLE | IN_DIAGNOSIS, "e", 4, N_("experiment"),
       N_("the experiments: find out by connections of our own"))
ACTION(RUN_TEST, "run-test", IN_DIAGNOSIS, "t", 0, NULL,
       N_("run the experiment that answers this question"))
ACTION(RUN_SAFE, "run-safe", IN_DIAGNOSIS | IN_EXPERIMENT, "A", 0, NULL,
       N_("run the safe experiments, the most telling first"))
ACTION(PROVE, "prove-the-fix", IN_DIAGNOSIS | IN_EXPERIMENT, "F", 0, NULL,
       N_("has the fix worked? try until chance is ruled out"))
/* the flow */
ACTION(COMPARE, "compare", IN_FLOW, "=", 3, N_("normal close"), N_("compare with a normal close"))
ACTION(COLUMNS, "columns", IN_FLOW, "o", 3, N_("columns"),
       N_("other columns: sequence numbers, TTL"))
ACTION(TO_RESET, "to-reset", IN_FLOW, "r", 3, N_("reset"), N_("to the reset"))
ACTION(TIME_SCALE, "time-scale", IN_FLOW, "t", 0, NULL,
       N_("time drawn to scale, or a line for each packet"))
/* the packet */
ACTION(NEXT_PACKET, "next-packet", IN_PACKET, "n ]", 3, N_("next"),
       N_("the next packet of the connection"))
ACTION(PREVIOUS_PACKET, "previous-packet", IN_PACKET, "p [", 3, N_("previous"),
       N_("the previous packet of the connection"))
/* targets and settings */
ACTION(REMOVE, "remove", IN_TARGETS, "D Delete", 5, N_("remove"), N_("remove the target"))
ACTION(DEFAULT, "default", IN_TARGETS | IN_SETTINGS, "x", 5, N_("default"),
       N_("back to what it is without you"))
ACTION(PROBE_ONE, "probe-one", IN_TARGETS, "p", 5, N_("probe now"), N_("probe this target now"))
