# SPDX-License-Identifier: MIT
# cmake -DTOOL=hunyuan-reso -DVERSION=... -DOUTPUT_DIR=... -P tool_pages.cmake
# Writes the tool's man page and its completions for bash, zsh and fish, all from what --help prints, so that they name
# what the tool has.
cmake_minimum_required(VERSION 3.16)

function(help_of result)
  execute_process(COMMAND "${TOOL}" ${ARGN} --help OUTPUT_VARIABLE text RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${TOOL} ${ARGN} --help ended with ${status}")
  endif()
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

# Literal text for troff: no escapes, and no line that looks like a request.
function(escape text result)
  string(REPLACE "\\" "\\e" text "${text}")
  string(REPLACE "-" "\\-" text "${text}")
  string(REGEX REPLACE "(^|\n)([.'])" "\\1\\\\&\\2" text "${text}")
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

help_of(top)
string(REGEX MATCH "\nSubcommands:\n(.*)" ignored "${top}")
string(REGEX MATCHALL "(^|\n)  [a-z]+  " names "${CMAKE_MATCH_1}")
string(REGEX REPLACE "[ \n]" "" names "${names}")
if(NOT names)
  message(FATAL_ERROR "${TOOL} --help names no commands")
endif()
string(REGEX MATCH "^[^\n]+" summary "${top}")
escape("${summary}" summary)
escape("${top}" top)

set(page ".\\\" Written from --help; do not edit.
.TH HUNYUAN\\-RESO 1 \"\" \"hunyuan\\-reso ${VERSION}\" \"User Commands\"
.SH NAME
hunyuan\\-reso \\- sizes, buckets and tokens of HunyuanImage\\-3.0
.SH SYNOPSIS
.B hunyuan\\-reso
.I COMMAND
[\\fIOPTIONS\\fR]
.SH DESCRIPTION
.nf
${top}
.fi
")
set(bash_cases "")
set(fish_lines "")
foreach(name ${names})
  help_of(text ${name})
  string(REGEX MATCHALL "--[a-z][a-z-]*" options "${text}")
  list(REMOVE_DUPLICATES options)
  list(SORT options)
  string(REPLACE ";" " " option_words "${options}")
  string(APPEND bash_cases "    ${name}) words='${option_words}' ;;\n")
  string(REGEX MATCH "^[^\n]+" about "${text}")
  string(REPLACE "'" "\\'" about "${about}")
  string(APPEND fish_lines "complete -c hunyuan-reso -n __fish_use_subcommand -a ${name} -d '${about}'\n")
  foreach(option ${options})
    string(SUBSTRING "${option}" 2 -1 long)
    string(APPEND fish_lines "complete -c hunyuan-reso -n '__fish_seen_subcommand_from ${name}' -l ${long}\n")
  endforeach()
  escape("${text}" text)
  string(TOUPPER "${name}" upper)
  string(APPEND page ".SH ${upper}\n.nf\n${text}\n.fi\n")
endforeach()
string(APPEND page ".SH EXIT STATUS\n0, 1 (an input was refused; the reason is on standard error), 2 (wrong command line).\n")
string(REPLACE ";" " " name_words "${names}")

file(WRITE "${OUTPUT_DIR}/hunyuan-reso.1" "${page}")
set(bash_script "# Completions of hunyuan-reso, written from --help; do not edit.
_hunyuan_reso() {
  local words=''
  if [ \"$COMP_CWORD\" -eq 1 ]; then
    words='${name_words} --help --version'
  else
    case \"\${COMP_WORDS[1]}\" in
${bash_cases}    esac
  fi
  case \"\${COMP_WORDS[COMP_CWORD]}\" in
    -*) COMPREPLY=($(compgen -W \"$words\" -- \"\${COMP_WORDS[COMP_CWORD]}\")) ;;
    *)
      if [ \"$COMP_CWORD\" -eq 1 ]; then
        COMPREPLY=($(compgen -W \"$words\" -- \"\${COMP_WORDS[1]}\"))
      else
        COMPREPLY=($(compgen -f -- \"\${COMP_WORDS[COMP_CWORD]}\"))
      fi
      ;;
  esac
}
complete -o filenames -F _hunyuan_reso hunyuan-reso
")
file(WRITE "${OUTPUT_DIR}/bash/hunyuan-reso" "${bash_script}")
file(WRITE "${OUTPUT_DIR}/zsh/_hunyuan-reso" "#compdef hunyuan-reso
autoload -U +X bashcompinit && bashcompinit
${bash_script}")
file(WRITE "${OUTPUT_DIR}/fish/hunyuan-reso.fish" "# Completions of hunyuan-reso, written from --help; do not edit.\n${fish_lines}")
