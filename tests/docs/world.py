# SPDX-License-Identifier: Apache-2.0
"""Small data for the commands of the documentation: data set directories, a table of interactions, what apt-cache prints."""
import random
import struct

USERS, ITEMS = 60, 40


def name_of_user(user):
    return ("alice", "anna", "bob")[user] if user < 3 else f"user-{user}"


def name_of_item(item):
    return ("red shoes", "scarf", "blue shoes")[item] if item < 3 else f"item-{item}"


def interactions(n_users, n_items, each):
    """For each user `each` items, most of the user's own kind (even or odd), the low numbers more often."""
    draw = random.Random(7)
    for user in range(n_users):
        taken = []
        while len(taken) < each:
            kind = user % 2 if taken else 1 - user % 2
            item = 2 * int(n_items / 2 * draw.random() ** 2) + kind
            if item not in taken:
                taken.append(item)
        yield user, taken


def write_dense(path, n_items, columns):
    """float32 in NumPy's format 1.0, rows told apart by kind."""
    draw = random.Random(len(path.name))
    shape = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({n_items}, {columns}), }}"
    with path.open("wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + shape.ljust(117).encode() + b"\n")
        for item in range(n_items):
            row = [draw.gauss(1 if column % 2 == item % 2 else 0, 0.3) for column in range(columns)]
            file.write(struct.pack(f"<{columns}f", *row))


def write_tags(path, n_items, columns):
    draw = random.Random(len(path.name))
    with path.open("w") as file:
        for item in range(n_items):
            tags = {item % 2, 2 + item % (columns - 2)} | {draw.randrange(columns) for _ in range(3)}
            print(item, *sorted(tags), file=file)


def write_directory(folder, n_users, n_items, dense=(), tags=(), columns=8):
    """A data set directory, the last two items of each user held out."""
    folder.mkdir()
    with (folder / "train.txt").open("w") as train, (folder / "validation.txt").open("w") as validation, \
            (folder / "test.txt").open("w") as test:
        for user, items in interactions(n_users, n_items, 10):
            print(user, *items[:-2], file=train)
            print(user, items[-2], file=validation)
            print(user, items[-1], file=test)
    (folder / "users.names.txt").write_text("".join(name_of_user(user) + "\n" for user in range(n_users)))
    (folder / "items.names.txt").write_text("".join(name_of_item(item) + "\n" for item in range(n_items)))
    for name in dense:
        write_dense(folder / f"{name}.npy", n_items, columns)
    for name in tags:
        write_tags(folder / f"{name}.tags.txt", n_items, columns)


def write_ratings(path):
    draw = random.Random(11)
    with path.open("w") as file:
        print("user,item,timestamp,rating", file=file)
        for user, items in interactions(USERS, ITEMS, 15):
            for item in items:
                when = 1700000000 + draw.randrange(10000000)
                print(name_of_user(user), name_of_item(item), when, draw.choice("34555"), sep=",", file=file)


def write_packages(path):
    """Stanzas as apt-cache dumpavail prints them: programs that depend on libraries."""
    with path.open("w") as file:
        for user, items in interactions(USERS, ITEMS, 10):
            name = ("git", "gimp")[user] if user < 2 else f"program{user}"
            needs = ", ".join(f"lib{item}" for item in items)
            print(f"Package: {name}\nVersion: 1.0\nDepends: {needs}\nDescription: a program\nTag: role::program\n", file=file)
        for item in range(ITEMS):
            tag = ("works-with::image", "works-with::text")[item % 2]
            about = ("pictures", "documents")[item % 2]
            print(f"Package: lib{item}\nVersion: 1.0\nDescription: library for {about}, part {item % 7}\n"
                  f"Tag: role::shared-lib, {tag}\n", file=file)


def write_all(folder):
    """Everything that a page's folder begins with, but for the model."""
    write_directory(folder / "DATA", USERS, ITEMS, dense=["photo"], tags=["title"])
    write_directory(folder / "BEAUTY", 300, 400, tags=["visual", "title"], columns=400)
    write_directory(folder / "TIKTOK", 300, 400, dense=["image", "audio"])
    write_ratings(folder / "ratings.csv")
    write_packages(folder / "dumpavail.txt")
