#!/usr/bin/python3
"""The pictures of doc/pictures/, each screen as it is: drives the built program in a terminal of its
own (tmux) and paints what stands there.

usage: doc/pictures.py [NAME]...         (make -C build pictures-png)

Needs tmux, and Debian's python3-pyte, python3-pil and fonts-dejavu-core.
"""
import importlib.machinery
import importlib.util
import os
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
loader = importlib.machinery.SourceFileLoader("screenshot", os.path.join(HERE, "screenshot"))
spec = importlib.util.spec_from_loader("screenshot", loader)
screenshot = importlib.util.module_from_spec(spec)
sys.dont_write_bytecode = True
loader.exec_module(screenshot)

COLUMNS, LINES, SIZE = 140, 40, 14
FONTS = "/usr/share/fonts/truetype/dejavu/"
# name, options of the program, until this is on the screen, keys, until that
SCREENS = [
    ("console", [], "Resets|Causes", ["Escape"], "3 Packets"),
    ("diagnosis", [], "Resets|Causes", ["Escape", "/", "cause:http-early", "Enter", "Tab", "d"],
     "What to do"),
    ("flow", [], "Resets|Causes", ["Escape", "/", "cause:http-early", "Enter", "Tab", "f"], "Flow"),
    ("packet", [], "Resets|Causes", ["Escape", "/", "cause:http-early", "Enter", "Tab", "f",
                                     "Enter"], "Bytes"),
    ("experiments", [], "Resets|Causes", ["Escape", "Tab", "e"], "Experiments"),
    ("charts", [], "Resets|Causes", ["Escape", "4"], "Resets over time"),
    ("host", [], "Resets|Causes", ["Escape", "5"], "Counters that moved"),
    ("targets", [], "Resets|Causes", ["Escape", "6", "Tab"], "what it is"),
    ("settings", [], "Resets|Causes", ["Escape", "7"], "theme"),
    ("help", [], "Resets|Causes", ["?"], "Everywhere"),
    ("light", ["--theme", "light"], "Resets|Causes", [], "What to do"),
]
PALETTE = {"black": "1c1c1c", "red": "cd3131", "green": "0dbc79", "brown": "c5a510",
           "blue": "2472c8", "magenta": "bc3fbc", "cyan": "11a8cd", "white": "e5e5e5"}


def color(name, standard):
    name = PALETTE.get(name, name)
    if len(name) != 6:
        name = standard
    return tuple(int(name[i:i + 2], 16) for i in (0, 2, 4))


def paint(text, path, paper="1c1c1c", ink="d0d0d0"):
    import pyte
    from PIL import Image, ImageDraw, ImageFont

    # The monospaced font has no braille: those come from its sister.
    plain, bold, other = (ImageFont.truetype(FONTS + name, SIZE) for name in
                          ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf", "DejaVuSans.ttf"))
    w, h = round(plain.getlength("M")), SIZE + 4
    screen = pyte.Screen(COLUMNS, LINES)
    pyte.Stream(screen).feed("\r\n".join(text.split("\n")[:LINES]))
    image = Image.new("RGB", (COLUMNS * w, LINES * h), color(paper, paper))
    draw = ImageDraw.Draw(image)
    for y in range(LINES):
        for x in range(COLUMNS):
            cell = screen.buffer[y][x]
            if not cell.data:
                continue
            fg, bg = color(cell.fg, ink), color(cell.bg, paper)
            if cell.reverse:
                fg, bg = bg, fg
            if bg != color(paper, paper):
                draw.rectangle([x * w, y * h, (x + 1) * w - 1, (y + 1) * h - 1], fill=bg)
            if cell.data.strip():
                braille = 0x2800 <= ord(cell.data[0]) < 0x2900
                draw.text((x * w, y * h + 1), cell.data, fill=fg,
                          font=other if braille else bold if cell.bold else plain)
            if cell.underscore:
                draw.line([x * w, (y + 1) * h - 2, (x + 1) * w, (y + 1) * h - 2], fill=fg)
    image.quantize(64).save(path, optimize=True)


def picture(name, options, until, keys, then):
    command = [screenshot.program(), "--demo", "--interval", "120s", *options]
    with tempfile.TemporaryDirectory() as folder:
        terminal = screenshot.Terminal(folder, COLUMNS, LINES, command)
        terminal.tmux("set-option", "-g", "default-terminal", "tmux-256color")
        try:
            terminal.settle(until)
            for key in keys:
                terminal.tmux("send-keys", "-t", "shot", key)
                time.sleep(.3)
            terminal.settle(then)
            text = terminal.tmux("capture-pane", "-e", "-p", "-t", "shot").rstrip("\n")
        finally:
            terminal.tmux("kill-server")
    path = os.path.join(HERE, "pictures", name + ".png")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if name == "light":
        paint(text, path, paper="fafafa", ink="202020")
    else:
        paint(text, path)
    print(path)


for one in SCREENS:
    if len(sys.argv) == 1 or one[0] in sys.argv[1:]:
        picture(*one)
