# SPDX-License-Identifier: Apache-2.0
"""What the scripts of this folder share: a small data set, the program, checks."""
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

SKIP = 77
N_USERS, N_ITEMS = 50, 44
NO_WORDS, NO_SHAPE = {5, 17, 30}, {9, 17}  # items that lack a modality
SMALL = ["--set", "batch_size=64", "--set", "embedding_dim=8", "--set", "layers=2", "--set", "eval_every=2"]
program = os.path.abspath(sys.argv[1])


def check(condition, what):
    if not condition:
        raise SystemExit(f"FAILED: {what}")


def run(*arguments, env=None):
    return subprocess.run([program, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, env=env)


def works(*arguments, env=None):
    done = run(*arguments, env=env)
    check(done.returncode == 0, f"cfdtbd {arguments}: exit code {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode()


def skip(why):
    print(f"skipped: {why}")
    raise SystemExit(SKIP)


def need_report():
    """Without jansson, the command must say so; then there is nothing else to check."""
    done = run("report", "none.json", "--out", "none.html")
    if b"libjansson-dev" in done.stderr:
        check(done.returncode == 1, "exit code 1 without jansson")
        skip("this cfdtbd was built without jansson")


def work_in_new_folder():
    folder = tempfile.TemporaryDirectory(prefix="cfdtbd-report.")
    os.chdir(folder.name)
    return folder  # removed when it is collected


def make_data(folder):
    """Two groups of users and items; users have 4 to 12 items and two held out for each of validation and test; popularity
    is skewed. Tags and a dense modality that say the group; some items lack one, one lacks both."""
    draw = random.Random(7)
    os.mkdir(folder)
    with open(f"{folder}/train.txt", "w") as train, open(f"{folder}/validation.txt", "w") as validation, \
            open(f"{folder}/test.txt", "w") as test:
        for user in range(N_USERS):
            wanted = draw.randint(4, 12) + 4
            items = []
            while len(items) < wanted:
                group = user % 2 if draw.random() < 0.8 else 1 - user % 2
                item = 2 * int(draw.random() ** 2 * N_ITEMS / 2) + group
                if item not in items:
                    items.append(item)
            leaked = items[-3:-1] if user < 5 else []  # one that is held out for validation, one for test
            print(user, *items[:-4], *leaked, file=train)
            print(user, *items[-4:-2], file=validation)
            print(user, *items[-2:], file=test)
    with open(f"{folder}/words.tags.txt", "w") as words:
        for item in range(N_ITEMS):
            if item not in NO_WORDS:
                print(item, item % 2, 2 + item % 5, 7 + item % 3, file=words)
    rows = [[0.0] * 6 if item in NO_SHAPE else [item % 2 + draw.gauss(0, 0.3) for _ in range(6)] for item in range(N_ITEMS)]
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({N_ITEMS}, 6), }}".ljust(117) + "\n"
    with open(f"{folder}/shape.npy", "wb") as npy:
        npy.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        for row in rows:
            npy.write(struct.pack("<6f", *row))


def read_lists(path):
    with open(path) as file:
        return {int(words[0]): [int(w) for w in words[1:]] for words in map(str.split, file)}


def load(path):
    with open(path) as file:
        return json.load(file)
