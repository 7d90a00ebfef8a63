# SPDX-License-Identifier: MIT
# Runs the tool on sizes that people have. Input: TOOL, the path of the executable.
function(say text)
  execute_process(COMMAND "${CMAKE_COMMAND}" -E echo "${text}")
endfunction()

# `expected`: the exit status, 1 where the point is a refusal.
function(show expected title)
  list(JOIN ARGN " " command)
  say("\n# ${title}\n$ hunyuan-reso ${command}\n")
  execute_process(COMMAND "${TOOL}" ${ARGN} RESULT_VARIABLE status)
  if(NOT status EQUAL expected)
    message(FATAL_ERROR "hunyuan-reso ended with ${status}")
  endif()
endfunction()

show(0 "Sizes are height x width: a phone photo, the same phone upright, a 1080p frame, a cinema frame, a square"
     snap 3024x4032 4032x3024 1080x1920 21:9 1000x1000)
show(0 "The base size is 2048, 4:3 was asked for, and the answer has 0.79 MP: was the base size ignored?"
     explain 4:3 --base-size 2048)
show(0 "A plan for a real request: a 1080p frame, a prompt of 120 tokens" plan 1080x1920 --prompt-tokens 120)
show(1 "A warning and a refusal: 3072 was not trained and does not fit the position table" plan 3:2 --base-size 3072 --task image)
show(0 "People ask for 4K: drawn at a trained bucket and refined in tiles, beside a larger base size at once"
     plan --target 2160x3840 --tflops 400)
say("\nThe picture of it:  hunyuan-reso table --base-size 2048 --format svg --out buckets.svg\n")
