# SPDX-License-Identifier: Apache-2.0
"""docs/figures/architecture.svg tells what tests/architecture.sh allows: its rooms are those of lib/, and its arrows are the allowed
ones, less those that go without saying because others lead there. Each arrow begins and ends at the rooms that it names, and no
room lies upon another or beyond the edge. Called as  python3 picture.py."""
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SVG = "{http://www.w3.org/2000/svg}"


def allowed():
    """Room by room, the rooms that it may know."""
    script = (ROOT / "tests" / "architecture.sh").read_text(encoding="utf-8")
    return {line.split()[1]: set(line.split()[2:]) for line in script.splitlines() if re.match(r"allowed [a-z ]+$", line)}


def needed(known):
    """The arrows without those that a detour makes redundant."""
    def reached(room):
        return known[room].union(*(reached(other) for other in known[room]))
    return {(room, other) for room in known for other in known[room]
            if not any(other in reached(between) for between in known[room])}


def on_border(point, box):
    x, y, width, height = box
    inside = x <= point[0] <= x + width and y <= point[1] <= y + height
    return inside and (point[0] in (x, x + width) or point[1] in (y, y + height))


def overlap(a, b):
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def main():
    failures, known = [], allowed()
    drawing = ElementTree.parse(str(ROOT / "docs" / "figures" / "architecture.svg")).getroot()
    boxes = [tuple(float(rect.get(key)) for key in ("x", "y", "width", "height")) for rect in drawing.iter(SVG + "rect")]
    rooms = {rect.get("id"): boxes[n] for n, rect in enumerate(drawing.iter(SVG + "rect")) if rect.get("class") == "room"}
    names = [text.text for text in drawing.iter(SVG + "text") if text.get("class") == "name"]
    folders = {path.name for path in (ROOT / "lib").iterdir() if path.is_dir()}
    if set(rooms) != folders or set(known) != folders or not folders <= set(names):
        failures.append(f"rooms: {sorted(rooms)} in the picture, {sorted(known)} in architecture.sh, {sorted(folders)} in lib/")
    arrows = set()
    for path in drawing.iter(SVG + "path"):
        if path.get("class") == "arrow":
            ends = path.get("data-from"), path.get("data-to")
            numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", path.get("d"))]
            arrows.add(ends)
            for room, point in zip(ends, (numbers[:2], numbers[-2:])):
                if room not in rooms or not on_border(point, rooms[room]):
                    failures.append(f"the arrow {ends} does not touch {room}")
    failures += [f"the arrow {ends} is missing" for ends in sorted(needed(known) - arrows)]
    failures += [f"the arrow {ends} is not allowed, or goes without saying" for ends in sorted(arrows - needed(known))]
    width, height = (float(drawing.get(key)) for key in ("width", "height"))
    failures += [f"{a} lies upon {b}" for n, a in enumerate(boxes) for b in boxes[:n] if overlap(a, b)]
    failures += [f"{box} lies beyond the edge" for box in boxes if box[0] < 0 or box[0] + box[2] > width or box[1] + box[3] > height]
    print(*failures, sep="\n")
    return 1 if failures else 0


sys.exit(main())
