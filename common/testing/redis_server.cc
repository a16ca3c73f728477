#include "common/testing/redis_server.h"

#include <signal.h>
#include <stdlib.h>

#include <filesystem>

#include "absl/time/clock.h"
#include "common/base/text.h"

namespace gonghui::testing {

RedisServer::RedisServer() {
  folder_ = (std::filesystem::temp_directory_path() / "gonghui-redis-XXXXXX").string();
  if (mkdtemp(folder_.data()) == nullptr) abort();
  Start();
}

RedisServer::~RedisServer() {
  Kill();
  std::filesystem::remove_all(folder_);
}

std::string RedisServer::Socket() const { return StrCat(folder_, "/redis.sock"); }

std::string RedisServer::address() const { return StrCat("unix:", Socket()); }

void RedisServer::Start() {
  process_ = Process({"redis-server", "--port", "0", "--unixsocket", Socket(), "--save", "",
                      "--loglevel", "warning", "--logfile", StrCat(folder_, "/log")},
                     "/dev/null");
  for (int i = 0; i < 100 && !std::filesystem::exists(Socket()); ++i) {
    absl::SleepFor(absl::Milliseconds(20));
  }
}

void RedisServer::Kill() {
  process_.Stop(SIGKILL);
  std::filesystem::remove(Socket());
}

void RedisServer::Freeze() { process_.Signal(SIGSTOP); }

void RedisServer::Thaw() { process_.Signal(SIGCONT); }

}  // namespace gonghui::testing
