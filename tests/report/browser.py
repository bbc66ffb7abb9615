# SPDX-License-Identifier: Apache-2.0
"""The page in headless Chromium: drawn, in the dark, narrow and printed; every chart has ink, no text overlaps another, and
nothing goes beyond the window."""
import json
import os
import re
import shutil
import struct
import subprocess
import zlib

from helpers import SMALL, check, make_data, need_report, skip, works, work_in_new_folder

chromium = shutil.which("chromium") or shutil.which("chromium-browser")
if not chromium:
    skip("no Chromium")
folder = work_in_new_folder()
need_report()

# Boxes of the charts, and of all text within them, as the browser lays them out: written into the page's copy.
MEASURE = """<script>
window.addEventListener("load", function () {
  function box(e) { var r = e.getBoundingClientRect(); return [r.left + scrollX, r.top + scrollY, r.width, r.height]; }
  var charts = Array.prototype.map.call(document.querySelectorAll(".panels svg"), function (s) {
    return {name: s.getAttribute("aria-label"), box: box(s),
            texts: Array.prototype.map.call(s.querySelectorAll("text"), function (t) { return [t.textContent].concat(box(t)); })};
  });
  parent.postMessage(JSON.stringify({charts: charts, width: document.documentElement.scrollWidth, window: innerWidth}), "*");
});
</script></body>"""

# A browser without a screen has a least width, a frame has not.
FRAME = """<!DOCTYPE html><body><script>
addEventListener("message", function (event) { document.body.setAttribute("data-measured", event.data); });
</script><iframe src="measured.html" style="border:0;width:%dpx;height:900px"></iframe></body>"""


def browse(page, width, height, *options):
    """Its standard output; the console must be silent."""
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
         "--force-device-scale-factor=1", f"--user-data-dir={os.getcwd()}/profile", "--enable-logging=stderr",
         f"--window-size={width},{height}", *options, f"file://{os.getcwd()}/{page}"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=300, env=dict(os.environ, HOME=os.getcwd()))
    said = done.stderr.decode(errors="replace")
    check(done.returncode == 0, f"chromium {options}: exit code {done.returncode}: {said}")
    check("CONSOLE" not in said, f"a silent console wanted: {said}")
    return done.stdout.decode()


def read_png(path):
    """Width, height, and rows of pixels as bytes of red, green and blue."""
    with open(path, "rb") as file:
        data = file.read()
    check(data[:8] == b"\x89PNG\r\n\x1a\n", f"{path} is a PNG")
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        chunk = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", chunk[:10])
            check(depth == 8 and colour in (2, 6), "8 bits of red, green and blue")
        packed += chunk if kind == b"IDAT" else b""
        at += 12 + length
    size, raw, rows = {2: 3, 6: 4}[colour], zlib.decompress(packed), []
    above = bytearray(width * size)
    for y in range(height):
        start = y * (width * size + 1)
        method, row = raw[start], bytearray(raw[start + 1:start + 1 + width * size])
        for i in range(len(row) if method else 0):
            left, up = (row[i - size] if i >= size else 0), above[i]
            corner = above[i - size] if i >= size else 0
            if method == 1:
                row[i] = (row[i] + left) & 255
            elif method == 2:
                row[i] = (row[i] + up) & 255
            elif method == 3:
                row[i] = (row[i] + (left + up) // 2) & 255
            else:
                near = min((abs(up - corner), 0, left), (abs(left - corner), 1, up), (abs(left + up - 2 * corner), 2, corner))
                row[i] = (row[i] + near[2]) & 255
        rows.append(row)
        above = row
    return width, height, [[tuple(r[x * size:x * size + 3]) for x in range(width)] for r in rows]


def screenshot(page, width, height, *options):
    browse(page, width, height, f"--screenshot={os.getcwd()}/shot.png", *options)
    wide, high, rows = read_png("shot.png")
    check((wide, high) == (width, height), f"a screenshot of {width} x {height} wanted, not {wide} x {high}")
    return rows


def measure(page, width):
    with open(page, encoding="utf-8") as file:
        text = file.read()
    with open("measured.html", "w", encoding="utf-8") as file:
        file.write(text.replace("</body>", MEASURE))
    with open("frame.html", "w", encoding="utf-8") as file:
        file.write(FRAME % width)
    dom = browse("frame.html", 1300, 900, "--dump-dom")
    told = re.search(r'data-measured="([^"]*)"', dom).group(1)
    return json.loads(told.replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def apart(a, b):
    """Whether two boxes of text overlap by no more than their line spacing does."""
    return a[0] + a[2] <= b[0] + 0.5 or b[0] + b[2] <= a[0] + 0.5 or a[1] + a[3] <= b[1] + 3.5 or b[1] + b[3] <= a[1] + 3.5


def laid_out(page, width):
    measured = measure(page, width)
    check(measured["window"] == width, f"a window of {width} wanted, not {measured['window']}")
    check(measured["width"] <= width, f"{page}: nothing beyond the window of {width}, not {measured['width']}")
    for chart in measured["charts"]:
        left, top, wide, high = chart["box"]
        for i, (text, *box) in enumerate(chart["texts"]):
            inside = left - 1 <= box[0] and box[0] + box[2] <= left + wide + 1 and top - 2 <= box[1] and box[1] + box[3] <= top + high + 2
            check(inside or not text, f"{page}, {width} wide, {chart['name']}: \"{text}\" goes beyond the chart: {box} in {chart['box']}")
            for other, *other_box in chart["texts"][:i]:
                check(apart(box, other_box), f"{page}, {width} wide, {chart['name']}: \"{text}\" and \"{other}\" overlap")
    return measured


def background(rows):
    return rows[2][2]


def inked(rows, chart, name):
    """A chart has lines, text and colours other than the paper."""
    left, top, wide, high = (round(v) for v in chart["box"])
    paper = background(rows)
    pixels = [p for row in rows[top:top + high] for p in row[left:left + wide]]
    ink = sum(p != paper for p in pixels)
    vivid = {p for p in pixels if max(p) - min(p) > 60}
    check(ink > 0.01 * len(pixels), f"{name}, {chart['name']}: ink wanted, {ink} of {len(pixels)} pixels")
    check(vivid, f"{name}, {chart['name']}: a colour wanted")


make_data("data")
TRAIN = ["train", "data", *SMALL, "--modality", "shape=shape", "--modality", "words=words"]
works(*TRAIN, "--epochs", 12, "--report", "one.json")
works(*TRAIN, "--epochs", 6, "--report", "two.json", "--ablation", "no common")
works("report", "one.json", "--out", "one.html")
works("report", *["one.json", "two.json"] * 4, "--out", "eight.html")

# ---- layout ----
wide = laid_out("one.html", 1200)
check(len(wide["charts"]) == 16, f"16 charts wanted, not {len(wide['charts'])}")
laid_out("one.html", 400)
laid_out("eight.html", 1200)
laid_out("eight.html", 400)

# ---- light and dark ----
height = round(max(c["box"][1] + c["box"][3] for c in wide["charts"])) + 20
light = screenshot("one.html", 1200, height, "--blink-settings=preferredColorScheme=1")
check(background(light) == (255, 255, 255), f"white paper wanted, not {background(light)}")
dark = screenshot("one.html", 1200, height, "--blink-settings=preferredColorScheme=0")
check(max(background(dark)) < 64, f"dark paper wanted, not {background(dark)}")
for name, rows in (("light", light), ("dark", dark)):
    check(len({p for row in rows for p in row}) > 100, f"{name}: more than 100 colours wanted")
    for chart in wide["charts"]:
        inked(rows, chart, name)

# ---- print: its own layout, two charts side by side on a page as wide as paper; in light ----
with open("one.html", encoding="utf-8") as file:
    page = file.read()
with open("paper.html", "w", encoding="utf-8") as file:
    file.write(page.replace("@media print", "@media all"))
paper = laid_out("paper.html", 690)["charts"]
check(paper[0]["box"][1] == paper[1]["box"][1] < paper[2]["box"][1], "two charts side by side in print")
check(all(c["box"][2] > 300 for c in paper), "charts of a readable width in print")
browse("one.html", 1200, 900, f"--print-to-pdf={os.getcwd()}/page.pdf", "--no-pdf-header-footer", "--blink-settings=preferredColorScheme=0")
with open("page.pdf", "rb") as file:
    pdf = file.read()
pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
check(pdf[:5] == b"%PDF-" and 3 <= pages <= 10, f"a PDF of 3 to 10 pages wanted, not {pages}")
content = b""
for packed in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.S):
    try:
        content += zlib.decompress(packed)
    except zlib.error:
        pass
blue = [float(v) for v in (8 / 255, 104 / 255, 172 / 255)]  # of the light palette
fills = {tuple(round(float(v), 2) for v in m.groups()) for m in re.finditer(rb"([\d.]+) ([\d.]+) ([\d.]+) (?:rg|RG)\b", content)}
check(tuple(round(v, 2) for v in blue) in fills, f"the colours of the light page in print: {sorted(fills)}")
