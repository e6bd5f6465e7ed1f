#include "tests/support/serve_files.h"

namespace rmq::cli {

TEST_CASE("serve options: a broker under controllers is told where they are") {
  const Files files;
  RawServeOptions raw;
  raw.roles = {"master"};
  raw.advertise = "10.0.0.1";
  raw.configs = {files.write("6.conf", "brokerName=a\nenableControllerMode=true\n")};
  CHECK(refusal(raw, ConfigErrc::Contradiction).find("controllerAddr") != std::string::npos);
  raw.controller = "10.0.0.1:9878;10.0.0.2:9878";
  CHECK(resolved(raw).broker->controller_addr == raw.controller);
  raw.configs.clear();
  const ServeOptions options = resolved(raw);
  CHECK(options.broker->enable_controller_mode);
  CHECK(options.broker->controller_addr == raw.controller);
  raw.controller = "nowhere";
  CHECK(refusal(raw, ConfigErrc::BadValue).starts_with("--controller: 'nowhere' is not"));
  raw.controller = "10.0.0.1:9878";
  raw.roles = {"namesrv"};
  CHECK(refusal(raw, ConfigErrc::Contradiction).starts_with("--controller is for a broker"));
}

}  // namespace rmq::cli
