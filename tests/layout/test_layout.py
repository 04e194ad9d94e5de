"""The layers of src/: a file includes what lies below it, or beside it in its own room.

python3 tests/layout/test_layout.py
"""

import os
import re
import tempfile
import unittest

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src")
# From bottom to top. Rooms in one place of the list do not know each other.
LAYERS = [
    ["base"],
    ["io"],
    ["image"],
    ["vector", "language"],
    ["evidence"],
    ["vision", "judge"],
    ["dataset"],
    ["tables"],
    ["model"],
    ["expert"],
    ["engine"],
    ["stage"],
    ["pipeline"],
    ["cli"],
]
HEIGHT = {room: height for height, rooms in enumerate(LAYERS) for room in rooms}
# A stage that needs the options of another (df_stage.uses).
KNOWN = {("stage/caption", "stage/check")}


def includes():
    """(file, its room, what it includes, the room of that)."""
    for folder, _, files in os.walk(SOURCE):
        for name in sorted(files):
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as file:
                for included in re.findall(r'^#include "([^"]+/[^"]+)"', file.read(), re.M):
                    yield os.path.relpath(path, SOURCE), os.path.relpath(
                        folder, SOURCE
                    ), included, os.path.dirname(included)


def calls_of(folder):
    """For each .c file of a folder the others there that define a function which it calls."""
    text, owner = {}, {}
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".c"):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            bare = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        text[name] = re.sub(r'"(\\.|[^"\\])*"', '""', bare)
        for function in re.findall(
            r"^(?!static\b)[a-z][^;{}()=#]*?\b(\w+)\([^;{}]*\)\s*^\{", text[name], re.M
        ):
            owner[function] = name
    return {
        name: {owner[word] for word in re.findall(r"(\w+)\(", bare) if word in owner} - {name}
        for name, bare in text.items()
    }


def in_circles(calls):
    """The files that lead back to themselves."""

    def reached(file):
        seen, todo = set(), list(calls[file])
        while todo:
            other = todo.pop()
            if other not in seen:
                seen.add(other)
                todo.extend(calls[other])
        return seen

    return {file for file in calls if file in reached(file)}


class Layers(unittest.TestCase):
    def test_every_room_has_a_layer(self):
        self.assertEqual(set(os.listdir(SOURCE)), set(HEIGHT))

    def test_no_include_points_up(self):
        for file, room, included, other in includes():
            top, below = room.split("/")[0], other.split("/")[0]
            if below not in HEIGHT:
                continue  # a header of a tool
            with self.subTest(f"{file} includes {included}"):
                self.assertTrue(top == below or HEIGHT[below] < HEIGHT[top])

    def test_rooms_of_a_layer_do_not_know_each_other(self):
        """Stages meet in the dataset, engines in engine.h: none includes another's files."""
        for file, room, included, other in includes():
            if (
                room == other
                or "/" not in room
                or "/" not in other
                or room.split("/")[0] != other.split("/")[0]
            ):
                continue
            with self.subTest(f"{file} includes {included}"):
                self.assertIn((room, other), KNOWN)

    def test_no_files_of_a_room_call_each_other_in_a_circle(self):
        n_calls = 0
        for folder, _, _ in os.walk(SOURCE):
            room, calls = os.path.relpath(folder, SOURCE), calls_of(folder)
            n_calls += sum(len(others) for others in calls.values())
            with self.subTest(room):
                self.assertEqual(in_circles(calls), set())
        self.assertGreater(n_calls, 200)  # the functions were found

    def test_a_circle_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, body in (
                ("a.c", "int a(void)\n{\n    return b();\n}\n"),
                ("b.c", "static int helper(void)\n{\n    return c();\n}\nint b(\n  int n)\n{\n}\n"),
                ("c.c", '/* d() */\nint c(void)\n{\n    return a() + puts("d()");\n}\n'),
                ("d.c", "int d(void)\n{\n    return a();\n}\n"),
            ):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(body)
            self.assertEqual(in_circles(calls_of(folder)), {"a.c", "b.c", "c.c"})


if __name__ == "__main__":
    unittest.main()
