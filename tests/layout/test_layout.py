"""The layers of src/: a file includes what lies below it, or beside it in its own room.

python3 tests/layout/test_layout.py
"""

import os
import re
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
# A stage that asks another's options; to go with tables that have a type.
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


if __name__ == "__main__":
    unittest.main()
