# SPDX-License-Identifier: Apache-2.0
"""The section "look" of a report against NumPy: every number again, from the query and key rows that the model exports, whose
blocks are the parts (docs/model.md, 4). And training's own bits, which a look must not change."""
import filecmp
import os

from helpers import (N_ITEMS, N_USERS, NO_SHAPE, NO_WORDS, SMALL, check, load, make_data, read_lists, run, skip, works,
                     work_in_new_folder)

try:
    import numpy as np
except ImportError:
    skip("no NumPy")

D, K = 8, 10
ROLES = ["shape", "words"]
PARTS = ["base", "common shape", "differential shape", "common words", "differential words", "fused"]
WIDTHS = [D, D, D, D, D, 4 * D]
folder = work_in_new_folder()
make_data("data")
TRAIN = ["train", "data", *SMALL, "--select", "none", "--modality", "shape=shape", "--modality", "words=words"]
train, validation, test = (read_lists(f"data/{split}.txt") for split in ("train", "validation", "test"))


def near(value, wanted, tolerance, what):
    check(value is not None and abs(value - wanted) <= tolerance, f"{what}: {wanted} wanted, not {value}")


def exported(model):
    """Query and key rows, a block for each part."""
    os.makedirs(f"{model}.rows", exist_ok=True)
    works("export", model, f"{model}.rows", "--format", "npy")
    rows = [np.load(f"{model}.rows/{name}.npy").astype(np.float64) for name in ("query", "key")]
    edges = np.cumsum([0] + WIDTHS)
    check(rows[1].shape == (N_ITEMS, edges[-1]), f"keys of {edges[-1]} columns wanted, not {rows[1].shape}")
    return [[r[:, edges[i]:edges[i + 1]] for i in range(len(WIDTHS))] for r in rows]


def unit(rows):
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms > 0, norms, 1)


# ---- cosines: at the start, and at the end ----
works(*TRAIN, "--epochs", 0, "--out", "start")
works(*TRAIN, "--epochs", 5, "--out", "end", "--report", "end.json")
report = load("end.json")
look = report["look"]
both = [i for i in range(N_ITEMS) if i not in NO_WORDS | NO_SHAPE]
(pair,) = look["cosine"]
check(pair["roles"] == ROLES, f"the pair {ROLES} wanted")
check(pair["n_items"] == len(both) == 40, f"n_items is {pair['n_items']}")
check(pair["epochs"] == [0, 1, 2, 3, 4, 5], f"epochs are {pair['epochs']}")
for place, model in ((0, "start"), (5, "end")):
    keys = exported(model)[1]
    for kind, a, b in (("common", 1, 3), ("differential", 2, 4)):
        cosines = np.sum(unit(keys[a][both]) * unit(keys[b][both]), axis=1)
        wanted = {"mean": cosines.mean(), "mean_absolute": np.abs(cosines).mean(), "low": np.quantile(cosines, 0.1),
                  "high": np.quantile(cosines, 0.9)}
        check(sorted(pair[kind]) == sorted(wanted), f"{kind} has {sorted(pair[kind])}")
        for key, value in wanted.items():
            near(pair[kind][key][place], value, 2e-5, f"{kind} {key} of {model}")
check(pair["common"]["mean"][5] > pair["common"]["mean"][0] + 0.05, "common parts must come together")

# ---- shares ----
queries, keys = exported("end")
parts = np.stack([q @ k.T for q, k in zip(queries, keys)])
scores = parts.sum(axis=0)
listed = []
for user in range(N_USERS):
    known = set(train[user]) | set(validation[user])
    best = sorted((i for i in range(N_ITEMS) if i not in known), key=lambda i: (-scores[user, i], i))
    listed += [(user, i) for i in best[:K]]
values = np.array([parts[:, u, i] for u, i in listed])
shares = look["shares"]
check((shares["k"], shares["n_users"], shares["n_scores"]) == (K, N_USERS, len(listed)), f"the sample is {shares}")
for place, part in enumerate(shares["parts"]):
    name = part["part"] + (f" {part['role']}" if part["role"] else "")
    check(name == PARTS[place], f"part {PARTS[place]} wanted, not {name}")
    near(part["share"], (np.abs(values[:, place]) / np.abs(values).sum(axis=1)).mean(), 1e-5, f"share of {name}")
    near(part["contribution"], values[:, place].mean(), 1e-4, f"contribution of {name}")
near(sum(p["share"] for p in shares["parts"]), 1, 1e-5, "the sum of shares")

# ---- groups ----
counts = np.zeros(N_ITEMS, int)
for items in train.values():
    counts[items] += 1


def places(score_of):
    """Of every held-out item; ties count against it."""
    found = {}
    for user, held in test.items():
        known = set(train[user]) | set(validation[user]) | set(held)
        row = score_of(user)
        order = sorted(held, key=lambda i: (-row[i], i))
        for place, item in enumerate(order):
            found[user, item] = place + sum(row[i] >= row[item] for i in range(N_ITEMS) if i not in known)
    return found


def gain(place):
    return 1 / np.log2(place + 2) if place < K else 0.0


def user_metrics(found, users):
    lists = [[found[u, i] for i in test[u]] for u in users]
    return {"hr@10": np.mean([min(p) < K for p in lists]), "recall@10": np.mean([np.mean([x < K for x in p]) for p in lists]),
            "ndcg@10": np.mean([sum(map(gain, p)) / sum(gain(x) for x in range(len(p))) for p in lists])}


ranking = look["ranking"]
check((ranking["split"], ranking["n_users"]) == ("test", N_USERS), "all users of the test split wanted")
rankings = {"model": places(lambda u: scores[u]), "popularity": places(lambda u: counts)}
edges = []
for group in ranking["by_item_popularity"]:
    inside = [i for i in range(N_ITEMS) if group["from"] <= counts[i] <= group["to"]]
    held = [(u, i) for u in test for i in test[u] if i in inside]
    check(group["n_items"] == len(inside) and group["n_held_out"] == len(held), f"the size of {group}")
    edges.append((group["from"], group["to"]))
    for side, found in rankings.items():
        near(group[side]["recall@10"], np.mean([found[p] < K for p in held]), 1e-9, f"{side} recall@10 of {edges[-1]}")
        near(group[side]["ndcg@10"], np.mean([gain(found[p]) for p in held]), 1e-9, f"{side} ndcg@10 of {edges[-1]}")
check(sum(g["n_held_out"] for g in ranking["by_item_popularity"]) == 2 * N_USERS, "every held-out item in one group")
check(4 <= len(edges) <= 6 and all(a[1] < b[0] for a, b in zip(edges, edges[1:])), f"groups that do not overlap: {edges}")
groups = ranking["by_user_activity"]
check(sum(g["n_users"] for g in groups) == N_USERS and 3 <= len(groups) <= 6, "every user in one group")
for group in groups:
    users = [u for u in test if group["from"] <= len(train[u]) <= group["to"]]
    check(len(users) == group["n_users"], f"the size of {group}")
    for side, found in rankings.items():
        for key, value in user_metrics(found, users).items():
            near(group[side][key], value, 1e-9, f"{side} {key} of users with {group['from']} to {group['to']}")
for side, section in (("model", "test"), ("popularity", "popularity")):
    for key in ("hr@10", "recall@10", "ndcg@10"):
        mean = sum(g["n_users"] * g[side][key] for g in groups) / N_USERS
        near(mean, report[section][key], 1e-9, f"{section} {key}, as the library's own evaluation has it")

# ---- the map ----
kept = look["map"]
check(kept["items"] == both, "the items with every modality wanted")
rows = np.concatenate([unit(keys[p][both]) for p in (1, 2, 3, 4)])
rows -= rows.mean(axis=0)
variances, directions = np.linalg.eigh(rows.T @ rows / len(rows))
check([(s["part"], s["role"]) for s in kept["sets"]] == [tuple(p.split()) for p in PARTS[1:5]], "the sets of the map")
for axis, key in enumerate("xy"):
    near(kept["explained"][axis], variances[-1 - axis] / variances.sum(), 1e-5, f"explained by {key}")
    direction = directions[:, -1 - axis]
    wanted = rows @ (direction * np.sign(direction[np.abs(direction).argmax()]))
    drawn = np.concatenate([s[key] for s in kept["sets"]])
    check(drawn.shape == wanted.shape and np.abs(drawn - wanted).max() < 2e-3, f"{key} of the map is not NumPy's")

# ---- a look changes nothing ----
works(*TRAIN, "--epochs", 5, "--out", "unseen", "--report", "unseen.json", "--look", "none")
works(*TRAIN, "--epochs", 5, "--out", "bare")
works(*TRAIN, "--epochs", 5, "--out", "seldom", "--report", "seldom.json", "--look", 2)
for other in ("unseen", "bare", "seldom"):
    check(filecmp.cmp("end", other, shallow=False), f"the same bits of the model with and without a look ({other})")
check(load("unseen.json")["look"] is None, "look is null with --look none")
check(load("unseen.json")["test"] == report["test"], "the same metrics")
check(load("seldom.json")["look"]["cosine"][0]["epochs"] == [0, 2, 4, 5], "every second epoch, and the last one")
check(load("seldom.json")["look"]["map"] == kept, "the same map")

# ---- models with less ----
works(*TRAIN[:-4], "--ablation", "base only", "--epochs", 1, "--report", "base.json")
base = load("base.json")["look"]
check(base["cosine"] == [] and base["map"] is None, "no cosine and no map without content")
near([p for p in base["shares"]["parts"] if p["part"] == "base"][0]["share"], 1, 1e-9, "the share of base alone")
works(*TRAIN, "--ablation", "no common", "--epochs", 1, "--report", "apart.json")
apart = load("apart.json")["look"]
check("common" not in apart["cosine"][0] and "differential" in apart["cosine"][0], "differential parts alone")
check([s["part"] for s in apart["map"]["sets"]] == ["differential"] * 2, "a map of differential parts alone")
works(*TRAIN, "--merge-validation", "--epochs", 1, "--report", "merged.json", "--out", "merged")
merged = load("merged.json")
for items in validation.values():
    counts[items] += 1
check([g["n_items"] for g in merged["look"]["ranking"]["by_item_popularity"]] ==
      [int(np.sum((counts >= g["from"]) & (counts <= g["to"]))) for g in merged["look"]["ranking"]["by_item_popularity"]],
      "merged validation counts as training")
for name in ("test.txt", "validation.txt"):
    os.remove(f"data/{name}")
works(*TRAIN, "--epochs", 1, "--report", "nothing.json")
check(load("nothing.json")["look"]["ranking"] is None, "no groups where nothing is held out")

# ---- the option ----
for arguments, pattern in ((["--look", "1"], b"--report is missing"), (["--look", "0", "--report", "x"], b"--look \"0\""),
                           (["--look", "some", "--report", "x"], b"or none")):
    done = run(*TRAIN, *arguments)
    check(done.returncode == 2 and pattern in done.stderr, f"{arguments}: exit code 2 and {pattern} wanted: {done.stderr}")
