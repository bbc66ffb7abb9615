# SPDX-License-Identifier: Apache-2.0
"""examples/python/cfdtbd.py: trains as the program does, hands arrays over where they lie, carries exceptions out of C,
refuses what would harm, lets handles go in any order and threads score at once. And the example beside it."""
import contextlib
import ctypes
import gc
import os
import subprocess
import sys
import tempfile
import threading
import unittest
from unittest import mock

import numpy as np

import cfdtbd

USERS, ITEMS, COLUMNS = 30, 20, 6
SETTINGS = {"embedding_dim": 4, "batch_size": 32, "epochs": 3, "select": "none", "keep.history": True}
PAIRS = np.array([(u, i) for u in range(USERS) for i in range(ITEMS) if (u + i) % 4 == 0], np.int32)
PHOTO = np.random.default_rng(3).integers(-16, 16, (ITEMS, COLUMNS)) / 8  # exact in every type
TAGS = np.arange(ITEMS + 1, dtype=np.int64), np.arange(ITEMS, dtype=np.int32) % 3


def make_data(context, photo=PHOTO):
    data = cfdtbd.Dataset(context, USERS, ITEMS)
    data.add_interactions("train", PAIRS[:, 0], PAIRS[:, 1])
    data.add_dense("photo", photo)
    data.add_sparse("words", 3, *TAGS)
    return data


def make_model(photo=PHOTO, **settings):
    context = cfdtbd.Context("cpu", 1, 9)
    return cfdtbd.Model(context, cfdtbd.Config({**SETTINGS, **settings}), make_data(context, photo))


class Offered:
    """An array of another library's: it has nothing but DLPack."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **wishes):
        return self.array.__dlpack__()

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class Training(unittest.TestCase):
    @unittest.skipUnless("CFDTBD_PROGRAM" in os.environ, "the program is not built")
    def test_is_the_program_s(self):
        """The same files, settings and seed: the same bits."""
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "train.txt"), "w") as file:
                for user in range(USERS):
                    print(user, *PAIRS[PAIRS[:, 0] == user, 1], file=file)
            np.save(os.path.join(folder, "photo.npy"), PHOTO.astype(np.float32))
            theirs, mine = (os.path.join(folder, name) for name in ("theirs.safetensors", "mine.safetensors"))
            settings = [part for key, value in SETTINGS.items() for part in
                        ("--set", f"{key}={'yes' if value is True else value}")]
            subprocess.run([os.environ["CFDTBD_PROGRAM"], "train", folder, "--out", theirs, "--seed", "9", *settings],
                           check=True, capture_output=True)
            context = cfdtbd.Context("cpu", 2, 9)
            model = cfdtbd.Model(context, cfdtbd.Config(SETTINGS), cfdtbd.Dataset(context, folder))
            model.train()
            model.save(mine)
            rows = [cfdtbd.Scorer(context, path).rows("query") for path in (theirs, mine)]
            self.assertTrue(rows[0].any())
            np.testing.assert_array_equal(rows[0], rows[1])
            np.testing.assert_array_equal(cfdtbd.Scorer(model).rows("query"), rows[1])

    def test_reports_and_counts(self):
        model, seen = make_model(), []
        summary = model.train(lambda at: seen.append((at.epoch, at.epoch_ended, at.losses and at.losses.contents.total)))
        steps = -(-len(PAIRS) // SETTINGS["batch_size"])
        self.assertEqual((summary.epochs_done, summary.stopped_by_caller), (3, 0))
        self.assertEqual(len(seen), 3 * (steps + 1))
        self.assertEqual([at[0] for at in seen if at[1]], [1, 2, 3])
        ends = [at[2] for at in seen if at[1]]
        twin = make_model()
        for total in ends:
            self.assertAlmostEqual(np.mean([twin.train_step().total for _ in range(steps)]), total, places=12)
        np.testing.assert_array_equal(twin.parameter("item.id"), model.parameter("item.id"))
        self.assertEqual((model.info.n_users, model.info.n_items, model.info.n_modalities), (USERS, ITEMS, 2))
        self.assertIn("n_users=30", repr(model.info))

    def test_stops_when_told(self):
        model, calls = make_model(), []
        summary = model.train(lambda at: calls.append(at.epoch) or at.epoch == 2)
        self.assertEqual((summary.stopped_by_caller, calls.count(2), calls[-1]), (1, 1, 2))
        self.assertEqual(model.train().epochs_done, 3)

    def test_exceptions_come_out(self):
        for kind in (ZeroDivisionError, KeyboardInterrupt, SystemExit):
            model, calls = make_model(), []

            def stop(at):
                calls.append(at.step)
                raise kind("enough")

            with self.assertRaisesRegex(kind, "enough"):
                model.train(stop)
            self.assertEqual(len(calls), 1, "it goes on after an exception")
            self.assertEqual(model.train().epochs_done, 3)

    def test_writing_to_a_view_changes_scores(self):
        model = make_model()
        before, view = cfdtbd.Scorer(model).score([0]), model.parameter("user.id")
        view[0] = 8 * view[0] + 1
        after = cfdtbd.Scorer(model).score([0])
        self.assertTrue((before != after).any())
        kept = view.copy()
        model.train_step()
        self.assertTrue((view != kept).any())


class Arrays(unittest.TestCase):
    def test_features_of_every_type(self):
        """The same numbers train the same model, whatever they are kept in and however they lie."""
        wide = np.zeros((ITEMS, 2 * COLUMNS))
        wide[:, ::2] = PHOTO
        unaligned = np.frombuffer(b"\0" + PHOTO.tobytes(), np.uint8)[1:].view(np.float64).reshape(PHOTO.shape)
        self.assertFalse(unaligned.flags.aligned)
        kinds = {"float32": PHOTO.astype(np.float32), "float16": PHOTO.astype(np.float16), "float64": PHOTO,
                 "other byte order": PHOTO.astype(">f4"), "list": PHOTO.tolist(), "columns first": np.asfortranarray(PHOTO),
                 "gaps": wide[:, ::2], "backwards": PHOTO[::-1].copy()[::-1], "offered": Offered(PHOTO.astype(np.float32)),
                 "unaligned": unaligned}
        wanted = {name: make_model(photo, **{"modalities": "photo"}) for name, photo in kinds.items()}
        first = wanted.pop("float32").train_step().total
        for name, model in wanted.items():
            self.assertAlmostEqual(model.train_step().total, first, places=6, msg=name)
        self.assertNotAlmostEqual(make_model(2 - PHOTO, modalities="photo").train_step().total, first, places=4)

    def test_are_handed_over_where_they_lie(self):
        data, handed = cfdtbd.Dataset(cfdtbd.Context("cpu", 1), USERS, ITEMS), []
        photos = [PHOTO.astype(kind) for kind in (np.float32, np.float64, np.float16)]
        users, items = (np.ascontiguousarray(ids) for ids in PAIRS.T)
        with mock.patch.object(cfdtbd, "call", lambda _, *a, **named: handed.extend(
                [] if named else [x.ctypes.data for x in a if isinstance(x, np.ndarray)]) or mock.Mock(n_items=ITEMS)):
            for photo in photos:
                data.add_dense("photo", photo)
            data.add_dense("photo", Offered(photos[0]))
            data.add_interactions("train", users, Offered(items))
            data.add_sparse("words", 3, *TAGS)
        self.assertEqual(handed, [a.ctypes.data for a in (*photos, photos[0], users, items, *TAGS)])

    def test_out(self):
        scorer = cfdtbd.Scorer(make_model())
        out = np.full((2, ITEMS), np.nan, np.float32)
        self.assertIs(scorer.score([3, 1], out=out), out)
        np.testing.assert_array_equal(out, scorer.score([3, 1]))
        np.testing.assert_array_equal(out[:, [5, 0]], scorer.score([3, 1], [5, 0]))
        readonly = out.copy()
        readonly.flags.writeable = False
        for wrong in (out[:1], out.astype(np.float64), np.asfortranarray(out), out[:, ::-1], readonly, out.astype(">f4")):
            with self.assertRaisesRegex(ValueError, "float32"):
                scorer.score([3, 1], out=wrong)

    def test_ids_are_never_others_than_were_given(self):
        scorer = cfdtbd.Scorer(make_model())
        np.testing.assert_array_equal(scorer.score(np.array([1, 2], np.int64)), scorer.score(range(1, 3)))
        for wrong in ([2 ** 32], [2 ** 31], [[1, 2]], ["1"], np.array([2 ** 63], np.uint64)):
            with self.assertRaises((ValueError, OverflowError, TypeError), msg=wrong):
                scorer.score(wrong)
        with self.assertRaises(ValueError):
            scorer.score([0], [1.5])

    def test_sizes_that_differ(self):
        data = cfdtbd.Dataset(cfdtbd.Context("cpu", 1), USERS, ITEMS)
        for call in (lambda: data.add_interactions("train", [1, 2], [1]), lambda: data.add_interactions("tests", [1], [1]),
                     lambda: data.add_dense("photo", PHOTO[1:]), lambda: data.add_dense("photo", PHOTO[0]),
                     lambda: data.add_sparse("words", 3, TAGS[0][1:], TAGS[1]),
                     lambda: data.add_sparse("words", 3, TAGS[0], TAGS[1][1:]),
                     lambda: data.add_sparse("words", 3, *TAGS, np.ones(ITEMS - 1)),
                     lambda: cfdtbd.Scorer(make_model()).score(np.zeros(5, np.float32)),
                     lambda: cfdtbd.Scorer(make_model()).recommend([1, 2], 3, exclude=[[1]])):
            self.assertRaises(ValueError, call)
        data.add_sparse("words", 3, *TAGS, np.ones(ITEMS))
        self.assertEqual(data.info.n_modalities, 1)


class Serving(unittest.TestCase):
    def setUp(self):
        model = make_model()
        model.train()
        self.scorer = cfdtbd.Scorer(model)

    def test_lists_are_the_best_scores(self):
        items, scores, counts = self.scorer.recommend([4, 4, 0], 6)
        self.assertEqual((items.shape, items.dtype, scores.dtype, counts.tolist()), ((3, 6), np.int32, np.float32, [6] * 3))
        all_scores = self.scorer.score([4, 4, 0])
        np.testing.assert_array_equal(np.take_along_axis(all_scores, items, 1), scores)
        np.testing.assert_array_equal(scores, -np.sort(-all_scores)[:, :6])
        self.assertEqual(self.scorer.info.n_items, ITEMS)

    def test_what_is_left_out(self):
        everything = set(range(ITEMS))
        seen = set(PAIRS[PAIRS[:, 0] == 4, 1].tolist())

        def listed(**rules):
            items, _, counts = self.scorer.recommend([4, 5], ITEMS, **rules)
            self.assertTrue((items[0, counts[0]:] == -1).all())
            return set(items[0, :counts[0]].tolist()), set(items[1, :counts[1]].tolist())

        self.assertEqual(listed(exclude_seen=1)[0], everything - seen)
        self.assertEqual(listed(exclude=[[1, 2], []]), (everything - {1, 2}, everything))
        self.assertEqual(listed(exclude=[[], [7]]), (everything, everything - {7}))
        self.assertEqual(listed(allow_items=[3, 9])[0], {3, 9})
        self.assertEqual(listed(allow_items=[])[0], set())
        self.assertEqual(listed(deny_items=[3, 9], exclude=[[1], []])[0], everything - {1, 3, 9})
        scores = self.scorer.score([4])[0]
        middle = float(np.median(scores))
        self.assertEqual(listed(has_min_score=1, min_score=middle)[0], set(np.flatnonzero(scores >= middle).tolist()))

    def test_users_who_were_not_there(self):
        query = self.scorer.fold_in_user([1, 5])
        self.assertEqual((query.shape, query.dtype), ((self.scorer.info.width,), np.float32))
        scores = self.scorer.score(query)
        np.testing.assert_allclose(scores[0], self.scorer.rows("key") @ query, rtol=1e-4, atol=1e-6)
        items, found, _ = self.scorer.recommend(np.stack([query, 2 * query]), 4, exclude=[[1, 5], []])
        self.assertFalse({1, 5} & set(items[0].tolist()))
        np.testing.assert_array_equal(found[0], scores[0, items[0]])
        np.testing.assert_array_equal(self.scorer.score(query, [3, 2])[0], scores[0, [3, 2]])

    def test_many_threads_at_once(self):
        wanted, problems = self.scorer.score(np.arange(USERS)), []

        def ask(first):
            try:
                for _ in range(50):
                    users = (np.arange(7) + first) % USERS
                    np.testing.assert_array_equal(self.scorer.score(users), wanted[users])
                    items, scores, _ = self.scorer.recommend(users, 5, exclude_seen=1)
                    np.testing.assert_array_equal(np.take_along_axis(wanted[users], items, 1), scores)
                    with self.assertRaisesRegex(cfdtbd.Error, str(1000 + first)):  # messages are each thread's own
                        self.scorer.score([1000 + first])
            except BaseException as problem:
                problems.append(problem)

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])
        self.assertNotIsInstance(cfdtbd.load(), ctypes.PyDLL, "which would keep Python's lock")

    def test_closing_while_a_thread_asks(self):
        scorer, begun, ends = self.scorer, threading.Barrier(5), []

        def ask():
            begun.wait()
            with contextlib.suppress(cfdtbd.Error):
                while True:
                    scorer.recommend(np.arange(USERS), ITEMS)
            ends.append(1)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        begun.wait()
        scorer.close()
        for thread in threads:
            thread.join()
        self.assertEqual(len(ends), 4)


class Failures(unittest.TestCase):
    def test_name_the_culprit(self):
        with self.assertRaisesRegex(cfdtbd.Error, "layerz") as caught:
            cfdtbd.Config()["layerz"] = 3
        self.assertEqual((caught.exception.status, caught.exception.name), (2, "CFD_ERROR_CONFIG"))
        with self.assertRaisesRegex(cfdtbd.Error, "/nowhere"):
            cfdtbd.Dataset(cfdtbd.Context("cpu"), "/nowhere")
        with self.assertRaisesRegex(cfdtbd.Error, "nope"):
            cfdtbd.Context("nope")
        photo = PHOTO.copy()
        photo[3, 1] = np.nan
        with self.assertRaisesRegex(cfdtbd.Error, "3"):
            make_model(photo)
        with self.assertRaises(cfdtbd.Error) as caught:
            cfdtbd.Scorer(make_model()).score([USERS])
        self.assertEqual(caught.exception.name, "CFD_ERROR_ARGUMENT")

    def test_handles_of_another_kind(self):
        context, config = cfdtbd.Context("cpu"), cfdtbd.Config()
        with self.assertRaisesRegex(ctypes.ArgumentError, "a Context is wanted, not a Config"):
            cfdtbd.Model(config, context, make_data(context))
        self.assertRaises(ctypes.ArgumentError, cfdtbd.Scorer, None)

    def test_fields_that_there_are_not(self):
        with self.assertRaisesRegex(AttributeError, "exclude_sen"):
            cfdtbd.Scorer(make_model()).recommend([1], 3, exclude_sen=1)

    def test_closed_handles(self):
        with make_model() as model, cfdtbd.Scorer(model) as scorer:
            self.assertEqual(scorer.info.n_users, USERS)
        for call in (model.train_step, lambda: model.info, lambda: model.parameter("user.id"), lambda: scorer.score([1])):
            self.assertRaises(cfdtbd.Error, call)
        scorer.close()


class Settings(unittest.TestCase):
    def test_go_in_and_out(self):
        config = cfdtbd.Config({"epochs": 7, "keep.history": True, "lambda.photo": 0.25, "select": "none"})
        keys = ("epochs", "keep.history", "lambda.photo", "select")
        self.assertEqual([config[key] for key in keys], ["7", "yes", "0.25", "none"])
        config["keep.history"] = False
        self.assertEqual(config["keep.history"], "no")
        self.assertRaises(cfdtbd.Error, lambda: config["nothing"])


class Lives(unittest.TestCase):
    def test_handles_end_in_any_order(self):
        for order in ((0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 0, 4, 1, 3)):
            context, config = cfdtbd.Context("cpu", 2), cfdtbd.Config(SETTINGS)
            data = make_data(context)
            model = cfdtbd.Model(context, config, data)
            handles = [context, config, data, model, cfdtbd.Scorer(model)]
            del context, config, data, model
            for place in order:
                handles[place] = None
                gc.collect()
                if handles[3] is not None:
                    handles[3].train_step()
                if handles[4] is not None:
                    self.assertEqual(handles[4].score([0]).shape, (1, ITEMS))

    def test_each_is_destroyed_once(self):
        context, ended = cfdtbd.Context("cpu", 1), []
        with mock.patch.object(cfdtbd.Config, "ends", "cfd_config_destroy"), \
                mock.patch.object(cfdtbd.load(), "cfd_config_destroy", ended.append):
            config = cfdtbd.Config()
            owned = config.owned.value
            config.close()
            config.close()
            del config
            gc.collect()
        self.assertEqual(ended, [owned])
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(("cfd_config_destroy", cfdtbd.load()))(owned)
        context.close()


class Loading(unittest.TestCase):
    def python(self, program, *arguments, **environment):
        clean = {name: value for name, value in os.environ.items() if name != "CFDTBD_LIBRARY"}
        done = subprocess.run([sys.executable, "-B", "-c", program, *arguments], env={**clean, **environment},
                              capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def test_where_it_looks(self):
        path = os.environ["CFDTBD_LIBRARY"]
        ask = "import cfdtbd, sys; cfdtbd.load(*sys.argv[1:]); print(cfdtbd.Config()['layers'])"
        self.assertEqual(self.python(ask, path)[0], 0)
        self.assertEqual(self.python(ask, CFDTBD_LIBRARY=path)[0], 0)
        self.assertEqual(self.python(ask, LD_LIBRARY_PATH=os.path.dirname(path))[0], 0)
        self.assertEqual(self.python(ask, path, CFDTBD_LIBRARY="/nowhere/lib.so")[0], 0)
        code, said = self.python(ask, "/nowhere/lib.so", CFDTBD_LIBRARY=path)
        self.assertTrue(code != 0 and "/nowhere/lib.so" in said)

    def test_the_example(self):
        path = os.path.join(os.path.dirname(cfdtbd.__file__), "train.py")
        done = subprocess.run([sys.executable, "-B", path], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for user in range(2):
            kinds = done.stdout.split(f"user {user} of kind {user}: ")[1].split("of kinds [")[1].split("]")[0]
            self.assertEqual(kinds, ", ".join([str(user)] * 5))

    def test_it_stays_small(self):
        with open(cfdtbd.__file__) as file:
            self.assertLessEqual(len(file.readlines()), 200)


if __name__ == "__main__":
    unittest.main()
