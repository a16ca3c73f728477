// The catalogue of one service: kinds, code lists, and lookups over them. Immutable after loading;
// thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/embedded.h"
#include "gonghui/common/v1/catalog.pb.h"

namespace gonghui::catalog {

class Catalog {
 public:
  Catalog(Catalog&&) = default;  // The index points into the message: movable, not copyable.
  Catalog& operator=(Catalog&&) = default;

  // Merges the files and checks them: unique names; codes, references, states, transitions, limits,
  // fields of facts, postings and rules exist; relations are known. The error names file and entry.
  static absl::StatusOr<Catalog> Load(std::string_view area,
                                      const std::vector<EmbeddedFile>& files);

  const common::v1::Kind* FindKind(std::string_view name) const;  // nullptr when unknown.
  const common::v1::CodeList* FindCodes(std::string_view name) const;
  const common::v1::Limit* FindLimit(std::string_view name) const;
  const common::v1::KindField* FindField(const common::v1::Kind& kind, std::string_view name) const;
  const common::v1::Catalog& message() const { return catalog_; }
  std::vector<const common::v1::Kind*> Kinds() const;  // In import order.
  // The code for a code, label or alias of the list; nullptr when unknown. Case and surrounding
  // space do not matter.
  const common::v1::Code* FindCode(std::string_view list, std::string_view text) const;
  std::string_view area() const { return area_; }

 private:
  Catalog() = default;
  absl::Status AddCodes(int index, std::string_view file);
  absl::Status AddKind(int index, std::string_view file);
  absl::Status AddLimit(int index, std::string_view file);

  std::string area_;
  common::v1::Catalog catalog_;
  std::map<std::string, int, std::less<>> kinds_;
  std::map<std::string, int, std::less<>> lists_;
  std::map<std::string, int, std::less<>> limits_;
  std::map<std::pair<std::string, std::string>, const common::v1::Code*> codes_;
};

}  // namespace gonghui::catalog
