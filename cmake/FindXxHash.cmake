include(RmqFindLibrary)
rmq_find_library(XxHash xxhash.h "xxhash" rmq::xxhash)
