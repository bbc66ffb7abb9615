# SPDX-License-Identifier: Apache-2.0
"""libcfdtbd from Python through ctypes: train, score, recommend. train.py beside this file shows it at work.
It needs NumPy, and libcfdtbd.so.1 at the path given to load(), or in $CFDTBD_LIBRARY, or where the system's loader looks.
What each call does stands in cfdtbd.h. Failures are raised as Error. Handles end when closed, left as context managers or
collected, in any order. Calls release Python's lock: any number of threads may use a Scorer, one at a time other handles.
Arrays are read where they lie if their type is the library's; what offers DLPack on the host is as good as NumPy's."""
import ctypes, os, weakref, numpy as np
from ctypes import POINTER, byref, c_char_p as text, c_double as f64, c_float as f32, c_int as enum, c_int32 as i32
from ctypes import c_int64 as i64, c_size_t as size_t, c_uint64 as u64, c_void_p as ptr, py_object, pythonapi

# ---- structs of cfdtbd.h: struct_size tells the library how far they go, so they may end before C's do ----
class Struct(ctypes.Structure):
    __slots__ = ()  # to set a field that there is not is an error
    def __init__(self, **fields): super().__init__(ctypes.sizeof(self), **fields)
    def __repr__(self): return ", ".join(f"{name}={getattr(self, name)}" for name, _ in self._fields_[1:])

def struct(name, *fields):
    fields = [("struct_size", size_t)] + [(field, kind) for kind, names in fields for field in names.split()]
    return type(name, (Struct,), {"_fields_": fields, "__slots__": ()})
cfd_context_options = struct("cfd_context_options", (text, "device"), (i32, "threads reserved"), (u64, "seed"))
cfd_dataset_info = struct("cfd_dataset_info", (i32, "n_users n_items n_modalities"))
cfd_model_info = struct("cfd_model_info", (i32, "n_users n_items n_modalities embedding_dim score_width batch_size"))
cfd_losses = struct("cfd_losses", (f64, "total ranking penalty common differential"))
cfd_progress = struct("cfd_progress", (i32, "epoch n_epochs"), (i64, "step n_steps"), (f64, "seconds"),
    (i32, "epoch_ended improved"), (f64, "epoch_seconds evaluation_seconds"), (POINTER(cfd_losses), "losses"))
progress_function = ctypes.CFUNCTYPE(enum, ptr, POINTER(cfd_progress))
cfd_train_options = struct("cfd_train_options", (progress_function, "progress"))
cfd_train_summary = struct("cfd_train_summary", (i32, "epochs_done best_epoch selected stopped_early stopped_by_caller"))
cfd_scorer_info = struct("cfd_scorer_info", (i32, "n_users n_items width n_modalities"), (i64, "steps_done"))
cfd_filter = struct("cfd_filter", (ptr, "exclude_offsets exclude_items allow_items"), (size_t, "n_allow_items"),
    (ptr, "deny_items"), (size_t, "n_deny_items"), (i32, "exclude_seen has_min_score"), (f32, "min_score reserved"))
class DLManagedTensor(ctypes.Structure):  # DLPack's
    _fields_ = [("data", ptr), ("device", i32 * 2), ("tensor", i64 * 5), ("deleter", ctypes.CFUNCTYPE(None, ptr))]

# ---- calls, errors, handles, arrays ----
class Error(RuntimeError):  # a call that failed
    def __init__(self, status):
        super().__init__(load().cfd_last_error().decode(errors="replace"))
        self.status, self.name = status, load().cfd_status_name(status).decode()
def load(path=None, loaded=[]):
    """The library. The first call loads it; later ones ignore the path."""
    if not loaded:
        library = ctypes.CDLL(path or os.environ.get("CFDTBD_LIBRARY") or "libcfdtbd.so.1")
        for name, (result, *takes) in FUNCTIONS.items():
            getattr(library, name).restype, getattr(library, name).argtypes = result, takes
        loaded.append(library)
    return loaded[0]

def call(function, *arguments, out=None):
    """Calls a function that returns a status; gives what it gave in its last argument, where out is made for that."""
    arguments = [os.fsencode(a) if isinstance(a, (str, os.PathLike)) else getattr(a, "ctypes", a) for a in arguments]
    status = getattr(load(), function)(*arguments, *([] if out is None else [byref(out)]))
    if status: raise Error(status)
    return out
class Owned(ptr): """A handle's pointer. A call keeps it alive: closing the handle meanwhile takes nothing from it."""
class Handle:
    def __init__(self, *arguments):
        self.owned = call(self.makes[len(arguments)], *arguments, out=Owned())
        weakref.finalize(self.owned, getattr(load(), self.ends), self.owned.value).atexit = False
    @classmethod
    def from_param(cls, handle):  # so that the class can stand in argtypes
        if not isinstance(handle, cls): raise TypeError(f"a {cls.__name__} is wanted, not a {type(handle).__name__}")
        return handle.owned
    def close(self, *_): self.owned = None  # to the library it is NULL from now on, which it refuses
    __enter__, __exit__ = lambda self: self, close
    info = property(lambda self: call(self.told.__name__.replace("_info", "_get_info"), self, out=self.told()))

class Tensor:
    """Memory of the library, for np.from_dlpack, torch.from_dlpack and the like, one of which takes it over, once."""
    def __init__(self, function, handle, name):
        tensor = call(function, handle, name, out=POINTER(DLManagedTensor)())
        self.device, self.capsule = tuple(tensor.contents.device), new_capsule(tensor, b"dltensor", None)
        weakref.finalize(self, lambda of: is_capsule(of, b"dltensor") and tensor.contents.deleter(tensor), self.capsule)
    def __dlpack__(self, *, stream=None, max_version=None): return self.capsule  # who takes it over gives it another name
    def __dlpack_device__(self): return self.device
new_capsule = ctypes.PYFUNCTYPE(py_object, ptr, text, ptr)(("PyCapsule_New", pythonapi))
is_capsule = ctypes.PYFUNCTYPE(enum, py_object, text)(("PyCapsule_IsValid", pythonapi))

def array_of(values):
    foreign = hasattr(values, "__dlpack__") and not isinstance(values, np.ndarray)
    return np.from_dlpack(values) if foreign else np.asarray(values)
def vector(values, size=None, dtype=np.int32):
    """Numbers in one dimension, converted only where they must be, ids never to others than were given."""
    given = np.atleast_1d(array_of(values))
    array = np.require(given, dtype, "CA")
    whole = given.size == 0 or given.dtype.kind in "iu" and (array is given or (array == given).all())
    if (whole or dtype is np.float32) and array.ndim == 1 and size in (None, array.size): return array
    raise ValueError(f"{'' if size is None else size} {dtype.__name__} in one dimension are wanted, not {given!r}")

# ---- what the library is for ----
class Context(Handle):
    makes, ends = {1: "cfd_context_create"}, "cfd_context_destroy"
    def __init__(self, device="auto", threads=0, seed=2024):
        super().__init__(cfd_context_options(device=device.encode(), threads=threads, seed=seed))

class Config(Handle):
    """Settings by key, as in a dict; values become text."""
    makes, ends = {0: "cfd_config_create"}, "cfd_config_destroy"
    def __init__(self, settings=()):
        super().__init__()
        for key, value in dict(settings).items(): self[key] = value
    def __setitem__(self, key, value):
        call("cfd_config_set", self, key, ("no", "yes")[value] if isinstance(value, bool) else str(value))
    def __getitem__(self, key):
        value = ctypes.create_string_buffer(1 << 16)
        call("cfd_config_get", self, key, value, len(value), None)
        return value.value.decode()

class Dataset(Handle):
    """Of a directory, Dataset(context, "DATA"), or empty, Dataset(context, n_users, n_items)."""
    makes, ends, told = {2: "cfd_dataset_open", 3: "cfd_dataset_create"}, "cfd_dataset_destroy", cfd_dataset_info
    splits, elements = ["train", "validation", "test"], [np.float32, np.float64, np.float16]
    def add_interactions(self, split, users, items):
        users = vector(users)
        call("cfd_dataset_add_interactions", self, self.splits.index(split), users, vector(items, users.size), users.size)
    def add_dense(self, name, features):
        """A row per item; float32, float64 and float16 are read where they lie."""
        rows = array_of(features)
        rows = np.require(rows, rows.dtype if rows.dtype in self.elements else np.float32, "CA")
        if rows.ndim != 2 or len(rows) != self.info.n_items: raise ValueError(f"a row per item is wanted, not {rows.shape}")
        kind, columns = self.elements.index(rows.dtype), rows.shape[1]
        call("cfd_dataset_add_dense_modality", self, name, rows, kind, columns, columns)
    def add_sparse(self, name, columns, offsets, ids, values=None):  # CSR, a row per item; without values they are tags
        offsets = vector(offsets, self.info.n_items + 1, np.int64)
        ids, values = vector(ids, offsets[-1]), values if values is None else vector(values, offsets[-1], np.float32)
        call("cfd_dataset_add_sparse_modality", self, name, columns, offsets, ids, values)

class Model(Handle):
    makes, ends, told = {3: "cfd_model_create"}, "cfd_model_destroy", cfd_model_info
    def train(self, progress=lambda at: False):
        """progress(cfd_progress), which lives during the call only, ends training by a true value or by what it raises."""
        raised = []
        def step(_, at):
            try:
                return bool(progress(at.contents))
            except BaseException as problem:  # of which one is Ctrl-C
                return not raised.append(problem)
        summary = call("cfd_train", self, cfd_train_options(progress=progress_function(step)), out=cfd_train_summary())
        if raised: raise raised[0]
        return summary
    def train_step(self): return call("cfd_train_step", self, None, out=cfd_losses())
    def save(self, path): call("cfd_model_save", self, path)
    def parameter(self, name):
        """An array that is the model's own memory: it shows each step, and what is written to it counts."""
        view = np.from_dlpack(Tensor("cfd_model_dlpack", self, name))  # read-only in NumPy's eyes; so the same once more
        memory = (ctypes.c_byte * (len(view) * view.strides[0])).from_address(view.ctypes.data)
        memory.view = view
        return np.ndarray(view.shape, view.dtype, memory, strides=view.strides)

class Scorer(Handle):
    """Of a model, Scorer(model), or of its file, Scorer(context, path). `who`: ids of users, or rows of fold_in_user."""
    makes, ends, told = {1: "cfd_scorer_create", 2: "cfd_scorer_load"}, "cfd_scorer_release", cfd_scorer_info
    def asked(self, who):
        who = array_of(who)
        if who.dtype.kind != "f": return "users", vector(who)
        return "queries", np.require(who, np.float32, "CA").reshape(-1, self.info.width)
    def score(self, who, items=None, out=None):
        """who x items, or x all items: in an array of the caller's, or in a new one."""
        (kind, rows), items = self.asked(who), items if items is None else vector(items)
        shape = len(rows), self.info.n_items if items is None else len(items)
        out = np.empty(shape, np.float32) if out is None else out
        if out.shape != shape or out.dtype != np.float32 or not out.flags.carray:
            raise ValueError(f"out: {shape} float32 without gaps are wanted, not {out.shape} {out.dtype}")
        call(f"cfd_score_{kind}", self, rows, len(rows), items, shape[1], out)
        return out
    def recommend(self, who, k, exclude=None, **rules):
        """k items and scores for each, and counts. exclude: a list for each. rules: fields of cfd_filter, sizes aside."""
        kind, rows = self.asked(who)
        lists = [vector(ids) for ids in exclude or ()]
        arrays = {} if exclude is None else {
            "exclude_offsets": vector(np.cumsum([0, *map(len, lists)]), len(rows) + 1, np.int64),
            "exclude_items": np.concatenate([vector(()), *lists])}
        for name in rules.keys() & {"allow_items", "deny_items"}:
            arrays[name] = vector(rules[name])
            rules["n_" + name] = arrays[name].size
        rules.update((name, array.ctypes.data) for name, array in arrays.items())
        found = np.empty((len(rows), k), np.int32), np.empty((len(rows), k), np.float32), np.empty(len(rows), np.int32)
        call("cfd_recommend" + "_queries" * (kind == "queries"), self, rows, len(rows), k, cfd_filter(**rules), *found)
        return found
    def fold_in_user(self, items):  # who was not there in training
        items, query = vector(items), np.empty(self.info.width, np.float32)
        call("cfd_fold_in_user", self, items, items.size, query)
        return query
    def rows(self, name): return np.from_dlpack(Tensor("cfd_scorer_dlpack", self, name))  # "query" or "key", to be read only

# ---- what the functions return, and take ----
FUNCTIONS = {**{"cfd_" + name: [enum, *takes] for name, *takes in (
    ("context_create", POINTER(cfd_context_options), ptr), ("config_create", ptr), ("config_set", Config, text, text),
    ("config_get", Config, text, ptr, size_t, ptr), ("dataset_open", Context, text, ptr),
    ("dataset_create", Context, i32, i32, ptr), ("dataset_get_info", Dataset, ptr),
    ("dataset_add_interactions", Dataset, enum, ptr, ptr, size_t),
    ("dataset_add_dense_modality", Dataset, text, ptr, enum, i32, size_t),
    ("dataset_add_sparse_modality", Dataset, text, i32, ptr, ptr, ptr),
    ("model_create", Context, Config, Dataset, ptr), ("model_get_info", Model, ptr), ("model_save", Model, text),
    ("model_dlpack", Model, text, ptr), ("train_step", Model, ptr, ptr), ("train", Model, POINTER(cfd_train_options), ptr),
    ("scorer_create", Model, ptr), ("scorer_load", Context, text, ptr), ("scorer_get_info", Scorer, ptr),
    ("scorer_dlpack", Scorer, text, ptr), ("fold_in_user", Scorer, ptr, size_t, ptr),
    *((f"score_{who}", Scorer, ptr, size_t, ptr, size_t, ptr) for who in ("users", "queries")),
    *((f"recommend{who}", Scorer, ptr, size_t, size_t, POINTER(cfd_filter), ptr, ptr, ptr) for who in ("", "_queries")))},
    **{it.ends: [None, ptr] for it in Handle.__subclasses__()}, "cfd_last_error": [text], "cfd_status_name": [text, enum]}
