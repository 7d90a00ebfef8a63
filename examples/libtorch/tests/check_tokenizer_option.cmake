# SPDX-License-Identifier: MIT
# --tokenizer of hunyuan-generate: PROGRAM, FOLDER (a checkpoint with a tokenizer.json), WORK (a folder to write into).
file(REMOVE_RECURSE "${WORK}")
file(COPY "${FOLDER}/" DESTINATION "${WORK}/checkpoint" PATTERN tokenizer.json EXCLUDE)
file(READ "${FOLDER}/tokenizer.json" right)

# Runs the program with further arguments; the exit status and a part of what it says must be as expected.
function(expect status text)
  execute_process(
    COMMAND "${PROGRAM}" --model "${WORK}/checkpoint" --prompt "a lake" --task image --size 1:1 --system none --dry-run
            ${ARGN}
    RESULT_VARIABLE found
    OUTPUT_VARIABLE said
    ERROR_VARIABLE said)
  string(FIND "${said}" "${text}" place)
  if(NOT found EQUAL status OR place LESS 0)
    message(SEND_ERROR "${ARGN}: status ${found}, expected ${status} and '${text}' in:\n${said}")
  endif()
endfunction()

expect(1 "no tokenizer.json; give --tokenizer")
expect(0 "plan (" --tokenizer "${FOLDER}/tokenizer.json")
expect(2 "File does not exist: ${WORK}/nowhere.json" --tokenizer "${WORK}/nowhere.json")

string(REPLACE "\"<boi>\"" "\"<begin_of_picture>\"" renamed "${right}")
file(WRITE "${WORK}/renamed.json" "${renamed}")
expect(1 "renamed.json: 1 special tokens are not the profile's; <boi> is missing, expected 128000" --tokenizer
       "${WORK}/renamed.json")

string(REPLACE "\"<boi>\"" "\"<other>\"" swapped "${right}")
string(REPLACE "\"<eoi>\"" "\"<boi>\"" swapped "${swapped}")
string(REPLACE "\"<other>\"" "\"<eoi>\"" swapped "${swapped}")
file(WRITE "${WORK}/swapped.json" "${swapped}")
expect(1 "swapped.json: 2 special tokens are not the profile's; <boi> is 128001, expected 128000" --tokenizer
       "${WORK}/swapped.json")

file(WRITE "${WORK}/other.json" "{\"model\": 3}")
expect(1 "other.json: byte " --tokenizer "${WORK}/other.json")

# The folder's own, and another in its place.
file(COPY "${FOLDER}/tokenizer.json" DESTINATION "${WORK}/checkpoint")
expect(0 "plan (")
expect(1 "renamed.json: 1 special tokens" --tokenizer "${WORK}/renamed.json")
