#include "services/cli/member_filter_options.h"

namespace gonghui::cli {

void MemberFilterOptions::AddTo(CLI::App* command) {
  command->add_option("--tag", tags, "Group of workers, also several: any of them")->delimiter(',');
  command->add_option("--sex", sex, "male or female");
  command->add_option("--employment", employment, "Code or label, for example on_post");
  command->add_option("--joined-from", joined_from, "Joined on that day or later")
      ->type_name("DATE");
  command->add_option("--joined-to", joined_to, "Joined on that day or earlier")->type_name("DATE");
}

void MemberFilterOptions::AddStatesTo(CLI::App* command) {
  command->add_option("--state", states, "active, retained or left; also several")->delimiter(',');
}

void MemberFilterOptions::AddNameTo(CLI::App* command) {
  command->add_option("--name", name, "How the name begins: characters, pinyin or initials");
}

membership::v1::MemberFilter MemberFilterOptions::Filter() const {
  membership::v1::MemberFilter filter;
  filter.mutable_states()->Assign(states.begin(), states.end());
  filter.mutable_group_tags()->Assign(tags.begin(), tags.end());
  filter.set_sex(sex);
  filter.set_employment(employment);
  filter.set_joined_from(joined_from);
  filter.set_joined_to(joined_to);
  filter.set_name_query(name);
  return filter;
}

}  // namespace gonghui::cli
