include(RmqFindLibrary)
rmq_find_library(Lz4 lz4frame.h "lz4" rmq::lz4)
