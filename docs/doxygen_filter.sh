#!/bin/sh
# SPDX-License-Identifier: MIT
# doxygen's input filter: in the headers' comments, <img> is a token's text and a backslash is one; in Markdown, links to
# pages that the site does not have become plain text.
case "$1" in
  *.hpp) awk '{
      at = index($0, "///")
      if (at == 0) { print; next }
      code = substr($0, 1, at - 1); text = substr($0, at)
      mark = text ~ /^\/\/\/</ ? "///<" : "///"
      text = substr(text, length(mark) + 1)
      gsub(/\\/, "\\\\\\\\", text); gsub(/</, "\\<", text); gsub(/#/, "\\#", text); gsub(/@/, "\\@", text)
      print code mark text
    }' "$1" ;;
  *) sed -E 's/\[([^][]*)\]\((\.\.\/)*(tests|examples|bench|docs\/tiles|LICENSE)[^)]*\)/\1/g; s/\]\(docs\//](/g' "$1" ;;
esac
