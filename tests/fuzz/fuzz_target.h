// A fuzz target is one file with fuzz_one_input(). It is linked with libFuzzer (preset `fuzz`), and
// with replay_main.cpp into an ordinary test that runs the checked-in corpus and mutations of it.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "base/bytes.h"

// Must hold for any input: aborts through FUZZ_CHECK otherwise.
void fuzz_one_input(rmq::ByteView input);

#define FUZZ_CHECK(condition)                                                            \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
