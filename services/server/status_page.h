// /statusz of a running suite.
#pragma once

#include <string>

#include "services/server/suite.h"

namespace gonghui {

// What the process is, how it was started (without secrets), and what its parts tell. Plain text.
std::string StatusPage(const Suite::Options& options, const std::string& state, int port,
                       int http_port);

// The URL of a database without its password.
std::string WithoutPassword(const std::string& url);

}  // namespace gonghui
