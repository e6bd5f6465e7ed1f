#include "cli/command.h"

#include <ostream>
#include <sstream>
#include <thread>

#include "cli/contexts.h"
#include "cli/render.h"

namespace rmq::cli {
namespace {

constexpr const char* kClearScreen = "\x1b[H\x1b[2J";

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

std::unique_ptr<Session> open_session(CommonOptions& options, Console& console) {
  const Result<std::string> chosen =
      choose_name_servers(options, ContextEnvironment::current(), FileSystem::posix());
  if (!chosen) {
    report(explain(chosen.error(), "find out which cluster is meant", options), options.format(),
           console);
    return nullptr;
  }
  options.namesrv = *chosen;
  auto session = Session::open(options, console);
  if (session) return std::move(*session);
  report(explain(session.error(), "use name servers '" + options.namesrv + "'", options),
         options.format(), console);
  return nullptr;
}

ExitCode repeat_if_asked(const CommonOptions& options, Console& console,
                         const std::function<ExitCode(Console&)>& work) {
  if (!options.watch_seconds) return work(console);
  const std::chrono::duration<double> pause(*options.watch_seconds);
  for (;;) {
    std::ostringstream text;
    Console page{text, text};
    if (!console.out_is_terminal) {
      const ExitCode code = work(console);
      if (code != ExitCode::Ok && code != ExitCode::Unreachable) return code;
    } else {
      // Drawn at once, so that nothing flickers.
      const ExitCode code = work(page);
      console.out << kClearScreen << text.str() << "\n"
                  << format_time_ms(now_ms()) << ", every " << *options.watch_seconds
                  << " s; Ctrl-C ends it\n"
                  << std::flush;
      if (code != ExitCode::Ok && code != ExitCode::Unreachable) return code;
    }
    if (!console.out.good()) return ExitCode::Ok;  // whoever read it has left
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace rmq::cli
