# SPDX-License-Identifier: Apache-2.0
"""The page of `cfdtbd report` against the report that it shows: every number of its tables and charts, its form, its sentences
where something is missing; hostile reports, shown or refused."""
import copy
import json
import os
import re
import xml.etree.ElementTree as ElementTree

from helpers import SMALL, check, load, make_data, need_report, run, works, work_in_new_folder

XHTML = "{http://www.w3.org/1999/xhtml}"
folder = work_in_new_folder()
need_report()
make_data("data")
TRAIN = ["train", "data", *SMALL, "--modality", "shape=shape", "--modality", "words=words"]
works(*TRAIN, "--epochs", 6, "--report", "one.json")
works(*TRAIN, "--epochs", 4, "--report", "two.json", "--look", 2, "--set", "eta.common=0.5", "--k", "3,10", "--seed", 7)
one, two = load("one.json"), load("two.json")


def page_of(*names, out="page.html"):
    works("report", *names, "--out", out)
    with open(out, encoding="utf-8") as file:
        text = file.read()
    return text, ElementTree.fromstring(text)


def words(element):
    return " ".join("".join(element.itertext()).split())


def find(root, name, **attributes):
    return [e for e in root.iter() if e.tag.split("}")[1] == name and all(e.get(k.strip("_")) == v for k, v in attributes.items())]


def shown(value, decimals):
    text = f"{abs(value):.{decimals}f}"
    return ("\u2212" if value < 0 and float(text) else "") + text


def number(text):
    return float(text.replace("\u2212", "-").replace("\u202f", "").replace("\u00d7", "").rstrip("%"))


def panels(root):
    """Figure and title of every panel, and its drawing."""
    return {(f.get("id"), words(p.find(f"{XHTML}h3"))): p.find(f"{XHTML}svg") for f in find(root, "figure") for p in f.iter() if
            p.find(f"{XHTML}h3") is not None}


def table(root):
    return {words(row[0]): [words(cell) for cell in row[1:]] for t in find(root, "table")[:1] for row in find(t, "tr")}


# ---- form: one file that needs nothing else ----
def well_formed(text, root):
    check(text.startswith("<!DOCTYPE html>"), "a document type")
    check(text.count("http") == text.count('xmlns="http://www.w3.org/1999/xhtml"') == 1, "no address but the name of XHTML")
    for bad in ("<script", "url(", "@import", "javascript:", "<link", "<iframe", "<object", "src="):
        check(bad not in text.lower(), f"no {bad} in the page")
    for element in root.iter():
        for name in element.attrib:
            check(not name.startswith("on") and name not in ("src", "href"), f"no attribute {name}")
    for bad in ("nan", "inf", "-nan"):
        for element in root.iter():
            for name in ("d", "x", "y", "cx", "cy", "width", "height", "transform", "viewBox"):
                check(bad not in element.get(name, ""), f"no {bad} in {name} of a {element.tag}")


text, root = page_of("one.json")
well_formed(text, root)
check(page_of("one.json", out="again.html")[0] == text, "the same bytes again")
strange = dict(os.environ, LC_ALL="de_DE.UTF-8", LANG="de_DE.UTF-8", TZ="Asia/Tokyo")
works("report", "one.json", "--out", "german.html", env=strange)
check(open("german.html", encoding="utf-8").read() == text, "the same bytes in another locale")
check("prefers-color-scheme:dark" in text and "@media print" in text, "styles for dark and print")

# ---- tables ----
rows = table(root)
check(rows[""] == ["model", "popularity", "gain"], f"the head of the table is {rows.get('')}")
names = {"hr": "HR", "recall": "Recall", "ndcg": "NDCG", "precision": "Precision", "map": "MAP", "mrr": "MRR"}
for key, value in one["test"].items():
    if "@" in key:
        metric, k = key.split("@")
        popularity = one["popularity"][key]
        wanted = [shown(value, 4), shown(popularity, 4), shown(value / popularity, 1) + "\u00d7" if popularity else "n/a"]
        check(rows[f"{names[metric]}@{k}"] == wanted, f"{key}: {wanted} wanted, not {rows[f'{names[metric]}@{k}']}")
check(len(rows) == 1 + 18, f"18 metrics wanted, not {len(rows) - 1}")
facts = dict(zip((words(e) for e in find(root, "dt")), (words(e) for e in find(root, "dd"))))
check(facts["Modalities"] == "shape, words" and facts["Preset"] == "none" and facts["Seed"] == "2024", f"facts are {facts}")
check(facts["Kept"].startswith(f"epoch {one['best']['epoch']}, the best on validation"), f"kept: {facts['Kept']}")
check(f"{one['best']['score']:.4f}" in facts["Kept"] and facts["Trained"].startswith("6 epochs in "), "what was kept, how long")
check(facts["Version"] == one["environment"]["version"] and facts["Threads"] == str(one["environment"]["threads"]), "the machine")
for key, value in one["config"].items():
    check(key in facts, f"the setting {key}")
    if isinstance(value, (int, float)):
        check(float(facts[key]) == value, f"{key} is {value}, not {facts[key]}")
    else:
        check(facts[key] == (" ".join(value.split()) or "\u2014"), f"{key} is {value}, not {facts[key]}")


# ---- charts: hints tell the numbers, and where a point lies agrees with them ----
def straight(pairs, what):
    """Places on paper follow the numbers in a straight line; pairs of number and place."""
    low, high = min(pairs), max(pairs)
    if high[0] - low[0] <= 1e-9:
        return
    for value, place in pairs:
        wanted = low[1] + (value - low[0]) / (high[0] - low[0]) * (high[1] - low[1])
        check(abs(place - wanted) < 0.12, f"{what}: {value} at {wanted:.2f} wanted, not {place}")


def curve(figure, panel, label, epochs, values):
    drawing = panels(root)[figure, panel]
    points = []
    for hint in find(drawing, "circle", class_="hint"):
        named = re.fullmatch(r"(.*), epoch (\d+): (.*)", words(hint))
        if named.group(1) == label:
            points.append((int(named.group(2)), number(named.group(3)), float(hint.get("cx")), float(hint.get("cy"))))
    check([p[0] for p in points] == list(epochs), f"{figure}, {panel}, {label}: epochs {list(epochs)} wanted, not {points}")
    for point, value in zip(points, values):
        check(abs(point[1] - value) <= 6e-4 * abs(value) + 1e-12, f"{figure}, {panel}, {label}: {value} wanted, not {point[1]}")
    straight([(p[0], p[2]) for p in points], f"{panel}, {label}, across")
    straight([(value, p[3]) for p, value in zip(points, values)], f"{panel}, {label}, up")
    drawn_lines = [re.findall(r"[ML]([\d.-]+) ([\d.-]+)", e.get("d")) for e in find(drawing, "path") if e.get("class").startswith("line ")]
    check([(p[2], p[3]) for p in points] in [[(float(x), float(y)) for x, y in line] for line in drawn_lines], f"{panel}: the line of {label}")
    return [(value, p[3]) for p, value in zip(points, values)]


history = one["history"]
epochs = [h["epoch"] for h in history]
losses = [h["losses"] for h in history]
up = curve("losses", "Total, ranking and penalty", "total", epochs, [x["total"] for x in losses])
up += curve("losses", "Total, ranking and penalty", "ranking", epochs, [x["ranking"] for x in losses])
up += curve("losses", "Total, ranking and penalty", "penalty", epochs, [x["penalty"] for x in losses])
straight(up, "three lines on one scale")
for label, path in (("base", lambda x: x["base"]), ("fused", lambda x: x["fused"]), ("shape", lambda x: x["modality"]["shape"]),
                    ("words", lambda x: x["modality"]["words"])):
    curve("losses", "Ranking, by branch", label, epochs, [path(x["ranking_of"]) for x in losses])
for label in ("common", "differential"):
    curve("losses", "Distillation: common and differential", label, epochs, [x[label] for x in losses])
evaluated = [h for h in history if "metrics" in h]
for title, key in (("Hit rate", "hr"), ("NDCG", "ndcg"), ("Recall", "recall")):
    for k in (5, 10, 20):
        curve("metrics", title, f"@{k}", [h["epoch"] for h in evaluated], [h["metrics"][f"{key}@{k}"] for h in evaluated])
cosine = one["look"]["cosine"][0]
for kind in ("common", "differential"):
    curve("cosine", "shape and words", kind, cosine["epochs"], cosine[kind]["mean"])


def bars(figure, panel, wanted, extent, percent=False, tolerance=6e-3):
    """Hints and lengths of rectangles; wanted: name to number."""
    found = [(words(e), float(e.get(extent))) for e in find(panels(root)[figure, panel], "rect") if find(e, "title")]
    check([f[0].rsplit(": ", 1)[0] for f in found] == list(wanted), f"{figure}, {panel}: {list(wanted)} wanted, not {found}")
    for (hint, _), value in zip(found, wanted.values()):
        told = number(hint.rsplit(": ", 1)[1]) / (100 if percent else 1)
        check(abs(told - value) <= (6e-4 if percent else tolerance * abs(value) + 1e-12), f"{panel}: {hint}, not {value}")
    straight([(abs(value), length) for (_, length), value in zip(found, wanted.values())], f"{figure}, {panel}")


parts = {f"{p['part']} {p['role']}" if p["role"] else p["part"]: p for p in one["look"]["shares"]["parts"]}
bars("shares", "Share of each part", {n: p["share"] for n, p in parts.items()}, "width", percent=True)
bars("shares", "Mean contribution, in units of the score", {n: p["contribution"] for n, p in parts.items()}, "width")
ranking = one["look"]["ranking"]
for figure, key, metrics in (("items", "by_item_popularity", {"Recall": "recall", "NDCG": "ndcg"}),
                             ("users", "by_user_activity", {"Hit rate": "hr", "Recall": "recall", "NDCG": "ndcg"})):
    for title, metric in metrics.items():
        wanted = {}
        for group in ranking[key]:
            name = f"{group['from']}\u2013{group['to']}" if group["from"] != group["to"] else f"{group['from']}"
            wanted |= {f"{name}, {side}": group[side][f"{metric}@10"] for side in ("model", "popularity")}
        bars(figure, f"{title} at 10", wanted, "height")

drawn = one["look"]["map"]
for part, title in (("common", "Common parts"), ("differential", "Differential parts")):
    drawing = panels(root)["map", title]
    for role, kind, shift in (("shape", "dots", 0), ("words", "crosses", 2)):
        (points,) = [s for s in drawn["sets"] if (s["part"], s["role"]) == (part, role)]
        (path,) = [e for e in find(drawing, "path") if e.get("class").split()[0] == kind and "key" not in e.get("class").split()]
        check(words(path) == role, f"{kind} are {role}")
        starts = re.findall(r"M([\d.]+) ([\d.]+)", path.get("d"))
        check(len(starts) == len(drawn["items"]), f"{len(drawn['items'])} points wanted in {title}, {role}, not {len(starts)}")
        straight([(x, float(s[0]) + shift) for x, s in zip(points["x"], starts)], f"{title}, {role}, across")
        straight([(y, float(s[1]) + shift) for y, s in zip(points["y"], starts)], f"{title}, {role}, up")
    for axis, which in enumerate(("first", "second")):
        check(f"{which} component ({100 * drawn['explained'][axis]:.1f} %" in words(drawing), f"what the {which} axis explains")

# ---- runs compared ----
text, root = page_of("one.json", "two.json")
well_formed(text, root)
rows = table(root)
check(rows[""] == ["A", "B", "popularity"] or rows[""] == ["A", "B", "A, popularity", "B, popularity"], f"columns: {rows['']}")
for run_place, report in enumerate((one, two)):
    check(rows["NDCG@10"][run_place] == shown(report["test"]["ndcg@10"], 4), f"NDCG@10 of run {run_place}")
    curve("losses", "Total", "AB"[run_place], [h["epoch"] for h in report["history"]], [h["losses"]["total"] for h in report["history"]])
    cosine = report["look"]["cosine"][0]
    curve("cosine", "Common: shape and words", "AB"[run_place], cosine["epochs"], cosine["common"]["mean"])
    curve("cosine", "Differential: shape and words", "AB"[run_place], cosine["epochs"], cosine["differential"]["mean_absolute"])
check(rows["HR@20"][1] == "n/a", "a cut-off that the second run lacks")
differing = {words(row[0]): [words(c) for c in row[1:]] for row in find(find(root, "table")[1], "tr")}
settings = {k for k in one["config"] if one["config"][k] != two["config"][k]}
check(settings == {"epochs", "eta.common"}, f"the two runs differ in {settings}")
check(settings | {"seed", "epochs_done", "seconds"} <= set(differing), f"rows of differences: {sorted(differing)}")
check(not (set(one["config"]) - settings) & set(differing), "no row for a setting that is the same")
check(differing["eta.common"] == [str(one["config"]["eta.common"]), "0.5"] and differing["seed"] == ["2024", "7"], "values")
check(f"{len(one['config']) - len(settings)} settings are the same" in words(root), "how many are the same")


# ---- what is missing is said ----
def write(name, report):
    with open(name, "w", encoding="utf-8") as file:
        json.dump(report, file, ensure_ascii=False)


def without(report, *keys):
    changed = copy.deepcopy(report)
    for key in keys:
        del changed[key]
    return changed


sentences = {"No cosines": "Disentangling", "No map": "Disentangling", "No shares": "scores", "No groups": "items and users"}
works(*TRAIN, "--epochs", 2, "--report", "unseen.json", "--look", "none")
write("old.json", without(one, "format", "look", "preset", "ablation"))
for name in ("unseen.json", "old.json"):
    _, root = page_of(name)
    missing = [words(e) for e in find(root, "p", class_="missing")]
    for sentence in sentences:
        check(any(m.startswith(sentence) for m in missing), f"{name}: a sentence \"{sentence} ...\" wanted")
    check(not {f.get("id") for f in find(root, "figure")} & {"cosine", "map", "shares", "items", "users"}, f"{name}: no empty figure")
check("not recorded" in words(page_of("old.json")[1]), "a run of an older version does not know its preset")
works(*TRAIN, "--epochs", 0, "--select", "none", "--report", "none.json")
_, root = page_of("none.json")
check("No epoch was trained" in words(root) and "No epoch was evaluated" in words(root), "a run without epochs")
page_of("none.json", "one.json", "old.json")  # together, too
bare = without(one)
bare["test"] = bare["popularity"] = None
write("bare.json", bare)
check("no final metrics" in words(page_of("bare.json")[1]), "a run without final metrics")

# ---- figures ----
os.mkdir("figures")
works("report", "one.json", "--figures", "figures")
check(sorted(os.listdir("figures")) == sorted(f"{n}.svg" for n in ("cosine", "items", "losses", "map", "metrics", "shares", "users")),
      f"seven figures wanted: {os.listdir('figures')}")
for name in os.listdir("figures"):
    with open(f"figures/{name}", encoding="utf-8") as file:
        text = file.read()
    ElementTree.fromstring(text)
    check(text.count("http") == 1 and "prefers-color-scheme:dark" in text and "<script" not in text, f"{name}: alone, light and dark")

# ---- hostile text is shown as text ----
evil = "<script>alert(1)</script>\"'&amp;\u202e\u0007]]>\u2028"
tame = evil.replace("\u202e", "\ufffd").replace("\u0007", "\ufffd").replace("\u2028", "\ufffd")


def put(report, place, value):
    """A copy with another value at a place: keys and numbers, the last of them new or replaced."""
    changed = copy.deepcopy(report)
    at = changed
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    return changed


hostile = one
for place in (["data", "directory"], ["config", evil], ["config", "select"], ["environment", "gemm"], ["preset"], ["ablation"],
              ["training", "ended_by"], ["best", "split"], ["selected_on"], ["test", "split"], ["test", "protocol"], ["test", f"hr@{evil}"],
              ["look", "ranking", "split"], ["look", "cosine", 0, "roles", 0], ["look", "map", "sets", 0, "role"],
              ["look", "shares", "parts", 1, "role"], ["look", "shares", "parts", 2, "part"]):
    hostile = put(hostile, place, evil)
for h in hostile["history"]:
    h["losses"]["ranking_of"]["modality"][evil] = 0.1
    if "metrics" in h:
        h["metrics"][f"hr@{evil}"] = 0.5
name = "<b>&\"'.json"
write(name, hostile)
for arguments in ((name,), (name, "one.json")):
    text, root = page_of(*arguments)
    well_formed(text, root)
    check(tame in "".join(root.itertext()), "hostile text is shown")
    check("alert" not in " ".join(e.tag for e in root.iter()) and not find(root, "b", class_=None) or len(arguments) == 2, "as text")
works("report", name, "--figures", "figures")
for figure in os.listdir("figures"):
    ElementTree.parse(f"figures/{figure}")

# ---- numbers at the edge are drawn ----
for value in (0, 1e20, -1e20, 1e-300, None, -0.0):
    odd = copy.deepcopy(one)
    for h in odd["history"]:
        h["losses"]["total"] = h["losses"]["ranking"] = value
    odd["history"][2]["losses"]["total"] = 1e20
    odd["look"]["cosine"][0]["common"]["low"][1] = value
    odd["look"]["map"]["sets"][0]["x"][3] = value
    odd["look"]["shares"]["parts"][0]["contribution"] = value
    odd["look"]["ranking"]["by_user_activity"][0]["model"]["hr@10"] = value
    odd["best"]["score"] = value
    write("odd.json", odd)
    well_formed(*page_of("odd.json"))
works(*TRAIN, "--epochs", 1, "--report", "seed.json", "--seed", 2**64 - 1)
check("1.8446744073709552e19" in words(page_of("seed.json")[1]), "a seed beyond 2^63")


# ---- what is no report is refused, and nothing is written ----
def refused(code, pattern, *arguments):
    before = sorted(os.listdir("."))
    kept = open("page.html", "rb").read()
    done = run("report", *arguments)
    message = done.stderr.decode()
    check(done.returncode == code and done.stdout == b"", f"{arguments}: exit code {code} wanted, not {done.returncode}: {message}")
    check(message.startswith("cfdtbd: ") and message.count("\n") == 1 and re.search(pattern, message), f"{pattern} wanted: {message}")
    check(sorted(os.listdir(".")) == before and open("page.html", "rb").read() == kept, "nothing written")


def refuses(pattern, content):
    with open("bad.json", "wb") as file:
        file.write(content if isinstance(content, bytes) else json.dumps(content).encode())
    refused(1, "bad.json.*" + pattern, "bad.json", "--out", "page.html")


refuses("line 1, column 0", b"")
refuses("line 2, column 13: unexpected token", b'{"format": 2,\n "history": }')
refuses("line 1, column .*duplicate", b'{"format": 2, "format": 2}')
refuses("line 1, column", b'{"format": NaN}')
refuses("line 1, column .*(depth|nest)", b"[" * 200000)
refuses("line 1, column .*(end of file|garbage)", json.dumps(one).encode() + b" {}")
refuses("line 1, column .*(UTF-8|unable to decode)", b'{"format": "\xff"}')
refuses("line 1, column", b'{"format": "\\u0000"}')
refuses("line 1, column .*overflow", b'{"format": 1e999}')
refuses("an object wanted", [])
refuses("history.*missing", {})
refuses("format: 3 is newer", put(one, ["format"], 3))
refuses("format: ", put(one, ["format"], "2"))
refuses("format: ", put(one, ["format"], 0))
refuses("history/1/losses/total: a number or null wanted", put(one, ["history", 1, "losses", "total"], "1"))
refuses("history/1/losses/total: a number or null wanted", put(one, ["history", 1, "losses", "total"], 1e21))
refuses("history/2/epoch: a whole number", put(one, ["history", 2, "epoch"], -1))
refuses("history/2/epoch: a whole number", put(one, ["history", 2, "epoch"], 1.5))
refuses("history: an array wanted", put(one, ["history"], {}))
refuses("data: an object wanted", put(one, ["data"], None))
refuses("config/layers: a number, text", put(one, ["config", "layers"], [1]))
refuses("look/cosine/0/common/mean: 7 numbers wanted", put(one, ["look", "cosine", 0, "common", "mean"], [0.5]))
refuses("look/cosine/0/roles: two", put(one, ["look", "cosine", 0, "roles"], ["a"]))
refuses("look/map/sets/1: 40 points wanted", put(one, ["look", "map", "sets", 1, "x"], []))
refuses("look/map/sets/1/y/3: a number or null wanted", put(one, ["look", "map", "sets", 1, "y", 3], {}))
refuses("look/ranking/by_user_activity/0/from: ", put(one, ["look", "ranking", "by_user_activity", 0, "from"], None))
for section in ("history", "test", "popularity", "best", "training", "data", "config", "environment", "selected_on"):
    refuses(f"\"{section}\" is missing", without(one, section))
refused(1, "nowhere.json: No such file", "one.json", "nowhere.json", "--out", "page.html")
refused(1, "figures: Is a directory", "figures", "--out", "page.html")
refused(1, "nowhere/", "one.json", "--out", "nowhere/page.html")
refused(1, "nowhere/", "one.json", "--figures", "nowhere")
refused(2, "--out is missing", "one.json")
refused(2, "RUN.json is missing", "--out", "page.html")
refused(2, "same file", "one.json", "--out", "./one.json")
refused(2, "one argument too many", *["one.json"] * 9, "--out", "page.html")
page_of(*["one.json", "two.json"] * 4)
