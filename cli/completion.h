// Completion of a command line in a shell: the scripts that `rmq completion` prints ask the hidden
// `rmq __complete`, which knows the tree of commands and, where a name is wanted, asks the cluster.
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/options.h"

namespace rmq::cli {

// What could be typed at some place.
struct Completion {
  std::string text;  // the whole word
  std::string help;  // may be empty
};

// Names that only a cluster, or the user's files, can tell.
enum class NameKind { None, Topic, Group, Broker, Cluster, Context, File };

// Where the last of `words` is a value: what it is one of.
struct CompletionPlace {
  std::vector<Completion> known;  // from the tree of commands; those that begin as the word does
  NameKind names = NameKind::None;
  std::string prefix;  // of the word, before the value: "--output=", or nothing
  std::string value;   // what of the value is there
  // What the words before it say about the cluster.
  std::string namesrv;
  std::string context;
};

// `words`: all behind "rmq", up to the one where the cursor is, which may be empty.
CompletionPlace find_place(const Command& root, const std::vector<std::string>& words);

// `rmq completion`.
void add_completion_command(const Command& root, Console& console);

// `rmq __complete WORDS`: a line for each, "text<TAB>help", or ":files" where files are meant. Says
// nothing when something goes wrong.
void complete(const Command& root, const std::vector<std::string>& words, Console& console);

}  // namespace rmq::cli
