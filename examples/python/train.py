# SPDX-License-Identifier: Apache-2.0
"""Trains on a small data set and recommends: python3 train.py [LIBRARY], the path of libcfdtbd.so.1 if it is not installed.

120 users, 60 items of three kinds. A user has items of one kind; the items' pictures, eight numbers each, show it."""
import sys

import numpy as np

import cfdtbd

USERS, ITEMS, KINDS = 120, 60, 3

cfdtbd.load(sys.argv[1] if len(sys.argv) > 1 else None)
random = np.random.default_rng(7)
kinds = np.arange(ITEMS, dtype=np.int32) % KINDS
pictures = random.normal(0, 0.3, (ITEMS, 8)).astype(np.float16)
pictures[np.arange(ITEMS), kinds] += 1
users = np.repeat(np.arange(USERS, dtype=np.int32), 6)
items = np.concatenate([random.choice(np.flatnonzero(kinds == user % KINDS), 6, replace=False) for user in range(USERS)])


def progress(at):
    if at.epoch_ended and at.epoch % 10 == 0:
        print(f"epoch {at.epoch}: loss {at.losses.contents.total:.3f}")
    return at.seconds > 60  # no longer than a minute


with cfdtbd.Context(device="cpu", seed=7) as context:
    data = cfdtbd.Dataset(context, USERS, ITEMS)
    data.add_interactions("train", users, items)
    data.add_dense("picture", pictures)
    config = cfdtbd.Config({"embedding_dim": 16, "epochs": 30, "select": "none", "keep.history": True})
    model = cfdtbd.Model(context, config, data)
    model.train(progress)
    scorer = cfdtbd.Scorer(model)

found, scores, counts = scorer.recommend([0, 1], 5, exclude_seen=1)
for user, row in enumerate(found):
    print(f"user {user} of kind {user % KINDS}: items {row.tolist()} of kinds {kinds[row].tolist()}")
newcomer = scorer.fold_in_user([2, 5])
print(f"who has items 2 and 5: items {scorer.recommend(newcomer, 5, exclude=[[2, 5]])[0][0].tolist()}")
print(f"parameters of users, where they lie: {model.parameter('user.id').shape}")
