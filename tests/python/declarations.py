# SPDX-License-Identifier: Apache-2.0
"""What cfdtbd.py declares of structs and functions, held against the headers' text and a C compiler's layout of them."""
import ctypes
import glob
import os
import re
import shlex
import subprocess
import tempfile
import unittest

import cfdtbd

HEADERS = os.environ["CFDTBD_HEADERS"]
STRUCTS = cfdtbd.Struct.__subclasses__()


def declarations():
    """The text of the public headers without comments and preprocessor lines."""
    text = ""
    for path in sorted(glob.glob(os.path.join(HEADERS, "*.h"))):
        with open(path) as file:
            text += file.read()
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    return re.sub(r"^#(?:.*\\\n)*.*$", "", text, flags=re.MULTILINE)


TEXT = declarations()


def kind_of_c(declared):
    """A C type, by the classes that a wrong declaration in Python would mix up."""
    words = [word for word in re.findall(r"\w+|\*", declared) if word not in ("const", "struct", "unsigned")]
    if "*" in words or words[0].endswith("_function"):
        return "pointer"
    return {"float": "float", "double": "float", "void": "void"}.get(words[0], "int")


def kind_of_ctypes(kind):
    if kind is None:
        return "void"
    if issubclass(kind, (ctypes.c_void_p, ctypes.c_char_p, ctypes._Pointer, ctypes._CFuncPtr, cfdtbd.Handle)):
        return "pointer"
    return "float" if issubclass(kind, (ctypes.c_float, ctypes.c_double)) else "int"


def compiled(source):
    """What a C program that includes the header prints, line by line."""
    clean = {name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "ASAN_OPTIONS")}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "told.c")
        with open(path, "w") as file:
            file.write("#include <cfdtbd.h>\n#include <stdio.h>\nint main(void)\n{\n" + source + "return 0;\n}\n")
        command = [*shlex.split(os.environ.get("CC", "cc")), "-I", HEADERS, path, "-o", os.path.join(folder, "told")]
        subprocess.run(command, check=True, env=clean)
        return subprocess.run(command[-1:], check=True, capture_output=True, text=True, env=clean).stdout.splitlines()


class Functions(unittest.TestCase):
    def parameters(self, name):
        """The result and the parameters of a function, as the header declares them, without the parameters' names."""
        found = re.search(r"CFD_API\s+([\w\s*]+?)\s*\b" + name + r"\(([^)]*)\)\s*;", TEXT)
        self.assertIsNotNone(found, f"{name} is not in the headers")
        takes = [re.sub(r"\w+\s*$", "", one) for one in found[2].split(",") if one.strip() != "void"]
        return found[1], takes

    def test_results_and_parameters(self):
        sizes = {}
        for name, (result, *takes) in cfdtbd.FUNCTIONS.items():
            declared_result, declared = self.parameters(name)
            self.assertEqual(len(takes), len(declared), f"{name}: how many parameters")
            for number, (c, kind) in enumerate(zip([declared_result, *declared], [result, *takes])):
                self.assertEqual(kind_of_ctypes(kind), kind_of_c(c), f"{name}, parameter {number}: {c.strip()}")
                if kind_of_c(c) != "void":
                    size = ctypes.sizeof(ctypes.c_void_p if issubclass(kind, cfdtbd.Handle) else kind)
                    sizes.setdefault((c.strip(), size), f"{name}, parameter {number}")
        types = list(sizes)
        told = compiled("".join(f'printf("%zu\\n", sizeof({c}));\n' for c, _ in types))
        for (c, size), line in zip(types, told):
            self.assertEqual(size, int(line), f"{sizes[c, size]}: size of {c}")

    def test_handles_are_of_the_kind_that_is_wanted(self):
        for name, (_, *takes) in cfdtbd.FUNCTIONS.items():
            for c, kind in zip(self.parameters(name)[1], takes):
                if issubclass(kind, cfdtbd.Handle):
                    self.assertIn(f"cfd_{kind.__name__.lower()} *", c, name)

    def test_structs_are_those_that_are_wanted(self):
        for name, (_, *takes) in cfdtbd.FUNCTIONS.items():
            for c, kind in zip(self.parameters(name)[1], takes):
                if issubclass(kind, ctypes._Pointer):
                    self.assertIn(f"{kind._type_.__name__} *", c, name)

    def test_the_library_is_called_as_declared(self):
        for name, (result, *takes) in cfdtbd.FUNCTIONS.items():
            function = getattr(cfdtbd.load(), name)
            self.assertEqual((function.restype, function.argtypes), (result, takes), name)


class Structs(unittest.TestCase):
    def fields(self, struct):
        """Names and types of a struct's fields, as the header declares them."""
        found = re.search(r"typedef struct " + struct.__name__ + r" \{(.*?)\}", TEXT, flags=re.DOTALL)
        self.assertIsNotNone(found, f"{struct.__name__} is not in the headers")
        fields = []
        for line in found[1].split(";")[:-1]:
            base, rest = re.match(r"\s*((?:const )?\w+)(.*)", line, flags=re.DOTALL).groups()
            for part in rest.split(","):
                fields.append((re.search(r"\w+", part)[0], base + "*" * part.count("*")))
        return fields

    def test_names_order_and_kinds(self):
        """A struct may end early, as struct_size lets it; up to there it has the header's fields."""
        for struct in STRUCTS:
            declared = self.fields(struct)
            self.assertEqual([name for name, _ in struct._fields_], [name for name, _ in declared[:len(struct._fields_)]])
            for (name, kind), (_, c) in zip(struct._fields_, declared):
                self.assertEqual(kind_of_ctypes(kind), kind_of_c(c), f"{struct.__name__}.{name}: {c}")

    def test_offsets_and_sizes(self):
        fields = [(struct, name) for struct in STRUCTS for name, _ in struct._fields_]
        line = 'printf("%zu %zu\\n", offsetof({0}, {1}), sizeof((({0} *)0)->{1}));\n'
        told = compiled("".join(line.format(struct.__name__, name) for struct, name in fields))
        for (struct, name), line in zip(fields, told):
            mine = getattr(struct, name)
            self.assertEqual(f"{mine.offset} {mine.size}", line, f"{struct.__name__}.{name}")


if __name__ == "__main__":
    unittest.main()
