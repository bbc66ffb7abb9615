# SPDX-License-Identifier: Apache-2.0
"""NumPy takes over the library's views (cfd_model_dlpack, cfd_scorer_dlpack) and reads its exports (cfd_scorer_export).

Called with the shared library's path. Any check that fails ends it with an exception. Memory goes through an allocator that
is counted here, so that it is seen when the last view lets go of it.
"""
import ctypes
import gc
import json
import os
import struct
import sys
import tempfile

import numpy

USERS, ITEMS, COLUMNS, WIDTH = 20, 12, 5, 4
CPU = 1  # DLPack's number of the device

library = ctypes.CDLL(sys.argv[1])
library.cfd_last_error.restype = ctypes.c_char_p
pointer = ctypes.c_void_p


def call(function, *arguments):
    """Calls a fallible function of the library."""
    if getattr(library, function)(*arguments) != 0:
        raise RuntimeError(f"{function}: {library.cfd_last_error().decode()}")


def made(function, *arguments):
    """What a function of the library gives in its last argument."""
    handle = pointer()
    call(function, *arguments, ctypes.byref(handle))
    return handle


def check(condition, what):
    if not condition:
        raise AssertionError(what)


# ---- memory that is counted ----

libc = ctypes.CDLL(None)
libc.malloc.restype = pointer
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [pointer]
held = set()


@ctypes.CFUNCTYPE(pointer, pointer, ctypes.c_size_t)
def allocate(_user, size):
    block = libc.malloc(size)
    held.add(block)
    return block


@ctypes.CFUNCTYPE(None, pointer, pointer)
def release(_user, block):
    held.remove(block)
    libc.free(block)


class ContextOptions(ctypes.Structure):
    """cfd_context_options as far as its allocator: the rest has its defaults."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("device", ctypes.c_char_p),
        ("threads", ctypes.c_int32),
        ("reserved", ctypes.c_int32),
        ("seed", ctypes.c_uint64),
        ("log", pointer),
        ("log_user", pointer),
        ("allocate", pointer),
        ("release", pointer),
        ("allocator_user", pointer),
    ]


# ---- a view, as NumPy wants to be handed it ----

new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype = ctypes.py_object
new_capsule.argtypes = [pointer, ctypes.c_char_p, pointer]


class View:
    """Has the two methods by which array libraries take a tensor over."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __dlpack__(self, **_wishes):
        return new_capsule(self.tensor, b"dltensor", None)  # the name must live on: a literal does

    def __dlpack_device__(self):
        return (CPU, 0)


def array_of(function, handle, name):
    return numpy.from_dlpack(View(made(function, handle, name)))


def floats(array):
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_float))


# ---- a small world ----


def make_model():
    """A context, and a model of one modality: user.common.photo has gaps between its rows."""
    options = ContextOptions()
    options.struct_size = ctypes.sizeof(options)
    options.device = b"cpu"
    options.threads = 1
    options.seed = 5
    options.allocate = ctypes.cast(allocate, pointer)
    options.release = ctypes.cast(release, pointer)
    context = made("cfd_context_create", ctypes.byref(options))
    data = made("cfd_dataset_create", context, USERS, ITEMS)
    pairs = [(u, i) for u in range(USERS) for i in range(ITEMS) if (u + i) % 3 == 0]
    users, items = (numpy.array(ids, numpy.int32) for ids in zip(*pairs))
    call("cfd_dataset_add_interactions", data, 0, pointer(users.ctypes.data), pointer(items.ctypes.data),
         ctypes.c_size_t(len(pairs)))
    photo = numpy.random.default_rng(1).random((ITEMS, COLUMNS), numpy.float32)
    call("cfd_dataset_add_dense_modality", data, b"photo", floats(photo), 0, COLUMNS, ctypes.c_size_t(COLUMNS))
    config = made("cfd_config_create")
    call("cfd_config_set", config, b"embedding_dim", str(WIDTH).encode())
    model = made("cfd_model_create", context, config, data)
    library.cfd_config_destroy(config)
    library.cfd_dataset_destroy(data)
    return context, model


def parameter(model, name, shape):
    copy = numpy.empty(shape, numpy.float32)
    call("cfd_model_get_parameter", model, name, floats(copy), ctypes.c_size_t(copy.size))
    return copy


# ---- checks ----


def check_parameters(model):
    """NumPy sees the numbers, where they lie, and what becomes of them."""
    shapes = {b"user.id": (USERS, WIDTH), b"item.id": (ITEMS, WIDTH), b"user.common.photo": (USERS, WIDTH),
              b"proj.differential.photo": (COLUMNS, WIDTH)}
    views = {}
    for name, shape in shapes.items():
        views[name] = array_of("cfd_model_dlpack", model, name)
        check(views[name].shape == shape and views[name].dtype == numpy.float32, f"{name}: {views[name].shape}")
        check((views[name] == parameter(model, name, shape)).all(), f"{name}: the model's numbers wanted")
    check(views[b"user.id"].flags.c_contiguous, "user.id without gaps")
    check(views[b"user.common.photo"].strides == (2 * WIDTH * 4, 4), "two heads side by side")
    again = array_of("cfd_model_dlpack", model, b"user.id")
    check(again.ctypes.data == views[b"user.id"].ctypes.data, "two views of one memory")

    for name, shape in shapes.items():
        new = numpy.arange(shape[0] * shape[1], dtype=numpy.float32).reshape(shape) / 64
        call("cfd_model_set_parameter", model, name, floats(new), ctypes.c_size_t(new.size))
        check((views[name] == new).all(), f"{name}: the view does not show what was set")
    before = views[b"user.common.photo"].copy()
    call("cfd_train_step", model, None, None)
    check((views[b"user.common.photo"] != before).any(), "the view does not show a step")
    ctypes.c_float.from_address(again.ctypes.data).value = 0.25
    check(parameter(model, b"user.id", (USERS, WIDTH))[0, 0] == 0.25, "the model has what was written through a view")
    return views


def check_scores(scorer, queries, keys):
    """Inner products of the two views are the scores."""
    check(queries.shape[0] == USERS and keys.shape[0] == ITEMS, f"{queries.shape}, {keys.shape}")
    check(queries.flags.c_contiguous and keys.flags.c_contiguous, "rows without gaps")
    again = array_of("cfd_scorer_dlpack", scorer, b"key")
    check(again.ctypes.data == keys.ctypes.data, "two views of one memory")
    scores = numpy.empty((USERS, ITEMS), numpy.float32)
    users = numpy.arange(USERS, dtype=numpy.int32)
    call("cfd_score_users", scorer, pointer(users.ctypes.data), ctypes.c_size_t(USERS), None, ctypes.c_size_t(0),
         floats(scores))
    products = queries.astype(float) @ keys.astype(float).T
    check(numpy.abs(scores).max() > 0 and numpy.allclose(scores, products, rtol=1e-5, atol=1e-6), "the scores wanted")


def check_exports(scorer, queries, keys):
    """The files hold the bits of the views, as NumPy and a plain reading of safetensors see them."""
    with tempfile.TemporaryDirectory() as folder:
        call("cfd_scorer_export", scorer, folder.encode(), 1)
        for name, rows in (("query", queries), ("key", keys)):
            loaded = numpy.load(os.path.join(folder, name + ".npy"))
            check(loaded.dtype == numpy.dtype("<f4") and loaded.flags.c_contiguous, f"{name}.npy: {loaded.dtype}")
            check(numpy.array_equal(loaded, rows), f"{name}.npy: the scorer's rows wanted")
        path = os.path.join(folder, "vectors.safetensors")
        call("cfd_scorer_export", scorer, path.encode(), 0)
        with open(path, "rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
            data = file.read()
        check(header.pop("__metadata__")["format"] == "cfdtbd-vectors", "metadata")
        check(sorted(header) == ["key", "query"], "two tensors")
        for name, rows in (("query", queries), ("key", keys)):
            begin, end = header[name]["data_offsets"]
            check(header[name]["shape"] == list(rows.shape), f"{name}: shape")
            check(data[begin:end] == rows.tobytes(), f"{name}: the scorer's bytes wanted")


def main():
    context, model = make_model()
    views = check_parameters(model)
    scorer = made("cfd_scorer_create", model)
    queries = array_of("cfd_scorer_dlpack", scorer, b"query")
    keys = array_of("cfd_scorer_dlpack", scorer, b"key")
    check_scores(scorer, queries, keys)
    check_exports(scorer, queries, keys)

    kept = {name: view.copy() for name, view in views.items()}
    key_copy = keys.copy()
    library.cfd_scorer_release(scorer)
    library.cfd_model_destroy(model)
    library.cfd_context_destroy(context)
    gc.collect()
    check(all((view == kept[name]).all() for name, view in views.items()), "views outlive the model")
    del queries
    gc.collect()
    check((keys == key_copy).all(), "a view outlives the scorer and its other view")
    last = views.pop(b"item.id")
    views.clear()
    del keys
    gc.collect()
    check((last == kept[b"item.id"]).all() and held, "the last view keeps the memory")
    del last
    gc.collect()
    check(not held, f"{len(held)} blocks are still held after the last view")


main()
