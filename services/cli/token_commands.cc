// gonghui token: tokens of the development key.
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/auth/catalog.embedded.h"
#include "common/auth/token.h"
#include "common/base/status.h"
#include "common/catalog/yaml_message.h"
#include "services/cli/csv.h"
#include "services/cli/program.h"
#include "services/cli/text.h"

namespace gonghui::cli {
namespace {

struct TokenOptions {
  bool dev = false;
  std::string data = "var/data";
  std::string key;
  std::string subject = "developer";
  std::string role;
  std::string organization = "*";
  bool below = false;
  int days = 30;
  std::string out;
};

// The id of the key, from the file beside it.
std::string KeyId(const std::string& key) {
  const auto content = ReadFile(key.substr(0, key.find_last_of('/') + 1) + "key-id");
  const std::string id = content.ok() ? Trimmed(*content) : "";
  return id.empty() ? "dev" : id;
}

// The roles of the platform's catalogue.
std::vector<std::string> RoleNames() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : embedded::common_auth_catalog()) {
    common::v1::RoleCatalog catalog;
    if (!catalog::ParseYaml(file.name, file.text, catalog).ok()) continue;
    for (const common::v1::Role& role : catalog.roles()) names.push_back(role.name());
  }
  return names;
}

absl::Status CheckRole(const std::string& role) {
  const std::vector<std::string> names = RoleNames();
  if (std::find(names.begin(), names.end(), role) != names.end()) return absl::OkStatus();
  const std::string known = absl::StrJoin(names, ", ");
  return InvalidArgument(common::v1::REASON_FIELD_INVALID,
                         absl::StrCat("There is no role '", role, "'; take one of ", known, "."),
                         absl::StrCat("没有角色“", role, "”，可选：", known, "。"))
      .At("role");
}

absl::StatusOr<int> Token(Session& session, const TokenOptions& options) {
  if (!options.dev) {
    return InvalidArgument(
        common::v1::REASON_DEV_MODE_REQUIRED,
        "Tokens of this command are for servers started with --dev only: add --dev. For any other "
        "server ask its issuer of tokens.",
        "此命令生成的令牌仅用于以 --dev 启动的服务器：请加 "
        "--dev。其他服务器请向其令牌签发方申请。");
  }
  RETURN_IF_ERROR(CheckRole(options.role));
  if (session.federation().empty()) return session.Parent().status();
  const std::string key = options.key.empty() ? options.data + "/dev/signing-key.pem" : options.key;
  RETURN_IF_ERROR(ReadFile(key).status());
  ASSIGN_OR_RETURN(const auth::SigningKey signer, auth::SigningKey::FromPemFile(key, KeyId(key)));
  auth::Claims claims;
  claims.issuer = std::string(auth::kIssuer);
  claims.audience = std::string(auth::kAudience);
  claims.actor.subject = options.subject;
  claims.actor.federation = session.federation();
  auto& grant = claims.actor.grants.emplace_back();
  grant.set_role(options.role);
  grant.set_organization(options.organization);
  grant.set_below(options.below);
  const absl::Time now = absl::Now();
  claims.expires = now + absl::Hours(24) * options.days;
  ASSIGN_OR_RETURN(const std::string token, signer.Sign(claims, now));
  if (options.out.empty()) {
    Print(token + "\n");
    return kSuccess;
  }
  const mode_t mask = umask(077);  // A token is a password.
  const absl::Status written = WriteFile(options.out, token + "\n");
  umask(mask);
  RETURN_IF_ERROR(written);
  return kSuccess;
}

}  // namespace

void AddTokenCommands(Program& program) {
  auto options = std::make_shared<TokenOptions>();
  CLI::App* token =
      AddCommand(program.app, "token", "Make a token for a server started with --dev",
                 "gonghui token --dev --federation demo --subject li --role admin --out token");
  token->add_flag("--dev", options->dev, "Say that the server is a development server");
  token->add_option("--data", options->data, "Data folder of the server")
      ->type_name("DIR")
      ->capture_default_str();
  token->add_option("--key", options->key, "Signing key; default: DATA/dev/signing-key.pem")
      ->type_name("FILE");
  token->add_option("--subject", options->subject, "Who")->capture_default_str();
  token->add_option("--role", options->role, "Role held: " + absl::StrJoin(RoleNames(), ", "))
      ->required();
  token->add_option("--org", options->organization, "Organisation where it is held; * everywhere")
      ->type_name("ID")
      ->capture_default_str();
  token->add_flag("--below", options->below, "Also everything below that organisation");
  token->add_option("--days", options->days, "Days until it expires")
      ->check(CLI::Range(1, 366))
      ->capture_default_str();
  token->add_option("--out", options->out, "Write it to this file, readable by you alone")
      ->type_name("FILE");
  OnRun(token, program, [&program, options] { return Token(program.session, *options); });
}

}  // namespace gonghui::cli
