include(RmqFindLibrary)
rmq_find_library(TomlPlusPlus toml++/toml.h "" rmq::tomlplusplus)
