// Text as it stands in XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace gonghui::archive {

// Escapes & < > " and leaves out control characters, which XML cannot hold. Good for content and
// for attributes in double quotes.
std::string XmlText(std::string_view text);

}  // namespace gonghui::archive
