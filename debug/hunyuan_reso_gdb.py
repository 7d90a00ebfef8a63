# SPDX-License-Identifier: MIT
"""How gdb shows the library's types: (gdb) source debug/hunyuan_reso_gdb.py

Resolution as 1024x768 (height x width), Result as its value or its error, a group as its rows, slices as half-open
ranges, a profile by its name.
"""

import gdb
import gdb.printing


def size_text(value):
    return f"{int(value['height'])}x{int(value['width'])}"


class ResolutionPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return f"{size_text(self.value)} (height x width)"


class SlicePrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return f"[{int(self.value['start'])}, {int(self.value['stop'])})"


class ResultPrinter:
    def __init__(self, value):
        self.value = value
        self.error = str(value["error_"]).split("::")[-1]

    def to_string(self):
        if self.error == "none":
            return None
        return f"no value: {self.error}, position {int(self.value['position_'])}"

    def children(self):
        if self.error == "none":
            yield "value", self.value["value_"]


class GroupPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return f"{int(self.value['size_'])} rows, base size {int(self.value['base_size_'])}"

    def children(self):
        for i in range(int(self.value["size_"])):
            yield f"[{i}]", self.value["rows_"][i]

    def display_hint(self):
        return "array"


class ProfilePrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return f"profile {self.value['name'].string()}"


PRINTERS = (
    ("Resolution", r"Resolution", ResolutionPrinter),
    ("Slice", r"Slice", SlicePrinter),
    ("Result", r"Result<.*>", ResultPrinter),
    ("ResolutionGroup", r"BasicResolutionGroup<.*>", GroupPrinter),
    ("ModelProfile", r"ModelProfile", ProfilePrinter),
)


def build():
    printers = gdb.printing.RegexpCollectionPrettyPrinter("hunyuan_reso")
    for name, pattern, printer in PRINTERS:
        printers.add_printer(name, rf"^hunyuan_reso::(v\d+_\d+::)?{pattern}$", printer)
    return printers


gdb.printing.register_pretty_printer(None, build(), replace=True)
