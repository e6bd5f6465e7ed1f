include(RmqFindLibrary)
rmq_find_library(Zstd zstd.h "zstd" rmq::zstd)
