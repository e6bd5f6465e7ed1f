include(RmqFindLibrary)
rmq_find_library(Asio asio.hpp "" rmq::asio)
