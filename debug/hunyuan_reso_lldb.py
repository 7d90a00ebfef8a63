# SPDX-License-Identifier: MIT
"""How lldb shows the library's types: (lldb) command script import debug/hunyuan_reso_lldb.py

Resolution as 1024x768 (height x width), Result as its value or its error, a group as its number of rows, slices as
half-open ranges, a profile by its name.
"""


def number(value, name):
    return value.GetChildMemberWithName(name).GetValueAsSigned()


def size_text(value):
    return f"{number(value, 'height')}x{number(value, 'width')} (height x width)"


def slice_text(value, _):
    return f"[{number(value, 'start')}, {number(value, 'stop')})"


def resolution_text(value, _):
    return size_text(value)


def result_text(value, _):
    value = value.GetNonSyntheticValue()
    error = value.GetChildMemberWithName("error_").GetValue()
    if error == "none":
        inner = value.GetChildMemberWithName("value_")
        return inner.GetSummary() or inner.GetValue() or "a value"
    return f"no value: {error}, position {value.GetChildMemberWithName('position_').GetValueAsUnsigned()}"


def group_text(value, _):
    return f"{number(value, 'size_')} rows, base size {number(value, 'base_size_')}"


def profile_text(value, _):
    return "profile " + value.GetChildMemberWithName("name").GetSummary().strip('"')


def __lldb_init_module(debugger, _):
    for pattern, function in (("Resolution", "resolution_text"), ("Slice", "slice_text"), ("Result<.+>", "result_text"),
                              ("BasicResolutionGroup<.+>", "group_text"), ("ModelProfile", "profile_text")):
        debugger.HandleCommand(f'type summary add -w hunyuan_reso -x "^hunyuan_reso::(v[0-9_]+::)?{pattern}$" '
                               f"-F {__name__}.{function}")
    debugger.HandleCommand("type category enable hunyuan_reso")
