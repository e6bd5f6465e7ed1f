// The scripts that `rmq completion` prints. All that they know is how to ask `rmq __complete`.
#pragma once

#include <string_view>

namespace rmq::cli {

// Bash takes '=' and ':' for the end of a word: the words are put together again for rmq, and what
// stands before the last of these is taken off the answers.
inline constexpr std::string_view kBashCompletion = R"script(# Completion of rmq for bash:
#   source <(rmq completion bash)
# or store it as /usr/share/bash-completion/completions/rmq
_rmq() {
  local -a words=() lines=()
  local word='' glued='' i
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word =~ ^[=:]+$ && ${#words[@]} -gt 0 ]]; then
      words[${#words[@]}-1]+=$word
      glued=yes
    elif [[ $glued ]]; then
      words[${#words[@]}-1]+=$word
      glued=''
    else
      words+=("$word")
    fi
  done
  local whole=${words[${#words[@]}-1]} typed=${COMP_WORDS[COMP_CWORD]}
  [[ $typed =~ ^[=:]+$ ]] && typed=''
  local before=${whole%"$typed"}
  mapfile -t lines < <("${COMP_WORDS[0]/#\~/$HOME}" __complete "${words[@]}" 2>/dev/null)
  COMPREPLY=()
  if [[ ${lines[0]-} == :files ]]; then
    compopt -o default 2>/dev/null
    return
  fi
  for word in "${lines[@]}"; do
    word=${word%%$'\t'*}
    COMPREPLY+=("${word#"$before"}")
  done
}
complete -F _rmq rmq
)script";

inline constexpr std::string_view kZshCompletion = R"script(#compdef rmq
# Completion of rmq for zsh: store it as _rmq in a directory of $fpath, or
#   source <(rmq completion zsh)
_rmq() {
  local -a lines values
  local line
  lines=("${(@f)$(${~words[1]} __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ ${lines[1]} == ':files' ]]; then
    _files
    return
  fi
  for line in $lines; do
    values+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  (( ${#values} )) && _describe 'rmq' values
}
if [[ ${funcstack[1]} == _rmq ]]; then
  _rmq "$@"
else
  compdef _rmq rmq
fi
)script";

}  // namespace rmq::cli
