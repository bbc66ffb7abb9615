# SPDX-License-Identifier: Apache-2.0
"""A reader of DLPack that is not ours, NumPy, takes the library's views over (cfd_model_dlpack, cfd_scorer_dlpack) and reads
its exports (cfd_scorer_export), through cfdtbd.py. Memory goes through an allocator that counts, so that it is seen when the
last view lets go of it."""
import ctypes
import gc
import json
import os
import struct
import tempfile
import unittest

import numpy as np

import cfdtbd
from cfdtbd import Scorer, Tensor, call, ptr, size_t, text

USERS, ITEMS, COLUMNS, WIDTH = 20, 12, 5, 4
SHAPES = {"user.id": (USERS, WIDTH), "item.id": (ITEMS, WIDTH), "user.common.photo": (USERS, WIDTH),
          "proj.differential.photo": (COLUMNS, WIDTH)}

# What the module has no use for.
cfdtbd.FUNCTIONS.update({
    "cfd_model_get_parameter": [ctypes.c_int, cfdtbd.Model, text, ptr, size_t],
    "cfd_model_set_parameter": [ctypes.c_int, cfdtbd.Model, text, ptr, size_t],
    "cfd_scorer_export": [ctypes.c_int, Scorer, text, ctypes.c_int32],
    "cfd_context_create": [ctypes.c_int, ptr, ptr]})

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ptr, [size_t], [ptr]
held = set()


@ctypes.CFUNCTYPE(ptr, ptr, size_t)
def allocate(_user, size):
    block = libc.malloc(size)
    held.add(block)
    return block


@ctypes.CFUNCTYPE(None, ptr, ptr)
def release(_user, block):
    held.remove(block)
    libc.free(block)


class CountedContext(cfdtbd.Context):
    """A context with an allocator: cfd_context_options as far as that."""
    options = cfdtbd.struct("cfd_context_options", (text, "device"), (ctypes.c_int32, "threads reserved"),
                            (ctypes.c_uint64, "seed"), (ptr, "log log_user allocate release allocator_user"))

    def __init__(self):
        options = self.options(device=b"cpu", threads=1, seed=5, allocate=ctypes.cast(allocate, ptr).value,
                               release=ctypes.cast(release, ptr).value)
        cfdtbd.Handle.__init__(self, ctypes.cast(ctypes.pointer(options), ptr))


def make_model():
    """A model of one modality: user.common.photo has gaps between its rows."""
    context = CountedContext()
    data = cfdtbd.Dataset(context, USERS, ITEMS)
    pairs = np.array([(u, i) for u in range(USERS) for i in range(ITEMS) if (u + i) % 3 == 0])
    data.add_interactions("train", pairs[:, 0], pairs[:, 1])
    data.add_dense("photo", np.random.default_rng(1).random((ITEMS, COLUMNS), np.float32))
    return cfdtbd.Model(context, cfdtbd.Config({"embedding_dim": WIDTH}), data)


def taken(model, name):
    """As NumPy itself takes it over."""
    return np.from_dlpack(Tensor("cfd_model_dlpack", model, name))


def copied(model, name):
    copy = np.empty(SHAPES[name], np.float32)
    call("cfd_model_get_parameter", model, name, copy, copy.size)
    return copy


class Views(unittest.TestCase):
    def setUp(self):
        gc.collect()
        self.assertFalse(held)
        self.model = make_model()

    def tearDown(self):
        del self.model
        gc.collect()
        self.assertFalse(held, "blocks are held after the last handle and view")

    def test_parameters_are_shown_where_they_lie(self):
        for name, shape in SHAPES.items():
            view = taken(self.model, name)
            self.assertEqual((view.shape, view.dtype), (shape, np.float32))
            np.testing.assert_array_equal(view, copied(self.model, name))
            self.assertEqual(view.ctypes.data, taken(self.model, name).ctypes.data)
        self.assertTrue(taken(self.model, "user.id").flags.c_contiguous)
        self.assertEqual(taken(self.model, "user.common.photo").strides, (2 * WIDTH * 4, 4), "two heads side by side")

    def test_they_show_what_changes(self):
        for name, shape in SHAPES.items():
            view = taken(self.model, name)
            new = np.arange(view.size, dtype=np.float32).reshape(shape) / 64
            call("cfd_model_set_parameter", self.model, name, new, new.size)
            np.testing.assert_array_equal(view, new)
            self.model.train_step()
            self.assertTrue((view != new).any())

    def test_the_module_makes_them_writable(self):
        for name, shape in SHAPES.items():
            view, mine = taken(self.model, name), self.model.parameter(name)
            self.assertEqual((mine.ctypes.data, mine.strides, mine.shape), (view.ctypes.data, view.strides, shape))
            mine[:] = np.arange(mine.size).reshape(shape)
            np.testing.assert_array_equal(copied(self.model, name), mine)
            self.assertEqual(copied(self.model, name)[-1, -1], mine.size - 1)

    def test_a_scorer_s_rows_are_its_scores(self):
        scorer = Scorer(self.model)
        queries, keys = scorer.rows("query"), scorer.rows("key")
        self.assertEqual((len(queries), len(keys)), (USERS, ITEMS))
        self.assertTrue(queries.flags.c_contiguous and keys.flags.c_contiguous and not keys.flags.writeable)
        self.assertEqual(scorer.rows("key").ctypes.data, keys.ctypes.data)
        scores = scorer.score(np.arange(USERS))
        self.assertGreater(np.abs(scores).max(), 0)
        np.testing.assert_allclose(scores, queries.astype(float) @ keys.astype(float).T, rtol=1e-5, atol=1e-6)

    def test_exports_have_the_bits_of_the_views(self):
        scorer = Scorer(self.model)
        rows = {name: scorer.rows(name) for name in ("query", "key")}
        with tempfile.TemporaryDirectory() as folder:
            call("cfd_scorer_export", scorer, folder, 1)
            for name in rows:
                loaded = np.load(os.path.join(folder, name + ".npy"))
                self.assertTrue(loaded.dtype == np.dtype("<f4") and loaded.flags.c_contiguous)
                np.testing.assert_array_equal(loaded, rows[name])
            path = os.path.join(folder, "vectors.safetensors")
            call("cfd_scorer_export", scorer, path, 0)
            with open(path, "rb") as file:
                header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
                data = file.read()
            self.assertEqual(header.pop("__metadata__")["format"], "cfdtbd-vectors")
            self.assertEqual(sorted(header), ["key", "query"])
            for name in rows:
                begin, end = header[name]["data_offsets"]
                self.assertEqual(header[name]["shape"], list(rows[name].shape))
                self.assertEqual(data[begin:end], rows[name].tobytes())

    def test_views_outlive_what_they_show(self):
        views = {name: taken(self.model, name) for name in SHAPES}
        views["writable"] = self.model.parameter("item.id")
        scorer = Scorer(self.model)
        queries, views["key"] = scorer.rows("query"), scorer.rows("key")
        kept = {name: view.copy() for name, view in views.items()}
        scorer.close()
        self.model.close()
        gc.collect()
        for name, view in views.items():
            np.testing.assert_array_equal(view, kept[name])
        del queries, view
        gc.collect()
        np.testing.assert_array_equal(views["key"], kept["key"])
        last = views["writable"][3:, :2]  # a view of a view
        views.clear()
        gc.collect()
        np.testing.assert_array_equal(last, kept["writable"][3:, :2])
        self.assertTrue(held, "the last view keeps the memory")

    def test_a_view_that_nobody_takes_over_ends(self):
        tensor = Tensor("cfd_model_dlpack", self.model, "item.id")
        self.assertEqual(tensor.__dlpack_device__(), (1, 0))
        capsule = tensor.__dlpack__()
        self.assertIn("dltensor", repr(capsule))
        del capsule

    def test_a_view_is_taken_over_once(self):
        tensor = Tensor("cfd_model_dlpack", self.model, "item.id")
        first = np.from_dlpack(tensor)
        with self.assertRaises((ValueError, BufferError)):
            np.from_dlpack(tensor)
        del tensor
        gc.collect()
        np.testing.assert_array_equal(first, copied(self.model, "item.id"))

    def test_names_that_there_are_not(self):
        for function, handle in (("cfd_model_dlpack", self.model), ("cfd_scorer_dlpack", Scorer(self.model))):
            with self.assertRaisesRegex(cfdtbd.Error, "nobody"):
                Tensor(function, handle, "nobody")


if __name__ == "__main__":
    unittest.main()
