// gonghui keys: the keys of personal data.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/crypto/personal.h"
#include "gonghui/membership/v1/personal_data.pb.h"
#include "services/cli/job_commands.h"
#include "services/cli/program.h"
#include "services/cli/table.h"

namespace gonghui::cli {
namespace {

namespace v1 = membership::v1;

constexpr char kPersonal[] = "/gonghui.membership.v1.PersonalDataService/";
constexpr char kMembershipJobs[] = "gonghui.membership.v1.JobService";

struct KeyOptions {
  std::string file = "var/data/keys/personal.yaml";
  bool background = false;
};

absl::StatusOr<int> Add(Session& session, const KeyOptions& options) {
  ASSIGN_OR_RETURN(const std::string id, crypto::PersonalData::AddKey(options.file));
  Print(session.Say("Key " + id +
                        " seals what is written from now on. Servers with this file take it over "
                        "within seconds; copy it to the others, then run gonghui keys rotate.\n",
                    "新密钥 " + id +
                        " 已启用，使用此文件的服务器数秒内生效；请分发到其他服务器，然后执行 "
                        "gonghui keys rotate。\n"));
  return kSuccess;
}

absl::StatusOr<int> Status(Session& session) {
  v1::ListPersonalKeysRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  ASSIGN_OR_RETURN(const auto answer, session.Invoke<v1::ListPersonalKeysResponse>(
                                          absl::StrCat(kPersonal, "ListPersonalKeys"), request));
  if (session.json()) {
    PrintJson(answer);
    return kSuccess;
  }
  Table table({session.Say("key", "密钥"), session.Say("state", "状态"),
               session.Say(">values sealed", ">加密值数")});
  for (const v1::PersonalKey& key : answer.keys()) {
    std::string state = session.Say("missing: bring it back", "缺失，请恢复");
    if (key.known()) state = session.Say("kept", "保留");
    if (key.known() && key.values() == 0) state = session.Say("not used here", "本会未使用");
    if (key.current()) state = session.Say("current", "当前");
    table.Add({key.id(), state, absl::StrCat(key.values())});
  }
  Print(table.Text());
  return kSuccess;
}

absl::StatusOr<int> Rotate(Session& session, const KeyOptions& options) {
  v1::ResealPersonalDataRequest request;
  ASSIGN_OR_RETURN(*request.mutable_parent(), session.Parent());
  ASSIGN_OR_RETURN(
      common::v1::Job job,
      session.Invoke<common::v1::Job>(absl::StrCat(kPersonal, "ResealPersonalData"), request));
  if (options.background) return JobStarted(session, job);
  ASSIGN_OR_RETURN(job, AwaitJob(session, std::move(job), kMembershipJobs));
  ASSIGN_OR_RETURN(const auto result, ResultOf<v1::ResealPersonalDataResult>(job));
  if (session.json()) {
    PrintJson(result);
    return kSuccess;
  }
  const std::string resealed = absl::StrCat(result.resealed());
  Print(session.Say(resealed + " values sealed anew; all of the federation are sealed with key " +
                        result.key() + "\n",
                    "重新加密 " + resealed + " 项；本会数据现全部使用密钥 " + result.key() + "\n"));
  return kSuccess;
}

}  // namespace

void AddKeyCommands(Program& program) {
  auto options = std::make_shared<KeyOptions>();
  Session& session = program.session;
  CLI::App* keys =
      AddCommand(program.app, "keys", "Keys that seal personal data", "gonghui keys status");
  keys->require_subcommand(1);
  CLI::App* add = AddCommand(*keys, "add", "Add a fresh key to a key file and make it current",
                             "gonghui keys add --file var/data/keys/personal.yaml");
  add->add_option("--file", options->file, "The servers' key file")
      ->type_name("FILE")
      ->capture_default_str();
  OnRun(add, program, [&session, options] { return Add(session, *options); });
  CLI::App* status =
      AddCommand(*keys, "status", "What each key seals in the federation", "gonghui keys status");
  OnRun(status, program, [&session] { return Status(session); });
  CLI::App* rotate =
      AddCommand(*keys, "rotate", "Seal everything of the federation with the current key",
                 "gonghui keys rotate");
  rotate->add_flag("--background", options->background, "Do not wait for the end");
  OnRun(rotate, program, [&session, options] { return Rotate(session, *options); });
}

}  // namespace gonghui::cli
