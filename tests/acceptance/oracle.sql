-- The district's figures, counted anew from the rows of members, organisations and records. Written
-- from the definitions of the catalogues; uses nothing of the services but their tables.
--
-- First come the views that the counts read, then one query a measure, parted by empty lines:
--
--   -- MEASURE: EXPRESSION [per EXPRESSION] [to N decimals] [by KEY [or TOTAL], ...]
--   -- What is counted.
--   SELECT organization, day, ...
--
-- A query lists what it counts in the period from :first to :last, both inclusive: the organisation
-- it belongs to, the day by whose tree it counts, and the columns of the expressions and keys. The
-- figure of an organisation is the expression over the rows of its subtree: over all of them, and
-- over those of each value of each set of keys; a row without a value counts for none of that key.
-- TOTAL is the value that means all of them.

-- What is believed today about each organisation, by span of time.
CREATE TEMP VIEW organization AS
SELECT id, parent, kind, union_type, industry, employees, founded_on, state, valid_from, valid_to
FROM membership.organization_versions
WHERE tenant = 'demo' AND recorded_to_us = 9223372036854775807;

-- The district and its towns and streets, each with what stood below it, itself included, and when.
CREATE TEMP TABLE below AS
WITH RECURSIVE path (top, organization, since, until) AS (
  SELECT id, id, valid_from, valid_to FROM organization WHERE kind IN ('district', 'town_street')
  UNION
  SELECT top, id, MAX(since, valid_from), MIN(until, valid_to)
  FROM path JOIN organization ON parent = path.organization
  WHERE MAX(since, valid_from) < MIN(until, valid_to)
)
SELECT top, organization, since, until FROM path;
CREATE INDEX temp.below_organization ON below (organization);

-- Memberships, ended or not; left_on is empty for those that last. Where a reorganisation carried a
-- person on, or a transfer did (leave_reason), one ends and the next begins without leaving or joining.
CREATE TEMP VIEW membership_span AS
SELECT member_id, organization, sex, joined_on, left_on, leave_reason
FROM membership.members WHERE tenant = 'demo'
UNION ALL
SELECT past.member_id, past.organization, sex, past.joined_on, past.left_on, past.leave_reason
FROM membership.past_memberships AS past JOIN membership.members USING (tenant, member_id)
WHERE tenant = 'demo';

-- Records that were not cancelled. `ends_on` is their last day, empty where they last; `entered`
-- holds the day of each later state; `subject` tells persons apart.
CREATE TEMP VIEW record AS
SELECT record_id, kind, organization, parent_id, on_date, ends_on, subject, fields, entered
FROM membership.records WHERE tenant = 'demo' AND NOT cancelled
UNION ALL
SELECT record_id, kind, organization, parent_id, on_date, ends_on, subject, fields, entered
FROM funds.records WHERE tenant = 'demo' AND NOT cancelled
UNION ALL
SELECT record_id, kind, organization, parent_id, on_date, ends_on, subject, fields, entered
FROM activities.records WHERE tenant = 'demo' AND NOT cancelled
UNION ALL
SELECT record_id, kind, organization, parent_id, on_date, ends_on, subject, fields, entered
FROM casework.records WHERE tenant = 'demo' AND NOT cancelled;

-- Union funds that are income, each with its day.
CREATE TEMP VIEW fund_income AS
SELECT organization, CASE settled_on WHEN '' THEN received_on ELSE settled_on END AS day,
  paid_fen AS fen, channel
FROM funds.levy_receipts WHERE tenant = 'demo' AND state = 3;

-- members_total: COUNT(DISTINCT member_id) by sex
-- Different members whose membership lasts at the period's end.
SELECT organization, :last AS day, member_id, sex
FROM membership_span WHERE joined_on <= :last AND (left_on = '' OR left_on > :last);

-- members_joined: COUNT(*) by sex
-- Memberships that began in the period.
SELECT organization, joined_on AS day, sex
FROM membership_span AS span WHERE joined_on BETWEEN :first AND :last
  AND NOT EXISTS (SELECT 1 FROM membership.past_memberships AS earlier
    WHERE earlier.tenant = 'demo' AND earlier.member_id = span.member_id
      AND earlier.left_on = span.joined_on
      AND earlier.leave_reason IN ('reorganisation', 'transfer'));

-- members_left: COUNT(*) by sex
-- Memberships that ended in the period.
SELECT organization, left_on AS day, sex
FROM membership_span WHERE left_on BETWEEN :first AND :last
  AND leave_reason NOT IN ('reorganisation', 'transfer');

-- members_transferred: COUNT(*) by sex
-- Memberships that began in the period by a transfer.
SELECT organization, joined_on AS day, sex
FROM membership_span AS span WHERE joined_on BETWEEN :first AND :last
  AND EXISTS (SELECT 1 FROM membership.past_memberships AS earlier
    WHERE earlier.tenant = 'demo' AND earlier.member_id = span.member_id
      AND earlier.left_on = span.joined_on AND earlier.leave_reason = 'transfer');

-- members_transferred_out: COUNT(*) by sex
-- Memberships that ended in the period by a transfer.
SELECT organization, left_on AS day, sex
FROM membership_span WHERE left_on BETWEEN :first AND :last AND leave_reason = 'transfer';

-- staff_total: SUM(employees)
-- Workers registered by the organisations that stand at the period's end.
SELECT id AS organization, :last AS day, employees
FROM organization WHERE valid_from <= :last AND valid_to > :last AND state = 'open';

-- member_join_rate: SUM(100 * members) per SUM(employees) to 2 decimals
-- Per cent of the workers who are members.
SELECT id AS organization, :last AS day, 0 AS members, employees
FROM organization WHERE valid_from <= :last AND valid_to > :last AND state = 'open'
UNION ALL
SELECT organization, :last AS day, 1 AS members, 0 AS employees
FROM membership_span WHERE joined_on <= :last AND (left_on = '' OR left_on > :last);

-- cards_issued_members: COUNT(DISTINCT subject) by medium, sex
-- Different persons with a card that is valid at the period's end, of those held where they are now.
SELECT organization, :last AS day, subject, medium, sex
FROM membership.cards WHERE tenant = 'demo' AND held_from <= :last
  AND (ended_on = '' OR ended_on > :last);

-- cards_replaced: COUNT(*) by medium
-- Cards given in the period in place of others.
SELECT organization, issued_on AS day, medium
FROM membership.cards
WHERE tenant = 'demo' AND replaces <> '' AND issued_on BETWEEN :first AND :last;

-- union_orgs_total: COUNT(*) by kind
-- Organisations that stand at the period's end.
SELECT id AS organization, :last AS day, kind
FROM organization WHERE valid_from <= :last AND valid_to > :last AND state = 'open';

-- unions_established: COUNT(*) by industry, type
-- Organisations founded in the period, as they were on that day.
SELECT id AS organization, founded_on AS day, union_type AS type, industry
FROM organization
WHERE founded_on BETWEEN :first AND :last AND valid_from <= founded_on AND valid_to > founded_on;

-- entities_total: COUNT(*) by enterprise_size
-- Economic entities registered up to the period's end and not ended by then.
SELECT organization, :last AS day, fields ->> 'enterprise_size' AS enterprise_size
FROM record WHERE kind = 'economic_entity' AND on_date <= :last
  AND (ends_on = '' OR ends_on >= :last);

-- entities_with_union: COUNT(*) by enterprise_size
-- Those of them that have a union.
SELECT organization, :last AS day, fields ->> 'enterprise_size' AS enterprise_size
FROM record WHERE kind = 'economic_entity' AND on_date <= :last
  AND (ends_on = '' OR ends_on >= :last) AND fields ->> 'has_union' = 'true'
  AND COALESCE(fields ->> 'union_since', '') <= :last;

-- covered_units: COUNT(*)
-- Employers that a joint union covers at the period's end.
SELECT organization, :last AS day
FROM record WHERE kind = 'covered_unit' AND on_date <= :last
  AND (COALESCE(fields ->> 'left_on', '') = '' OR fields ->> 'left_on' > :last);

-- union_coverage_rate: SUM(100 * has_union) per COUNT(*) to 2 decimals by enterprise_size
-- Per cent of the entities that have a union.
SELECT organization, :last AS day, fields ->> 'enterprise_size' AS enterprise_size,
  fields ->> 'has_union' = 'true' AND COALESCE(fields ->> 'union_since', '') <= :last AS has_union
FROM record WHERE kind = 'economic_entity' AND on_date <= :last
  AND (ends_on = '' OR ends_on >= :last);

-- elections_completed: COUNT(*) by tier
-- Elections completed in the period; the tier is the kind of the organisation.
SELECT r.organization, entered ->> 'completed' AS day, o.kind AS tier
FROM record AS r JOIN organization AS o
  ON o.id = r.organization AND entered ->> 'completed' >= valid_from
    AND entered ->> 'completed' < valid_to
WHERE r.kind = 'election' AND entered ->> 'completed' BETWEEN :first AND :last;

-- elections_due: COUNT(*) by tier
-- Elections whose deadline lies in the period, completed or not.
SELECT r.organization, fields ->> 'deadline' AS day, o.kind AS tier
FROM record AS r JOIN organization AS o
  ON o.id = r.organization AND fields ->> 'deadline' >= valid_from
    AND fields ->> 'deadline' < valid_to
WHERE r.kind = 'election' AND fields ->> 'deadline' BETWEEN :first AND :last;

-- open_affairs_newly_established: COUNT(*)
-- Enterprises that set up open affairs in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'open_affairs_enrolment' AND on_date BETWEEN :first AND :last;

-- honours_awarded: COUNT(*) by honour, target
-- Honours awarded in the period.
SELECT organization, on_date AS day, fields ->> 'honour' AS honour, fields ->> 'target' AS target
FROM record WHERE kind = 'honour_award' AND on_date BETWEEN :first AND :last;

-- superior_visits_received: COUNT(*) by level, month, topic
-- Visits by superiors in the period.
SELECT organization, on_date AS day, SUBSTR(on_date, 1, 7) AS month,
  fields ->> 'level' AS level, fields ->> 'topic' AS topic
FROM record WHERE kind = 'superior_visit' AND on_date BETWEEN :first AND :last;

-- reform_pilots: COUNT(*)
-- Pilots named up to the period's end and not ended by then.
SELECT organization, :last AS day
FROM record WHERE kind = 'reform_pilot' AND on_date <= :last
  AND (entered ->> 'closed' IS NULL OR entered ->> 'closed' > :last)
  AND (ends_on = '' OR ends_on >= :last);

-- pilot_experiences_summarised: COUNT(*)
-- Experiences summarised in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'pilot_experience' AND on_date BETWEEN :first AND :last;

-- bargaining_advisers: COUNT(*) by action, kind, tier
-- Advisers hired, replaced or ended in the period; the tier is the kind of the organisation.
SELECT r.organization, on_date AS day, o.kind AS tier,
  fields ->> 'adviser_kind' AS kind, fields ->> 'action' AS action
FROM record AS r JOIN organization AS o
  ON o.id = r.organization AND on_date >= valid_from AND on_date < valid_to
WHERE r.kind = 'adviser_appointment' AND on_date BETWEEN :first AND :last;

-- needy_workers_total: COUNT(*) by level or all
-- Hardship files opened up to the period's end and not exited by then.
SELECT organization, :last AS day, fields ->> 'level' AS level
FROM record WHERE kind = 'hardship_file' AND on_date <= :last
  AND (entered ->> 'exited' IS NULL OR entered ->> 'exited' > :last);

-- files_entered: COUNT(*) by level or all
-- Hardship files opened in the period.
SELECT organization, on_date AS day, fields ->> 'level' AS level
FROM record WHERE kind = 'hardship_file' AND on_date BETWEEN :first AND :last
  AND fields ->> 'regraded' = 'false';

-- files_exited: COUNT(*) by level or all
-- Hardship files exited in the period.
SELECT organization, entered ->> 'exited' AS day, fields ->> 'level' AS level
FROM record WHERE kind = 'hardship_file' AND entered ->> 'exited' BETWEEN :first AND :last
  AND fields ->> 'leaving' <> 'regraded';

-- programmes_selected: COUNT(*) by event
-- Programmes selected in the period.
SELECT organization, entered ->> 'selected' AS day, fields ->> 'event' AS event
FROM record WHERE kind = 'competition_entry' AND entered ->> 'selected' BETWEEN :first AND :last;

-- reading_events_held: COUNT(*)
-- Reading events held in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'reading_event' AND on_date BETWEEN :first AND :last;

-- reading_event_kinds: COUNT(DISTINCT kinds) by kinds
-- Different kinds of the reading events held in the period.
SELECT organization, on_date AS day, fields ->> 'event_kind' AS kinds
FROM record WHERE kind = 'reading_event' AND on_date BETWEEN :first AND :last;

-- studios_established: COUNT(*) by holder
-- Studios established in the period.
SELECT organization, on_date AS day, fields ->> 'holder' AS holder
FROM record WHERE kind = 'studio' AND on_date BETWEEN :first AND :last;

-- studios_in_operation: COUNT(*) by holder
-- Studios marked as in operation, established up to the period's end and not ended by then.
SELECT organization, :last AS day, fields ->> 'holder' AS holder
FROM record WHERE kind = 'studio' AND on_date <= :last
  AND (ends_on = '' OR ends_on >= :last)
  AND fields ->> 'in_operation' = 'true';

-- studios_recommended: COUNT(*) by level
-- Recommendations of studios in the period.
SELECT organization, on_date AS day, fields ->> 'level' AS level
FROM record WHERE kind = 'studio_nomination' AND on_date BETWEEN :first AND :last;

-- service_sessions_delivered: COUNT(*)
-- Visits of the service team in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'service_visit' AND on_date BETWEEN :first AND :last;

-- service_fields_covered: COUNT(DISTINCT service_field)
-- Different fields of the service team's visits in the period.
SELECT organization, on_date AS day, fields ->> 'service_field' AS service_field
FROM record WHERE kind = 'service_visit' AND on_date BETWEEN :first AND :last;

-- model_workers_visited: COUNT(DISTINCT subject) by festival
-- Different model workers who were paid a benefit for a festival in the period.
SELECT organization, on_date AS day, subject, fields ->> 'festival' AS festival
FROM record WHERE kind = 'model_worker_benefit' AND on_date BETWEEN :first AND :last
  AND fields ->> 'festival' <> '';

-- model_worker_benefit_amount: SUM(fen) per 100 to 2 decimals by festival, kind or total
-- Benefits paid to model workers in the period, in yuan.
SELECT organization, on_date AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen,
  fields ->> 'festival' AS festival, fields ->> 'benefit_kind' AS kind
FROM record WHERE kind = 'model_worker_benefit' AND on_date BETWEEN :first AND :last;

-- health_check_persons: COUNT(DISTINCT subject) by group, month
-- Different persons checked in the period.
SELECT organization, on_date AS day, subject,
  SUBSTR(on_date, 1, 7) AS month, fields ->> 'group' AS "group"
FROM record WHERE kind = 'health_check_attendance' AND on_date BETWEEN :first AND :last;

-- skills_contests_held: COUNT(*) by host
-- Contests held in the period.
SELECT organization, on_date AS day, fields ->> 'host' AS host
FROM record WHERE kind = 'skills_contest' AND on_date BETWEEN :first AND :last;

-- skills_contest_participants: COUNT(*) by host
-- Entries of the period into contests; the host is that of the contest.
SELECT r.organization, r.on_date AS day, parent.fields ->> 'host' AS host
FROM record AS r JOIN record AS parent ON parent.record_id = r.parent_id
WHERE r.kind = 'contest_entry' AND r.on_date BETWEEN :first AND :last;

-- skills_contest_trades: COUNT(DISTINCT trade) by host
-- Different trades of the contests held in the period.
SELECT organization, on_date AS day, fields ->> 'trade' AS trade, fields ->> 'host' AS host
FROM record WHERE kind = 'skills_contest' AND on_date BETWEEN :first AND :last;

-- innovation_projects_approved: COUNT(*)
-- Projects approved in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'innovation_project' AND on_date BETWEEN :first AND :last;

-- innovation_participants: COUNT(DISTINCT subject)
-- Different persons who joined a project in the period.
SELECT organization, on_date AS day, subject
FROM record WHERE kind = 'innovation_project_member' AND on_date BETWEEN :first AND :last;

-- innovation_results: COUNT(*)
-- Results achieved in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'innovation_result' AND on_date BETWEEN :first AND :last;

-- mentor_pairs: COUNT(*)
-- Apprentices paired in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'mentor_pairing' AND on_date BETWEEN :first AND :last;

-- ankang_units: COUNT(DISTINCT unit)
-- Different units enrolled in the period.
SELECT organization, on_date AS day, fields ->> 'unit' AS unit
FROM record WHERE kind = 'ankang_enrolment' AND on_date BETWEEN :first AND :last;

-- ankang_participants: SUM(participants)
-- Workers taking part of the enrolments of the period.
SELECT organization, on_date AS day, CAST(fields ->> 'participants' AS INTEGER) AS participants
FROM record WHERE kind = 'ankang_enrolment' AND on_date BETWEEN :first AND :last;

-- ankang_workforce: SUM(workers)
-- Workers of the units of the enrolments of the period.
SELECT organization, on_date AS day, CAST(fields ->> 'workers' AS INTEGER) AS workers
FROM record WHERE kind = 'ankang_enrolment' AND on_date BETWEEN :first AND :last;

-- ankang_participation_rate: SUM(100 * participants) per SUM(workers) to 2 decimals
-- Per cent of those workers who take part.
SELECT organization, on_date AS day, CAST(fields ->> 'participants' AS INTEGER) AS participants,
  CAST(fields ->> 'workers' AS INTEGER) AS workers
FROM record WHERE kind = 'ankang_enrolment' AND on_date BETWEEN :first AND :last;

-- hazards_reported: COUNT(*) by channel
-- Hazards reported in the period.
SELECT organization, on_date AS day, fields ->> 'channel' AS channel
FROM record WHERE kind = 'hazard_report' AND on_date BETWEEN :first AND :last;

-- hazards_fixed: COUNT(*) by channel
-- Hazards fixed in the period.
SELECT organization, entered ->> 'fixed' AS day, fields ->> 'channel' AS channel
FROM record WHERE kind = 'hazard_report' AND entered ->> 'fixed' BETWEEN :first AND :last;

-- safety_campaign_items: COUNT(DISTINCT kinds) by kinds
-- Different kinds of the safety activities held in the period.
SELECT organization, on_date AS day, fields ->> 'activity_kind' AS kinds
FROM record WHERE kind = 'safety_activity' AND on_date BETWEEN :first AND :last;

-- handouts_distributed: SUM(copies) by topic
-- Copies handed out in the period.
SELECT organization, on_date AS day, CAST(fields ->> 'copies' AS INTEGER) AS copies,
  fields ->> 'topic' AS topic
FROM record WHERE kind = 'handout_issue' AND on_date BETWEEN :first AND :last;

-- publicity_sessions_held: COUNT(*) by topic
-- Publicity sessions held in the period.
SELECT organization, on_date AS day, fields ->> 'topic' AS topic
FROM record WHERE kind = 'publicity_activity' AND on_date BETWEEN :first AND :last;

-- legal_aid_teams_established: COUNT(*)
-- Legal-aid teams established in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'legal_aid_team' AND on_date BETWEEN :first AND :last;

-- job_fairs_held: COUNT(*)
-- Job fairs held in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'job_fair' AND on_date BETWEEN :first AND :last;

-- vacancies_published: SUM(vacancies)
-- Vacancies offered at the job fairs of the period.
SELECT organization, on_date AS day, CAST(fields ->> 'vacancies' AS INTEGER) AS vacancies
FROM record WHERE kind = 'job_fair' AND on_date BETWEEN :first AND :last
  AND fields ->> 'vacancies' <> '';

-- wage_arrears_campaigns: COUNT(*) by kinds
-- Inspections against wage arrears in the period.
SELECT organization, on_date AS day, fields ->> 'campaign' AS kinds
FROM record WHERE kind = 'wage_arrears_inspection' AND on_date BETWEEN :first AND :last;

-- mediation_partner_agencies: COUNT(DISTINCT agencies) by agencies
-- Different agencies with an agreement made up to the period's end and not ended by then.
SELECT organization, :last AS day, fields ->> 'agency' AS agencies
FROM record WHERE kind = 'mediation_agreement' AND on_date <= :last
  AND (ends_on = '' OR ends_on >= :last);

-- disputes_accepted: COUNT(*)
-- Disputes accepted in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'dispute_case' AND on_date BETWEEN :first AND :last;

-- disputes_closed: COUNT(*)
-- Disputes closed in the period.
SELECT organization, entered ->> 'closed' AS day
FROM record WHERE kind = 'dispute_case' AND entered ->> 'closed' BETWEEN :first AND :last;

-- dispute_workers_involved: COUNT(*)
-- Workers party to disputes accepted in the period, one for each dispute; employers do not count.
SELECT r.organization, parent.on_date AS day
FROM record AS r JOIN record AS parent ON parent.record_id = r.parent_id
WHERE r.kind = 'dispute_party' AND r.fields ->> 'role' = 'worker'
  AND parent.on_date BETWEEN :first AND :last;

-- dispute_amount: SUM(fen) per 1000000 to 6 decimals
-- Amount of the disputes accepted in the period, in ten thousand yuan.
SELECT organization, on_date AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'dispute_case' AND on_date BETWEEN :first AND :last
  AND fields ->> 'amount' <> '';

-- mutual_aid_units: COUNT(DISTINCT unit)
-- Different units enrolled in the period.
SELECT organization, on_date AS day, fields ->> 'unit' AS unit
FROM record WHERE kind = 'mutual_aid_enrolment' AND on_date BETWEEN :first AND :last;

-- mutual_aid_insured: COUNT(*)
-- Persons on the lists of insured of the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'mutual_aid_insured' AND on_date BETWEEN :first AND :last;

-- mutual_aid_target: SUM(target) by target_from
-- Persons to be insured by the plans that begin in the period.
SELECT organization, on_date AS day, CAST(fields ->> 'target_persons' AS INTEGER) AS target,
  fields ->> 'target_from' AS target_from
FROM record WHERE kind = 'mutual_aid_plan' AND on_date BETWEEN :first AND :last
  AND fields ->> 'target_persons' <> '';

-- mutual_aid_target_completion: SUM(100 * insured) per SUM(target) to 2 decimals
-- Per cent of that target who are insured.
SELECT organization, on_date AS day, 1 AS insured, 0 AS target
FROM record WHERE kind = 'mutual_aid_insured' AND on_date BETWEEN :first AND :last
UNION ALL
SELECT organization, on_date, 0, CAST(fields ->> 'target_persons' AS INTEGER)
FROM record WHERE kind = 'mutual_aid_plan' AND on_date BETWEEN :first AND :last
  AND fields ->> 'target_persons' <> '';

-- mutual_aid_premium: SUM(fen) per 1000000 to 6 decimals
-- Premiums received in the period, in ten thousand yuan.
SELECT organization, on_date AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'mutual_aid_premium' AND on_date BETWEEN :first AND :last;

-- mutual_aid_claims: COUNT(*)
-- Claims paid in the period.
SELECT organization, entered ->> 'paid' AS day
FROM record WHERE kind = 'mutual_aid_claim' AND entered ->> 'paid' BETWEEN :first AND :last;

-- mutual_aid_paid: SUM(fen) per 1000000 to 6 decimals
-- Money paid on claims in the period, in ten thousand yuan.
SELECT organization, entered ->> 'paid' AS day,
  CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'mutual_aid_claim' AND entered ->> 'paid' BETWEEN :first AND :last;

-- benefit_service_tiers: COUNT(DISTINCT tiers) by tiers
-- Different tiers of needs of the projects launched in the period.
SELECT organization, on_date AS day, fields ->> 'tier' AS tiers
FROM record WHERE kind = 'benefit_project' AND on_date BETWEEN :first AND :last;

-- benefit_project_series: COUNT(*) by series
-- Series of projects launched in the period, one a record.
SELECT organization, on_date AS day, fields ->> 'series' AS series
FROM record WHERE kind = 'benefit_project' AND on_date BETWEEN :first AND :last;

-- benefit_merchants: COUNT(*)
-- Agreements signed up to the period's end and not ended by then.
SELECT organization, :last AS day
FROM record WHERE kind = 'merchant_agreement' AND on_date <= :last
  AND (ends_on = '' OR ends_on >= :last)
  AND (entered ->> 'ended' IS NULL OR entered ->> 'ended' > :last);

-- benefit_course_participants: COUNT(*)
-- Registrations for courses in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'course_registration' AND on_date BETWEEN :first AND :last;

-- recuperation_persons: COUNT(*) by groups
-- Persons on trips in the period; the group is that of the trip.
SELECT r.organization, r.on_date AS day, parent.fields ->> 'group' AS groups
FROM record AS r JOIN record AS parent ON parent.record_id = r.parent_id
WHERE r.kind = 'recuperation_enrolment' AND r.on_date BETWEEN :first AND :last;

-- womens_activities_held: COUNT(*) by theme
-- Women workers' activities held in the period.
SELECT organization, on_date AS day, fields ->> 'theme' AS theme
FROM record WHERE kind = 'womens_activity' AND on_date BETWEEN :first AND :last;

-- womens_activity_participants: COUNT(*) by theme
-- Attendances in the period; the theme is that of the activity.
SELECT r.organization, r.on_date AS day, parent.fields ->> 'theme' AS theme
FROM record AS r JOIN record AS parent ON parent.record_id = r.parent_id
WHERE r.kind = 'womens_activity_attendance' AND r.on_date BETWEEN :first AND :last;

-- matchmaking_events_held: COUNT(*)
-- Matchmaking events held in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'matchmaking_event' AND on_date BETWEEN :first AND :last;

-- matches_made: SUM(matches)
-- Pairs matched at the events of the period.
SELECT organization, on_date AS day, CAST(fields ->> 'matches' AS INTEGER) AS matches
FROM record WHERE kind = 'matchmaking_event' AND on_date BETWEEN :first AND :last
  AND fields ->> 'matches' <> '';

-- documents_issued: COUNT(*)
-- Documents issued in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'issued_document' AND on_date BETWEEN :first AND :last;

-- integrity_campaign_activities: COUNT(*) by campaign
-- Integrity activities held in the period.
SELECT organization, on_date AS day, fields ->> 'campaign' AS campaign
FROM record WHERE kind = 'integrity_activity' AND on_date BETWEEN :first AND :last;

-- audit_reports_drafted: COUNT(*) by status
-- Audit reports sent for comment in the period; no other status is counted.
SELECT organization, entered ->> 'draft_for_comment' AS day, 'draft_for_comment' AS status
FROM record
WHERE kind = 'audit_report' AND entered ->> 'draft_for_comment' BETWEEN :first AND :last;

-- cadre_trainings_held: COUNT(*) by topic
-- Courses for cadres begun in the period.
SELECT organization, on_date AS day, fields ->> 'topic' AS topic
FROM record WHERE kind = 'training_course' AND on_date BETWEEN :first AND :last;

-- cadre_training_participants: COUNT(*) by topic
-- Attendances in the period; the topic is that of the course.
SELECT r.organization, r.on_date AS day, parent.fields ->> 'topic' AS topic
FROM record AS r JOIN record AS parent ON parent.record_id = r.parent_id
WHERE r.kind = 'training_attendance' AND r.on_date BETWEEN :first AND :last;

-- renovation_projects_started: COUNT(*)
-- Renovations started in the period.
SELECT organization, entered ->> 'started' AS day
FROM record WHERE kind = 'renovation_project' AND entered ->> 'started' BETWEEN :first AND :last;

-- responsibility_letters_signed: COUNT(*)
-- No letters are made in the district: they are no records.
SELECT organization, on_date AS day FROM record WHERE kind = 'responsibility_letter';

-- plan_tasks_listed: COUNT(*)
-- Tasks of the plan begun in the period.
SELECT organization, on_date AS day FROM record
WHERE kind = 'plan_item' AND fields ->> 'item_type' = 'task' AND on_date BETWEEN :first AND :last;

-- plan_aspects: COUNT(DISTINCT aspect)
-- Different aspects of the tasks begun in the period.
SELECT organization, on_date AS day, fields ->> 'aspect' AS aspect FROM record
WHERE kind = 'plan_item' AND fields ->> 'item_type' = 'task' AND on_date BETWEEN :first AND :last;

-- plan_tasks_done: COUNT(*)
-- Tasks finished in the period.
SELECT organization, entered ->> 'done' AS day FROM record
WHERE kind = 'plan_item' AND fields ->> 'item_type' = 'task'
  AND entered ->> 'done' BETWEEN :first AND :last;

-- tasks_done_rate: SUM(100 * done) per SUM(listed) to 2 decimals
-- Per cent of the tasks begun in the period that are as many as those finished in it.
SELECT organization, on_date AS day, 0 AS done, 1 AS listed FROM record
WHERE kind = 'plan_item' AND fields ->> 'item_type' = 'task' AND on_date BETWEEN :first AND :last
UNION ALL
SELECT organization, entered ->> 'done', 1, 0 FROM record
WHERE kind = 'plan_item' AND fields ->> 'item_type' = 'task'
  AND entered ->> 'done' BETWEEN :first AND :last;

-- summary_problem_items: COUNT(*)
-- Problems raised in the period.
SELECT organization, on_date AS day FROM record
WHERE kind = 'plan_item' AND fields ->> 'item_type' = 'problem' AND on_date BETWEEN :first AND :last;

-- summary_next_tasks: COUNT(*)
-- Next steps begun in the period.
SELECT organization, on_date AS day FROM record
WHERE kind = 'plan_item' AND fields ->> 'item_type' = 'next' AND on_date BETWEEN :first AND :last;

-- summary_requirement_items: COUNT(*)
-- Requirements raised in the period.
SELECT organization, on_date AS day FROM record
WHERE kind = 'plan_item' AND fields ->> 'item_type' = 'requirement'
  AND on_date BETWEEN :first AND :last;

-- committees_in_office: COUNT(*) by body
-- Committees whose term had begun and not ended by the period's end.
SELECT organization, :last AS day, fields ->> 'body' AS body
FROM record WHERE kind = 'committee_term' AND on_date <= :last
  AND (entered ->> 'ended' IS NULL OR entered ->> 'ended' > :last);

-- officers_elected: COUNT(*) by post
-- Candidates elected in the period.
SELECT organization, entered ->> 'elected' AS day, fields ->> 'post' AS post
FROM record WHERE kind = 'election_candidate' AND entered ->> 'elected' BETWEEN :first AND :last;

-- posts_required: SUM(required_count) by post
-- Posts planned at the period's end.
SELECT organization, :last AS day, CAST(fields ->> 'required_count' AS INTEGER) AS required_count, fields ->> 'post' AS post
FROM record WHERE kind = 'post_plan' AND on_date <= :last
  AND (ends_on = '' OR ends_on >= :last);

-- posts_filled: COUNT(*) by post
-- Planned posts that are held at the period's end.
SELECT h.organization, :last AS day, p.fields ->> 'post' AS post
FROM record AS h JOIN record AS p ON p.record_id = h.parent_id
WHERE h.kind = 'post_holding' AND h.on_date <= :last
  AND (h.entered ->> 'left' IS NULL OR h.entered ->> 'left' > :last);

-- posts_vacant: SUM(vacant) by post
-- Posts planned less those held.
SELECT organization, :last AS day, CAST(fields ->> 'required_count' AS INTEGER) AS vacant,
  fields ->> 'post' AS post
FROM record WHERE kind = 'post_plan' AND on_date <= :last AND (ends_on = '' OR ends_on >= :last)
UNION ALL
SELECT h.organization, :last AS day, -1, p.fields ->> 'post' AS post
FROM record AS h JOIN record AS p ON p.record_id = h.parent_id
WHERE h.kind = 'post_holding' AND h.on_date <= :last
  AND (h.entered ->> 'left' IS NULL OR h.entered ->> 'left' > :last);

-- posts_filled_rate: SUM(100 * held) per SUM(due) to 2 decimals by post
-- Per cent of the planned posts that are held.
SELECT organization, :last AS day, CAST(fields ->> 'required_count' AS INTEGER) AS due, 0 AS held,
  fields ->> 'post' AS post
FROM record WHERE kind = 'post_plan' AND on_date <= :last AND (ends_on = '' OR ends_on >= :last)
UNION ALL
SELECT h.organization, :last AS day, 0, 1, p.fields ->> 'post' AS post
FROM record AS h JOIN record AS p ON p.record_id = h.parent_id
WHERE h.kind = 'post_holding' AND h.on_date <= :last
  AND (h.entered ->> 'left' IS NULL OR h.entered ->> 'left' > :last);

-- cadres_total: COUNT(*) by full_time, post
-- Posts held at the period's end.
SELECT organization, :last AS day, fields ->> 'post' AS post, fields ->> 'full_time' AS full_time
FROM record WHERE kind = 'post_holding' AND on_date <= :last
  AND (entered ->> 'left' IS NULL OR entered ->> 'left' > :last);

-- committee_adjustments: COUNT(*) by way
-- Co-optings and by-elections in the period.
SELECT organization, on_date AS day, fields ->> 'way' AS way
FROM record WHERE kind = 'post_holding' AND on_date BETWEEN :first AND :last
  AND fields ->> 'way' IN ('by_election', 'co_opted');

-- team_leaders_appointed: COUNT(*)
-- Leaders appointed by competition in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'post_holding' AND on_date BETWEEN :first AND :last
  AND fields ->> 'way' = 'competitive' AND fields ->> 'post' IN ('group_leader', 'team_leader');

-- womens_committees_established: COUNT(*) by form
-- Women's committees set up in the period.
SELECT organization, on_date AS day, fields ->> 'form' AS form
FROM record WHERE kind = 'womens_committee' AND on_date BETWEEN :first AND :last;

-- womens_committees_total: COUNT(*)
-- Women's committees at the period's end.
SELECT organization, :last AS day
FROM record WHERE kind = 'womens_committee' AND on_date <= :last
  AND (entered ->> 'dissolved' IS NULL OR entered ->> 'dissolved' > :last);

-- womens_committee_coverage: SUM(100 * part) per SUM(whole) to 2 decimals
-- Per cent of the unions that have a women's committee.
SELECT id AS organization, :last AS day, 0 AS part, 1 AS whole
FROM organization WHERE valid_from <= :last AND valid_to > :last AND state = 'open'
UNION ALL
SELECT organization, :last, 1, 0
FROM record WHERE kind = 'womens_committee' AND on_date <= :last
  AND (entered ->> 'dissolved' IS NULL OR entered ->> 'dissolved' > :last);

-- pacesetter_posts: COUNT(*)
-- Pace-setter posts named and not revoked by the period's end.
SELECT organization, :last AS day
FROM record WHERE kind = 'pacesetter_post' AND entered ->> 'named' <= :last
  AND (entered ->> 'revoked' IS NULL OR entered ->> 'revoked' > :last);

-- meetings_held: COUNT(*) by body
-- Meetings held in the period.
SELECT organization, entered ->> 'held' AS day, fields ->> 'body' AS body
FROM record WHERE kind = 'meeting' AND entered ->> 'held' BETWEEN :first AND :last;

-- resolutions_passed: COUNT(*)
-- Resolutions passed in the period.
SELECT organization, entered ->> 'passed' AS day
FROM record WHERE kind = 'meeting_resolution' AND entered ->> 'passed' BETWEEN :first AND :last;

-- congress_delegates_attending: SUM(attended) by body
-- Those who attended congresses in the period.
SELECT organization, entered ->> 'held' AS day, CAST(fields ->> 'attended' AS INTEGER) AS attended, fields ->> 'body' AS body
FROM record WHERE kind = 'meeting' AND entered ->> 'held' BETWEEN :first AND :last
  AND fields ->> 'body' IN ('congress', 'workers_congress');

-- delegates_total: COUNT(*) by body, category
-- Delegates who serve at the period's end.
SELECT d.organization, :last AS day, r.fields ->> 'body' AS body, d.fields ->> 'category' AS category
FROM record AS d JOIN record AS r ON r.record_id = d.parent_id
WHERE d.kind = 'congress_delegate' AND d.on_date <= :last
  AND (d.entered ->> 'left' IS NULL OR d.entered ->> 'left' > :last);

-- frontline_delegates: COUNT(*) by body
-- Front-line delegates who serve at the period's end.
SELECT d.organization, :last AS day, r.fields ->> 'body' AS body
FROM record AS d JOIN record AS r ON r.record_id = d.parent_id
WHERE d.kind = 'congress_delegate' AND d.on_date <= :last
  AND (d.entered ->> 'left' IS NULL OR d.entered ->> 'left' > :last)
  AND d.fields ->> 'category' = 'front_line';

-- frontline_delegate_share: SUM(100 * front) per COUNT(*) to 2 decimals by body
-- Per cent of the delegates from the front line.
SELECT d.organization, :last AS day, r.fields ->> 'body' AS body,
  d.fields ->> 'category' = 'front_line' AS front
FROM record AS d JOIN record AS r ON r.record_id = d.parent_id
WHERE d.kind = 'congress_delegate' AND d.on_date <= :last
  AND (d.entered ->> 'left' IS NULL OR d.entered ->> 'left' > :last);

-- delegate_by_elections: COUNT(*)
-- Delegates elected in by-elections in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'congress_delegate' AND on_date BETWEEN :first AND :last
  AND fields ->> 'by_election' = 'true';

-- entities_without_union: COUNT(*) by enterprise_size
-- Economic entities without a union.
SELECT organization, :last AS day, fields ->> 'enterprise_size' AS enterprise_size
FROM record WHERE kind = 'economic_entity' AND on_date <= :last
  AND (ends_on = '' OR ends_on >= :last)
  AND (fields ->> 'has_union' = 'false' OR fields ->> 'union_since' > :last);

-- ledger_changes: COUNT(*) by change
-- Changes of the ledger in the period.
SELECT organization, on_date AS day, fields ->> 'change' AS change
FROM record WHERE kind = 'entity_change' AND on_date BETWEEN :first AND :last;

-- organising_reports: COUNT(*)
-- Weekly reports in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'organising_report' AND on_date BETWEEN :first AND :last;

-- areas_surveyed: COUNT(DISTINCT patch)
-- Different patches that reported in the period.
SELECT organization, on_date AS day, fields ->> 'patch' AS patch
FROM record WHERE kind = 'organising_report' AND on_date BETWEEN :first AND :last;

-- entities_surveyed: SUM(surveyed)
-- Entities surveyed in the period.
SELECT organization, on_date AS day, CAST(fields ->> 'surveyed' AS INTEGER) AS surveyed
FROM record WHERE kind = 'organising_report' AND on_date BETWEEN :first AND :last;

-- establishments_applied: COUNT(*)
-- Applications to found a union in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'establishment' AND on_date BETWEEN :first AND :last;

-- establishments_approved: COUNT(*) by form
-- Unions approved in the period.
SELECT organization, entered ->> 'approved' AS day, fields ->> 'form' AS form
FROM record WHERE kind = 'establishment' AND entered ->> 'approved' BETWEEN :first AND :last;

-- legal_person_registrations: COUNT(*)
-- Legal personalities granted in the period.
SELECT organization, entered ->> 'granted' AS day
FROM record WHERE kind = 'legal_person' AND entered ->> 'granted' BETWEEN :first AND :last
  AND fields ->> 'certificate' = 'legal_person';

-- certified_unions: COUNT(*)
-- Unions whose certificate is valid at the period's end.
SELECT organization, :last AS day
FROM record WHERE kind = 'legal_person' AND fields ->> 'certificate' = 'legal_person'
  AND entered ->> 'granted' <= :last
  AND (entered ->> 'cancelled' IS NULL OR entered ->> 'cancelled' > :last)
  AND (ends_on = '' OR ends_on >= :last);

-- certified_union_rate: SUM(100 * part) per SUM(whole) to 2 decimals
-- Per cent of the unions whose certificate is valid.
SELECT id AS organization, :last AS day, 0 AS part, 1 AS whole
FROM organization WHERE valid_from <= :last AND valid_to > :last AND state = 'open'
UNION ALL
SELECT organization, :last, 1, 0
FROM record WHERE kind = 'legal_person' AND fields ->> 'certificate' = 'legal_person'
  AND entered ->> 'granted' <= :last
  AND (entered ->> 'cancelled' IS NULL OR entered ->> 'cancelled' > :last)
  AND (ends_on = '' OR ends_on >= :last);

-- certificate_kinds: COUNT(DISTINCT certificate)
-- Different kinds of certificates granted in the period.
SELECT organization, entered ->> 'granted' AS day, fields ->> 'certificate' AS certificate
FROM record WHERE kind = 'legal_person' AND entered ->> 'granted' BETWEEN :first AND :last;

-- organiser_candidates: COUNT(*)
-- Candidates in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'organiser_candidate' AND on_date BETWEEN :first AND :last;

-- organisers_recruited: COUNT(*)
-- Organisers hired in the period.
SELECT organization, entered ->> 'hired' AS day
FROM record WHERE kind = 'organiser_candidate' AND entered ->> 'hired' BETWEEN :first AND :last;

-- organisers_total: COUNT(*)
-- Organisers at the period's end.
SELECT organization, :last AS day
FROM record WHERE kind = 'organiser_candidate' AND entered ->> 'hired' <= :last
  AND (entered ->> 'left' IS NULL OR entered ->> 'left' > :last);

-- collective_contracts_signed: COUNT(*) by kind
-- Contracts signed in the period.
SELECT organization, entered ->> 'signed' AS day, fields ->> 'contract_kind' AS kind
FROM record WHERE kind = 'collective_contract' AND entered ->> 'signed' BETWEEN :first AND :last;

-- collective_contracts_renewed: COUNT(*) by kind
-- Contracts signed in the period that renew another.
SELECT organization, entered ->> 'signed' AS day, fields ->> 'contract_kind' AS kind
FROM record WHERE kind = 'collective_contract' AND entered ->> 'signed' BETWEEN :first AND :last
  AND fields ->> 'renews' <> '';

-- collective_contracts_in_force: COUNT(*) by kind
-- Contracts in force at the period's end.
SELECT organization, :last AS day, fields ->> 'contract_kind' AS kind
FROM record WHERE kind = 'collective_contract' AND entered ->> 'effective' <= :last
  AND (entered ->> 'ended' IS NULL OR entered ->> 'ended' > :last)
  AND (ends_on = '' OR ends_on >= :last);

-- unions_with_contract: COUNT(DISTINCT organization)
-- Different unions with a contract in force at the period's end.
SELECT organization, :last AS day
FROM record WHERE kind = 'collective_contract' AND entered ->> 'effective' <= :last
  AND (entered ->> 'ended' IS NULL OR entered ->> 'ended' > :last)
  AND (ends_on = '' OR ends_on >= :last);

-- contract_workers_covered: SUM(employees) by kind
-- Workers under contracts in force at the period's end.
SELECT organization, :last AS day, CAST(fields ->> 'employees' AS INTEGER) AS employees, fields ->> 'contract_kind' AS kind
FROM record WHERE kind = 'collective_contract' AND entered ->> 'effective' <= :last
  AND (entered ->> 'ended' IS NULL OR entered ->> 'ended' > :last)
  AND (ends_on = '' OR ends_on >= :last);

-- contract_signing_rate: SUM(100 * part) per SUM(whole) to 2 decimals
-- Per cent of the unions that have a contract in force.
SELECT id AS organization, :last AS day, 0 AS part, 1 AS whole
FROM organization WHERE valid_from <= :last AND valid_to > :last AND state = 'open'
UNION ALL
SELECT DISTINCT organization, :last, 1, 0
FROM record WHERE kind = 'collective_contract' AND entered ->> 'effective' <= :last
  AND (entered ->> 'ended' IS NULL OR entered ->> 'ended' > :last)
  AND (ends_on = '' OR ends_on >= :last);

-- offers_sent: COUNT(*) by topic
-- Offers sent in the period.
SELECT organization, on_date AS day, fields ->> 'topic' AS topic
FROM record WHERE kind = 'bargaining_offer' AND on_date BETWEEN :first AND :last;

-- offers_answered: COUNT(*) by outcome
-- Offers answered in the period.
SELECT organization, entered ->> 'answered' AS day, fields ->> 'outcome' AS outcome
FROM record WHERE kind = 'bargaining_offer' AND entered ->> 'answered' BETWEEN :first AND :last;

-- safety_certificates_obtained: COUNT(*)
-- Safety standards granted in the period.
SELECT organization, entered ->> 'granted' AS day
FROM record WHERE kind = 'enterprise_title' AND entered ->> 'granted' BETWEEN :first AND :last
  AND fields ->> 'enterprise_title' = 'safety_standard';

-- harmonious_enterprises: COUNT(*) by grade
-- Harmonious enterprises at the period's end.
SELECT organization, :last AS day, fields ->> 'grade' AS grade
FROM record WHERE kind = 'enterprise_title' AND entered ->> 'granted' <= :last
  AND (entered ->> 'lost' IS NULL OR entered ->> 'lost' > :last)
  AND (ends_on = '' OR ends_on >= :last)
  AND fields ->> 'enterprise_title' = 'harmonious_enterprise';

-- mediation_committees: COUNT(*)
-- Mediation committees at the period's end.
SELECT organization, :last AS day
FROM record WHERE kind = 'enterprise_body' AND on_date <= :last
  AND (entered ->> 'dissolved' IS NULL OR entered ->> 'dissolved' > :last)
  AND fields ->> 'body' = 'mediation';

-- mediation_committee_rate: SUM(100 * part) per SUM(whole) to 2 decimals
-- Mediation committees, per cent of the economic entities.
SELECT organization, :last AS day, 0 AS part, 1 AS whole
FROM record WHERE kind = 'economic_entity' AND on_date <= :last
  AND (ends_on = '' OR ends_on >= :last)
UNION ALL
SELECT organization, :last, 1, 0
FROM record WHERE kind = 'enterprise_body' AND fields ->> 'body' = 'mediation' AND on_date <= :last
  AND (entered ->> 'dissolved' IS NULL OR entered ->> 'dissolved' > :last);

-- three_bodies_total: COUNT(*) by body
-- Bodies at enterprises at the period's end.
SELECT organization, :last AS day, fields ->> 'body' AS body
FROM record WHERE kind = 'enterprise_body' AND on_date <= :last
  AND (entered ->> 'dissolved' IS NULL OR entered ->> 'dissolved' > :last);

-- three_bodies_kinds: COUNT(DISTINCT body)
-- Different kinds of bodies set up in the period.
SELECT organization, on_date AS day, fields ->> 'body' AS body
FROM record WHERE kind = 'enterprise_body' AND on_date BETWEEN :first AND :last;

-- partner_departments: COUNT(DISTINCT partner)
-- Different partner offices in the period.
SELECT organization, on_date AS day, fields ->> 'partner' AS partner
FROM record WHERE kind = 'enterprise_body' AND on_date BETWEEN :first AND :last;

-- employee_directors: COUNT(*) by seat
-- Employee directors and supervisors at the period's end.
SELECT organization, :last AS day, fields ->> 'seat' AS seat
FROM record WHERE kind = 'employee_director' AND on_date <= :last
  AND (entered ->> 'replaced' IS NULL OR entered ->> 'replaced' > :last);

-- co_building_agreements: COUNT(*) by kind
-- Agreements in force at the period's end.
SELECT organization, :last AS day, fields ->> 'agreement_kind' AS kind
FROM record WHERE kind = 'co_building_agreement' AND on_date <= :last
  AND (entered ->> 'ended' IS NULL OR entered ->> 'ended' > :last)
  AND (ends_on = '' OR ends_on >= :last);

-- co_building_events: COUNT(*)
-- Events under agreements in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'co_building_event' AND on_date BETWEEN :first AND :last;

-- pilot_measure_sets: SUM(measure_sets)
-- Sets of measures of pilots named in the period.
SELECT organization, on_date AS day, CAST(fields ->> 'measure_sets' AS INTEGER) AS measure_sets
FROM record WHERE kind = 'reform_pilot' AND on_date BETWEEN :first AND :last;

-- pilot_visits: COUNT(*)
-- Visits to pilots in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'pilot_visit' AND on_date BETWEEN :first AND :last;

-- pilot_adoptions: COUNT(*)
-- Units that adopted a pilot in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'pilot_adoption' AND on_date BETWEEN :first AND :last;

-- award_quota: SUM(quota) by honour
-- Quotas of selections begun in the period.
SELECT organization, on_date AS day, CAST(fields ->> 'quota' AS INTEGER) AS quota, fields ->> 'honour' AS honour
FROM record WHERE kind = 'honour_round' AND on_date BETWEEN :first AND :last;

-- honours_recommended: COUNT(*) by honour, target
-- Nominees recommended in the period.
SELECT n.organization, n.entered ->> 'recommended' AS day, r.fields ->> 'honour' AS honour,
  n.fields ->> 'target' AS target
FROM record AS n JOIN record AS r ON r.record_id = n.parent_id
WHERE n.kind = 'honour_nomination' AND n.entered ->> 'recommended' BETWEEN :first AND :last;

-- honours_revoked: COUNT(*) by honour
-- Honours revoked in the period.
SELECT organization, entered ->> 'revoked' AS day, fields ->> 'honour' AS honour
FROM record WHERE kind = 'honour_award' AND entered ->> 'revoked' BETWEEN :first AND :last;

-- honours_held: COUNT(*) by honour
-- Honours awarded and not revoked by the period's end.
SELECT organization, :last AS day, fields ->> 'honour' AS honour
FROM record WHERE kind = 'honour_award' AND on_date <= :last
  AND (entered ->> 'revoked' IS NULL OR entered ->> 'revoked' > :last);

-- merit_citations: COUNT(*) by grade, target
-- Citations approved in the period.
SELECT organization, entered ->> 'approved' AS day, fields ->> 'grade' AS grade, fields ->> 'target' AS target
FROM record WHERE kind = 'merit_citation' AND entered ->> 'approved' BETWEEN :first AND :last;

-- merit_rewards: SUM(fen) per 100 to 2 decimals
-- Rewards of citations approved in the period, in yuan.
SELECT organization, entered ->> 'approved' AS day, CAST(ROUND(fields ->> 'reward' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'merit_citation' AND entered ->> 'approved' BETWEEN :first AND :last;

-- model_workers_total: COUNT(*) by level, status
-- Model workers on file at the period's end.
SELECT organization, :last AS day, fields ->> 'level' AS level, fields ->> 'status' AS status
FROM record WHERE kind = 'model_worker_file' AND on_date <= :last
  AND (entered ->> 'off_file' IS NULL OR entered ->> 'off_file' > :last);

-- model_files_checked: COUNT(*)
-- Checks of files in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'model_worker_check' AND on_date BETWEEN :first AND :last;

-- hardship_applications: COUNT(*)
-- Applications in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'hardship_application' AND on_date BETWEEN :first AND :last;

-- hardship_applications_entered: COUNT(*) by category
-- Applications entered in the period.
SELECT organization, entered ->> 'entered' AS day, fields ->> 'category' AS category
FROM record WHERE kind = 'hardship_application' AND entered ->> 'entered' BETWEEN :first AND :last;

-- advanced_homes_established: COUNT(*) by kind
-- Advanced and model homes titled in the period.
SELECT organization, entered ->> 'titled' AS day, fields ->> 'home_kind' AS kind
FROM record WHERE kind = 'home_rating' AND entered ->> 'titled' BETWEEN :first AND :last
  AND fields ->> 'grade_rank' IN ('2', '3');

-- advanced_homes_commended: COUNT(*) by kind
-- Homes commended in the period.
SELECT organization, fields ->> 'commended_on' AS day, fields ->> 'home_kind' AS kind
FROM record WHERE kind = 'home_rating' AND fields ->> 'commended_on' BETWEEN :first AND :last
  AND entered ->> 'titled' <> '';

-- home_ratings_valid: COUNT(*) by grade
-- Homes whose title is valid at the period's end.
SELECT organization, :last AS day, fields ->> 'grade_rank' AS grade
FROM record WHERE kind = 'home_rating' AND entered ->> 'titled' <= :last
  AND (entered ->> 'lost' IS NULL OR entered ->> 'lost' > :last)
  AND (ends_on = '' OR ends_on >= :last);

-- home_dimensions: COUNT(DISTINCT dimension)
-- Different dimensions scored in the period.
SELECT organization, on_date AS day, CASE
    WHEN fields ->> 'item' IN ('organisation', 'membership') THEN 'organisation'
    WHEN fields ->> 'item' IN ('contract', 'congress') THEN 'rights'
    WHEN fields ->> 'item' = 'funds' THEN 'funds' ELSE 'services' END AS dimension
FROM record WHERE kind = 'home_score' AND on_date BETWEEN :first AND :last;

-- model_union_candidates: COUNT(*) by checklist
-- Unions listed in the period.
SELECT organization, on_date AS day, fields ->> 'checklist' AS checklist
FROM record WHERE kind = 'model_union' AND on_date BETWEEN :first AND :last;

-- model_unions_accepted: COUNT(*) by checklist
-- Model unions accepted in the period.
SELECT organization, entered ->> 'accepted' AS day, fields ->> 'checklist' AS checklist
FROM record WHERE kind = 'model_union' AND entered ->> 'accepted' BETWEEN :first AND :last;

-- model_unions_total: COUNT(*)
-- Model unions at the period's end.
SELECT organization, :last AS day
FROM record WHERE kind = 'model_union' AND entered ->> 'accepted' <= :last
  AND (entered ->> 'downgraded' IS NULL OR entered ->> 'downgraded' > :last);

-- model_union_support: SUM(fen) per 100 to 2 decimals
-- Support of unions listed in the period, in yuan.
SELECT organization, on_date AS day, CAST(ROUND(fields ->> 'support_fund' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'model_union' AND on_date BETWEEN :first AND :last;

-- standardisation_dimensions: COUNT(DISTINCT item)
-- Different items checked in the period.
SELECT organization, on_date AS day, fields ->> 'item' AS item
FROM record WHERE kind = 'model_union_item' AND on_date BETWEEN :first AND :last;

-- elections_overdue: COUNT(*) by tier
-- Elections past their deadline that were not voted on by the period's end.
SELECT r.organization, :last AS day, o.kind AS tier
FROM record AS r JOIN organization AS o
  ON o.id = r.organization AND r.on_date >= valid_from AND r.on_date < valid_to
WHERE r.kind = 'election' AND fields ->> 'deadline' < :last
  AND (entered ->> 'voted' IS NULL OR entered ->> 'voted' > :last);

-- terms_expiring: COUNT(*) by body
-- Terms that end within six months of the period's end: up to the same day of the sixth month or,
-- where that is shorter, its last.
SELECT organization, :last AS day, fields ->> 'body' AS body
FROM record WHERE kind = 'committee_term' AND on_date <= :last AND ends_on >= :last
  AND ends_on <= MIN(date(:last, '+6 months'), date(:last, 'start of month', '+7 months', '-1 day'))
  AND (entered ->> 'ended' IS NULL OR entered ->> 'ended' > :last);

-- terms_overdue: COUNT(*) by body
-- Committees past their term, or its extension, at the period's end.
SELECT organization, :last AS day, fields ->> 'body' AS body
FROM record WHERE kind = 'committee_term' AND on_date <= :last AND ends_on <> ''
  AND (CASE WHEN COALESCE(entered ->> 'extended', '9999') <= :last
       THEN fields ->> 'extended_to' ELSE ends_on END) < :last
  AND (entered ->> 'ended' IS NULL OR entered ->> 'ended' > :last);

-- stale_ledger_entries: COUNT(*)
-- Entities that were not updated for more than a week at the period's end.
SELECT organization, :last AS day
FROM record WHERE kind = 'economic_entity' AND on_date <= :last
  AND date(COALESCE(fields ->> 'updated_on', on_date), '+7 days') < :last
  AND (ends_on = '' OR ends_on >= :last)
  AND (entered ->> 'closed' IS NULL OR entered ->> 'closed' > :last);

-- entities_due_without_union: COUNT(*)
-- Entities of a hundred workers or more without a union at the period's end.
SELECT organization, :last AS day
FROM record WHERE kind = 'economic_entity' AND on_date <= :last
  AND CAST(fields ->> 'employees' AS INTEGER) >= 100
  AND (ends_on = '' OR ends_on >= :last)
  AND (fields ->> 'has_union' = 'false' OR fields ->> 'union_since' > :last);

-- ledger_update_frequency: COUNT(DISTINCT changed_on)
-- Different days with changes of the ledger in the period.
SELECT organization, on_date AS day, on_date AS changed_on
FROM record WHERE kind = 'entity_change' AND on_date BETWEEN :first AND :last;

-- progress_report_frequency: COUNT(DISTINCT week)
-- Different weeks with progress reports in the period.
SELECT organization, on_date AS day, on_date AS week
FROM record WHERE kind = 'organising_report' AND on_date BETWEEN :first AND :last;

-- registration_frequency: COUNT(DISTINCT month)
-- Different months of the period for which changes of members were returned.
SELECT organization, on_date AS day, substr(on_date, 1, 7) AS month
FROM record WHERE kind = 'membership_return' AND on_date BETWEEN :first AND :last
  AND entered ->> 'sent' IS NOT NULL;

-- membership_returns: COUNT(*)
-- Monthly returns of the period that were sent.
SELECT organization, on_date AS day
FROM record WHERE kind = 'membership_return' AND on_date BETWEEN :first AND :last
  AND entered ->> 'sent' IS NOT NULL;

-- membership_returns_overdue: COUNT(*)
-- Monthly returns not sent within ten days at the period's end.
SELECT organization, :last AS day
FROM record WHERE kind = 'membership_return' AND date(on_date, '+10 days') < :last
  AND (entered ->> 'sent' IS NULL OR entered ->> 'sent' > :last);

-- certificates_expiring: COUNT(*) by certificate
-- Certificates that end within six months of the period's end.
SELECT organization, :last AS day, fields ->> 'certificate' AS certificate
FROM record WHERE kind = 'legal_person' AND entered ->> 'granted' <= :last AND ends_on >= :last
  AND ends_on <= MIN(date(:last, '+6 months'), date(:last, 'start of month', '+7 months', '-1 day'))
  AND (entered ->> 'cancelled' IS NULL OR entered ->> 'cancelled' > :last);

-- certificates_expired: COUNT(*) by certificate
-- Certificates past their end at the period's end.
SELECT organization, :last AS day, fields ->> 'certificate' AS certificate
FROM record WHERE kind = 'legal_person' AND entered ->> 'granted' <= :last
  AND ends_on <> '' AND ends_on < :last
  AND (entered ->> 'cancelled' IS NULL OR entered ->> 'cancelled' > :last);

-- contracts_expiring: COUNT(*) by kind
-- Contracts in force that end within three months of the period's end.
SELECT organization, :last AS day, fields ->> 'contract_kind' AS kind
FROM record WHERE kind = 'collective_contract' AND entered ->> 'effective' <= :last
  AND ends_on >= :last
  AND ends_on <= MIN(date(:last, '+3 months'), date(:last, 'start of month', '+4 months', '-1 day'))
  AND (entered ->> 'ended' IS NULL OR entered ->> 'ended' > :last);

-- offers_unanswered: COUNT(*)
-- Offers without a reply for more than twenty days at the period's end.
SELECT organization, :last AS day
FROM record WHERE kind = 'bargaining_offer' AND date(on_date, '+20 days') < :last
  AND (entered ->> 'answered' IS NULL OR entered ->> 'answered' > :last)
  AND (entered ->> 'failed' IS NULL OR entered ->> 'failed' > :last);

-- hardship_reviews_overdue: COUNT(*)
-- Files not reviewed for more than a year at the period's end.
SELECT organization, :last AS day
FROM record WHERE kind = 'hardship_file' AND on_date <= :last
  AND date(COALESCE(fields ->> 'reviewed_on', on_date), '+365 days') < :last
  AND (entered ->> 'exited' IS NULL OR entered ->> 'exited' > :last);

-- dues_receivable: SUM(fen) per 100 to 2 decimals
-- Dues billed for months that end in the period, in yuan.
SELECT organization, date(month || '-01', '+1 month', '-1 day') AS day, payable_fen AS fen
FROM funds.dues_bills WHERE tenant = 'demo' AND payable_fen > 0
  AND date(month || '-01', '+1 month', '-1 day') BETWEEN :first AND :last;

-- dues_received: SUM(fen) per 100 to 2 decimals
-- Dues paid in the period, in yuan.
SELECT organization, paid_on AS day, amount_fen AS fen
FROM funds.dues_payments WHERE tenant = 'demo' AND paid_on BETWEEN :first AND :last;

-- dues_settled: SUM(fen) per 100 to 2 decimals
-- What is paid of the dues of these months, in yuan.
SELECT organization, date(month || '-01', '+1 month', '-1 day') AS day, paid_fen AS fen
FROM funds.dues_bills WHERE tenant = 'demo' AND paid_fen > 0
  AND date(month || '-01', '+1 month', '-1 day') BETWEEN :first AND :last;

-- dues_collection_rate: SUM(100 * paid_fen) per SUM(payable_fen) to 2 decimals
-- Per cent of the dues of these months that is paid.
SELECT organization, date(month || '-01', '+1 month', '-1 day') AS day, paid_fen, payable_fen
FROM funds.dues_bills WHERE tenant = 'demo'
  AND date(month || '-01', '+1 month', '-1 day') BETWEEN :first AND :last;

-- fund_payable: SUM(payable_fen) per 100 to 2 decimals by item
-- Funds payable for periods that end in the period, in yuan.
SELECT organization, last_day AS day, payable_fen, item
FROM funds.levy_obligations WHERE tenant = 'demo' AND last_day BETWEEN :first AND :last;

-- fund_settled: SUM(fen) per 100 to 2 decimals by item
-- What is paid of them, in yuan.
SELECT o.organization, o.last_day AS day, o.item, MIN(o.payable_fen, SUM(r.paid_fen)) AS fen
FROM funds.levy_obligations AS o JOIN funds.levy_receipts AS r USING (tenant, unit, period)
WHERE o.tenant = 'demo' AND r.state IN (3, 4) AND o.last_day BETWEEN :first AND :last
GROUP BY o.unit, o.period;

-- fund_collection_rate: SUM(100 * fen) per SUM(payable_fen) to 2 decimals by item
-- Per cent of the funds payable that is paid.
SELECT o.organization, o.last_day AS day, o.item, o.payable_fen,
  MIN(o.payable_fen, COALESCE(SUM(r.paid_fen), 0)) AS fen
FROM funds.levy_obligations AS o LEFT JOIN funds.levy_receipts AS r
  ON r.tenant = o.tenant AND r.unit = o.unit AND r.period = o.period AND r.state IN (3, 4)
WHERE o.tenant = 'demo' AND o.last_day BETWEEN :first AND :last
GROUP BY o.unit, o.period;

-- fund_received: SUM(paid_fen) per 100 to 2 decimals by channel, item
-- Funds that became income in the period, in yuan.
SELECT organization, CASE settled_on WHEN '' THEN received_on ELSE settled_on END AS day, paid_fen,
  channel, item
FROM funds.levy_receipts WHERE tenant = 'demo' AND state = 3
  AND CASE settled_on WHEN '' THEN received_on ELSE settled_on END BETWEEN :first AND :last;

-- preparatory_received: SUM(paid_fen) per 100 to 2 decimals by channel
-- Preparatory funds that came in in the period, in yuan.
SELECT organization, received_on AS day, paid_fen, channel
FROM funds.levy_receipts WHERE tenant = 'demo' AND state IN (3, 4) AND item = 'preparatory'
  AND received_on BETWEEN :first AND :last;

-- fund_remitted: SUM(amount_fen) per 100 to 2 decimals by direction, tier
-- Funds sent on in the period, in yuan.
SELECT r.payer AS organization, r.sent_on AS day, r.amount_fen, o.kind AS tier,
  CASE r.direction WHEN 1 THEN 'up' ELSE 'down' END AS direction
FROM funds.levy_remittances AS r
JOIN organization AS o ON o.id = r.payer AND o.valid_from <= r.sent_on AND o.valid_to > r.sent_on
WHERE r.tenant = 'demo' AND r.sent_on BETWEEN :first AND :last;

-- fund_refunded: SUM(refund_fen) per 100 to 2 decimals
-- Funds refunded to small payers in the period, in yuan.
SELECT organization, on_date AS day, refund_fen
FROM funds.levy_refunds WHERE tenant = 'demo' AND on_date BETWEEN :first AND :last;

-- fund_reminders: COUNT(*)
-- Reminders issued in the period.
SELECT organization, issued_on AS day
FROM funds.levy_reminders WHERE tenant = 'demo' AND issued_on BETWEEN :first AND :last;

-- fund_arrears: SUM(fen) per 100 to 2 decimals by age, item
-- Funds overdue at the period's end, in yuan.
SELECT organization, :last AS day, fen, item, CASE WHEN days <= 30 THEN '1-30'
    WHEN days <= 90 THEN '31-90' WHEN days <= 180 THEN '91-180'
    WHEN days <= 365 THEN '181-365' ELSE 'over-365' END AS age
FROM (SELECT o.organization, o.item, julianday(:last) - julianday(o.due_on) AS days,
    o.payable_fen - COALESCE((SELECT SUM(r.paid_fen) FROM funds.levy_receipts AS r
      WHERE r.tenant = o.tenant AND r.unit = o.unit AND r.period = o.period
        AND r.state IN (3, 4) AND r.received_on <= :last), 0) AS fen
  FROM funds.levy_obligations AS o WHERE o.tenant = 'demo')
WHERE fen > 0 AND days > 0;

-- fund_income_change: SUM(fen) per 100 to 2 decimals by channel
-- Income less that of the same days a year before, in yuan.
SELECT organization, day, fen, channel FROM fund_income WHERE day BETWEEN :first AND :last
UNION ALL
SELECT organization, date(day, '+1 year') AS day, -fen AS fen, channel
FROM fund_income WHERE date(day, '+1 year') BETWEEN :first AND :last;

-- fund_income_base: SUM(fen) per 100 to 2 decimals by channel
-- Income of the same days a year before, in yuan.
SELECT organization, date(day, '+1 year') AS day, fen, channel
FROM fund_income WHERE date(day, '+1 year') BETWEEN :first AND :last;

-- fund_income_yoy: SUM(100 * fen) per SUM(base) to 2 decimals by channel
-- The change in per cent of the year before.
SELECT organization, day, fen, 0 AS base, channel
FROM fund_income WHERE day BETWEEN :first AND :last
UNION ALL
SELECT organization, date(day, '+1 year') AS day, -fen AS fen, fen AS base, channel
FROM fund_income WHERE date(day, '+1 year') BETWEEN :first AND :last;

-- tax_agency_income_change: SUM(fen) per 100 to 2 decimals
-- The same of what the tax agency collected.
SELECT organization, day, fen FROM fund_income
WHERE channel = 'tax_agency' AND day BETWEEN :first AND :last
UNION ALL
SELECT organization, date(day, '+1 year') AS day, -fen AS fen
FROM fund_income WHERE channel = 'tax_agency' AND date(day, '+1 year') BETWEEN :first AND :last;

-- tax_agency_income_base: SUM(fen) per 100 to 2 decimals
-- What the tax agency collected on the same days a year before, in yuan.
SELECT organization, date(day, '+1 year') AS day, fen
FROM fund_income WHERE channel = 'tax_agency' AND date(day, '+1 year') BETWEEN :first AND :last;

-- tax_agency_income_yoy: SUM(100 * fen) per SUM(base) to 2 decimals
-- The change in per cent of the year before.
SELECT organization, day, fen, 0 AS base
FROM fund_income WHERE channel = 'tax_agency' AND day BETWEEN :first AND :last
UNION ALL
SELECT organization, date(day, '+1 year') AS day, -fen AS fen, fen AS base
FROM fund_income WHERE channel = 'tax_agency' AND date(day, '+1 year') BETWEEN :first AND :last;

-- budgets_approved: COUNT(*)
-- Budgets approved in the period, adjustments included.
SELECT organization, entered ->> 'executing' AS day
FROM record WHERE kind = 'budget' AND entered ->> 'executing' BETWEEN :first AND :last;

-- budgets_settled: COUNT(*)
-- Final accounts drafted in the period.
SELECT organization, entered ->> 'settled' AS day
FROM record WHERE kind = 'budget' AND entered ->> 'settled' BETWEEN :first AND :last;

-- budget_planned_expense: SUM(fen) per 100 to 2 decimals
-- Planned expenditure of the final accounts drafted in the period.
SELECT organization, entered ->> 'settled' AS day, CAST(ROUND(fields ->> 'planned_expense' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'budget' AND entered ->> 'settled' BETWEEN :first AND :last;

-- budget_final_expense: SUM(fen) per 100 to 2 decimals
-- Expenditure of the final accounts drafted in the period.
SELECT organization, entered ->> 'settled' AS day, CAST(ROUND(fields ->> 'final_expense' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'budget' AND entered ->> 'settled' BETWEEN :first AND :last;

-- budget_execution_rate: SUM(100 * part) per SUM(whole) to 2 decimals
-- Expenditure / planned expenditure.
SELECT organization, entered ->> 'settled' AS day, CAST(ROUND(fields ->> 'final_expense' * 100) AS INTEGER) AS part, CAST(ROUND(fields ->> 'planned_expense' * 100) AS INTEGER) AS whole
FROM record WHERE kind = 'budget' AND entered ->> 'settled' BETWEEN :first AND :last;

-- inclusion_rules: COUNT(DISTINCT inclusion)
-- Different inclusions put into force in the period.
SELECT organization, on_date AS day, fields ->> 'inclusion' AS inclusion
FROM record WHERE kind = 'inclusion_check' AND on_date BETWEEN :first AND :last;

-- restricted_funds_open: COUNT(*)
-- Restricted funds in use at the period's end.
SELECT organization, :last AS day
FROM record WHERE kind = 'restricted_fund' AND entered ->> 'active' <= :last
  AND (entered ->> 'closed' IS NULL OR entered ->> 'closed' > :last);

-- cash_balance: SUM(fen) per 100 to 2 decimals
-- Cash and bank deposits in the books at the period's end.
SELECT b.organization, :last AS day, e.debit_fen - e.credit_fen AS fen
FROM funds.entries AS e JOIN funds.books AS b USING (tenant, book_id)
WHERE e.tenant = 'demo' AND e.on_date <= :last AND SUBSTR(e.account, 1, 3) IN ('101', '102');

-- bank_accounts_open: COUNT(*) by class
-- Bank accounts open at the period's end.
SELECT organization, :last AS day, fields ->> 'class' AS class
FROM record WHERE kind = 'bank_account' AND on_date <= :last
  AND (entered ->> 'closed' IS NULL OR entered ->> 'closed' > :last);

-- separate_account_unions: COUNT(DISTINCT organization)
-- Unions that hold an account of their own as legal persons at the period's end.
SELECT organization, :last AS day
FROM record WHERE kind = 'bank_account' AND fields ->> 'separate' = 'true'
  AND fields ->> 'certificate_no' <> '' AND on_date <= :last
  AND (entered ->> 'closed' IS NULL OR entered ->> 'closed' > :last);

-- separate_account_rate: SUM(100 * part) per SUM(whole) to 2 decimals
-- Per cent of the unions with legal personality that have an account of their own.
SELECT organization, :last AS day, 0 AS part, 1 AS whole
FROM record WHERE kind = 'legal_person' AND fields ->> 'certificate' = 'legal_person'
  AND entered ->> 'granted' <= :last
  AND (entered ->> 'cancelled' IS NULL OR entered ->> 'cancelled' > :last)
  AND (ends_on = '' OR ends_on >= :last)
UNION ALL
SELECT DISTINCT organization, :last, 1, 0
FROM record WHERE kind = 'bank_account' AND fields ->> 'separate' = 'true'
  AND fields ->> 'certificate_no' <> '' AND on_date <= :last
  AND (entered ->> 'closed' IS NULL OR entered ->> 'closed' > :last);

-- grants_issued_amount: SUM(fen) per 100 to 2 decimals by form, occasion
-- Grants paid in the period, by the union that receives.
SELECT organization, entered ->> 'paid' AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen, fields ->> 'occasion' AS occasion, fields ->> 'form' AS form
FROM record WHERE kind = 'grant' AND entered ->> 'paid' BETWEEN :first AND :last;

-- grants_to_base: SUM(fen) per 100 to 2 decimals
-- Grants paid to grassroots unions in the period.
SELECT r.organization, r.entered ->> 'paid' AS day, CAST(ROUND(r.fields ->> 'amount' * 100) AS INTEGER) AS fen
FROM record AS r JOIN organization ON id = r.organization AND valid_from <= r.on_date AND r.on_date < valid_to
WHERE r.kind = 'grant' AND r.entered ->> 'paid' BETWEEN :first AND :last
  AND organization.kind IN ('enterprise', 'institution', 'community', 'industry_joint', 'regional_joint', 'branch', 'group');

-- base_share_rate: SUM(100 * part) per SUM(whole) to 2 decimals
-- Grants to grassroots unions / grants issued.
SELECT r.organization, r.entered ->> 'paid' AS day, IIF(organization.kind IN ('enterprise', 'institution', 'community', 'industry_joint', 'regional_joint', 'branch', 'group'), CAST(ROUND(r.fields ->> 'amount' * 100) AS INTEGER), 0) AS part, CAST(ROUND(r.fields ->> 'amount' * 100) AS INTEGER) AS whole
FROM record AS r JOIN organization ON id = r.organization AND valid_from <= r.on_date AND r.on_date < valid_to
WHERE r.kind = 'grant' AND r.entered ->> 'paid' BETWEEN :first AND :last;

-- grants_of_money: SUM(fen) per 100 to 2 decimals
-- Grants of money paid in the period.
SELECT organization, entered ->> 'paid' AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'grant' AND entered ->> 'paid' BETWEEN :first AND :last
  AND fields ->> 'form' = 'cash';

-- units_granted_money: SUM(units)
-- Units that were granted money in the period.
SELECT organization, entered ->> 'paid' AS day, CAST(fields ->> 'units' AS INTEGER) AS units
FROM record WHERE kind = 'grant' AND entered ->> 'paid' BETWEEN :first AND :last
  AND fields ->> 'form' = 'cash';

-- grant_cash_per_unit: SUM(part) per SUM(whole) to 2 decimals
-- Amount / units.
SELECT organization, entered ->> 'paid' AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS part, 100 * CAST(fields ->> 'units' AS INTEGER) AS whole
FROM record WHERE kind = 'grant' AND entered ->> 'paid' BETWEEN :first AND :last
  AND fields ->> 'form' = 'cash';

-- grants_of_equipment: SUM(fen) per 100 to 2 decimals
-- Grants of equipment paid in the period.
SELECT organization, entered ->> 'paid' AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'grant' AND entered ->> 'paid' BETWEEN :first AND :last
  AND fields ->> 'form' = 'equipment';

-- units_granted_equipment: SUM(units)
-- Units that were granted equipment in the period.
SELECT organization, entered ->> 'paid' AS day, CAST(fields ->> 'units' AS INTEGER) AS units
FROM record WHERE kind = 'grant' AND entered ->> 'paid' BETWEEN :first AND :last
  AND fields ->> 'form' = 'equipment';

-- grant_equipment_per_unit: SUM(part) per SUM(whole) to 2 decimals
-- Amount / units.
SELECT organization, entered ->> 'paid' AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS part, 100 * CAST(fields ->> 'units' AS INTEGER) AS whole
FROM record WHERE kind = 'grant' AND entered ->> 'paid' BETWEEN :first AND :last
  AND fields ->> 'form' = 'equipment';

-- grants_unspent: SUM(fen) per 100 to 2 decimals
-- Grants received and neither spent nor returned at the period's end.
SELECT organization, :last AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'grant' AND entered ->> 'received' <= :last
UNION ALL
SELECT organization, :last, -CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER)
FROM record WHERE kind IN ('grant_expense', 'grant_return') AND on_date <= :last;

-- grants_returned: SUM(fen) per 100 to 2 decimals
-- What was returned and accepted in the period.
SELECT organization, entered ->> 'accepted' AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'grant_return' AND entered ->> 'accepted' BETWEEN :first AND :last;

-- expense_claims_paid: COUNT(*)
-- Expense claims paid in the period.
SELECT organization, entered ->> 'paid' AS day
FROM record WHERE kind = 'expense_claim' AND entered ->> 'paid' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- expense_claims_amount: SUM(fen) per 100 to 2 decimals by category
-- Amount of expense claims paid in the period.
SELECT organization, entered ->> 'paid' AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen, fields ->> 'category' AS category
FROM record WHERE kind = 'expense_claim' AND entered ->> 'paid' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- claim_days: SUM(days)
-- Days that claims paid in the period took.
SELECT organization, entered ->> 'paid' AS day, CAST(fields ->> 'claim_days' AS INTEGER) AS days
FROM record WHERE kind = 'expense_claim' AND entered ->> 'paid' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- claim_days_average: SUM(days) per COUNT(*) to 2 decimals
-- Days / claims paid.
SELECT organization, entered ->> 'paid' AS day, CAST(fields ->> 'claim_days' AS INTEGER) AS days
FROM record WHERE kind = 'expense_claim' AND entered ->> 'paid' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- audit_projects_planned: SUM(projects)
-- Audits of the plans approved in the period.
SELECT organization, entered ->> 'approved' AS day, CAST(fields ->> 'projects' AS INTEGER) AS projects
FROM record WHERE kind = 'audit_plan' AND entered ->> 'approved' BETWEEN :first AND :last;

-- audit_samples: COUNT(*) by result
-- Vouchers that auditors looked at in the period.
SELECT organization, on_date AS day, fields ->> 'result' AS result
FROM record WHERE kind = 'audit_sample' AND on_date BETWEEN :first AND :last;

-- audit_reports_issued: COUNT(*)
-- Audit reports issued in the period.
SELECT organization, entered ->> 'issued' AS day
FROM record WHERE kind = 'audit_report' AND entered ->> 'issued' BETWEEN :first AND :last;

-- audit_findings_open: COUNT(*) by severity
-- Audit findings not verified as put right at the period's end.
SELECT organization, :last AS day, fields ->> 'severity' AS severity
FROM record WHERE kind = 'audit_finding' AND on_date <= :last
  AND (entered ->> 'verified' IS NULL OR entered ->> 'verified' > :last);

-- audit_finding_amount: SUM(fen) per 100 to 2 decimals
-- Amount of the findings of the period.
SELECT organization, on_date AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'audit_finding' AND on_date BETWEEN :first AND :last
  AND fields ->> 'amount' <> '';

-- finance_advanced_units: COUNT(*)
-- Units titled in the period.
SELECT organization, entered ->> 'titled' AS day
FROM record WHERE kind = 'inspection_entry' AND entered ->> 'titled' BETWEEN :first AND :last;

-- assets_on_hand: COUNT(*) by source
-- Assets in use or waiting for disposal at the period's end.
SELECT organization, :last AS day, fields ->> 'source' AS source
FROM record WHERE kind = 'asset' AND entered ->> 'in_use' <= :last
  AND (entered ->> 'disposed' IS NULL OR entered ->> 'disposed' > :last);

-- assets_value: SUM(fen) per 100 to 2 decimals
-- Value of the assets on hand at the period's end.
SELECT organization, :last AS day, CAST(ROUND(fields ->> 'value' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'asset' AND entered ->> 'in_use' <= :last
  AND (entered ->> 'disposed' IS NULL OR entered ->> 'disposed' > :last);

-- depreciation_charged: SUM(fen) per 100 to 2 decimals
-- Depreciation charged in the period.
SELECT organization, on_date AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'depreciation' AND on_date BETWEEN :first AND :last;

-- inventory_frequency: COUNT(*)
-- Stock-takes reported in the period.
SELECT organization, entered ->> 'reported' AS day
FROM record WHERE kind = 'stocktake' AND entered ->> 'reported' BETWEEN :first AND :last;

-- stocktake_differences: SUM(differences)
-- Differences of the stock-takes reported in the period.
SELECT organization, entered ->> 'reported' AS day, CAST(fields ->> 'differences' AS INTEGER) AS differences
FROM record WHERE kind = 'stocktake' AND entered ->> 'reported' BETWEEN :first AND :last;

-- facilities_supplied: SUM(quantity) by facility
-- Facilities accepted in the period.
SELECT organization, entered ->> 'accepted' AS day, CAST(fields ->> 'quantity' AS INTEGER) AS quantity, fields ->> 'facility' AS facility
FROM record WHERE kind = 'facility_need' AND entered ->> 'accepted' BETWEEN :first AND :last;

-- renovation_cost: SUM(fen) per 100 to 2 decimals
-- Cost of building and renovating in the period.
SELECT organization, on_date AS day, CAST(ROUND(fields ->> 'cost' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'renovation_progress' AND on_date BETWEEN :first AND :last;

-- relief_recipients: COUNT(*) by group
-- Reliefs given in the period.
SELECT organization, entered ->> 'paid' AS day, fields ->> 'group' AS "group"
FROM record WHERE kind IN ('relief_payment', 'rescue_payment') AND entered ->> 'paid' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- relief_persons: COUNT(DISTINCT subject)
-- Different persons relieved in the period.
SELECT organization, entered ->> 'paid' AS day, subject
FROM record WHERE kind IN ('relief_payment', 'rescue_payment') AND entered ->> 'paid' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- relief_households: COUNT(DISTINCT household)
-- Different households relieved in the period.
SELECT organization, entered ->> 'paid' AS day, fields ->> 'household' AS household
FROM record WHERE kind IN ('relief_payment', 'rescue_payment') AND entered ->> 'paid' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- relief_amount: SUM(fen) per 100 to 2 decimals by form
-- Money and goods given in the period, the rescue fund included.
SELECT organization, entered ->> 'paid' AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen,
  IIF(kind = 'rescue_payment', 'rescue', fields ->> 'form') AS form
FROM record WHERE kind IN ('relief_payment', 'rescue_payment') AND entered ->> 'paid' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- relief_forms: COUNT(DISTINCT form)
-- Different forms of relief given in the period.
SELECT organization, entered ->> 'paid' AS day, fields ->> 'form' AS form
FROM record WHERE kind = 'relief_payment' AND entered ->> 'paid' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- care_focus_groups: COUNT(DISTINCT grp)
-- Different groups relieved in the period.
SELECT organization, entered ->> 'paid' AS day, fields ->> 'group' AS grp
FROM record WHERE kind = 'relief_payment' AND entered ->> 'paid' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- relief_visit_frequency: COUNT(*)
-- Reliefs given in the period with a visit.
SELECT organization, entered ->> 'paid' AS day
FROM record WHERE kind = 'relief_payment' AND entered ->> 'paid' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL
  AND fields ->> 'visited_on' <> '';

-- relief_visit_coverage: SUM(100 * part) per SUM(whole) to 2 decimals
-- Reliefs with a visit / reliefs.
SELECT organization, entered ->> 'paid' AS day,
  IIF(kind = 'relief_payment' AND fields ->> 'visited_on' <> '', 1, 0) AS part, 1 AS whole
FROM record WHERE kind IN ('relief_payment', 'rescue_payment') AND entered ->> 'paid' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- care_programme_kinds: COUNT(DISTINCT system)
-- Different relief systems under which something was given in the period.
SELECT r.organization, r.entered ->> 'paid' AS day, parent.fields ->> 'system' AS system
FROM record AS r JOIN record AS parent ON parent.record_id = r.parent_id
WHERE r.kind = 'relief_payment' AND r.entered ->> 'paid' BETWEEN :first AND :last
  AND r.entered ->> 'void' IS NULL;

-- relief_households_planned: SUM(households)
-- Households planned by the campaigns that began in the period.
SELECT organization, entered ->> 'open' AS day, CAST(fields ->> 'planned_households' AS INTEGER) AS households
FROM record WHERE kind = 'relief_campaign' AND entered ->> 'open' BETWEEN :first AND :last;

-- festival_relief_rounds: COUNT(*)
-- Campaigns for a festival that began in the period.
SELECT organization, entered ->> 'open' AS day
FROM record WHERE kind = 'relief_campaign' AND entered ->> 'open' BETWEEN :first AND :last
  AND fields ->> 'festival' <> '';

-- relief_system_kinds: COUNT(DISTINCT system)
-- Different relief systems of the campaigns that began in the period.
SELECT organization, entered ->> 'open' AS day, fields ->> 'system' AS system
FROM record WHERE kind = 'relief_campaign' AND entered ->> 'open' BETWEEN :first AND :last;

-- fund_balance: SUM(fen) per 100 to 2 decimals
-- Balance of rescue funds at the period's end.
SELECT organization, :last AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'rescue_source' AND on_date <= :last
UNION ALL
SELECT organization, :last, -CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER)
FROM record WHERE kind = 'rescue_payment' AND entered ->> 'paid' <= :last AND entered ->> 'void' IS NULL;

-- rescue_fund_received: SUM(fen) per 100 to 2 decimals by origin
-- Money that rescue funds received in the period.
SELECT organization, on_date AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen, fields ->> 'origin' AS origin
FROM record WHERE kind = 'rescue_source' AND on_date BETWEEN :first AND :last;

-- model_workers_insured: COUNT(*) by level
-- Model workers on the roll with medical insurance at the period's end.
SELECT organization, :last AS day, fields ->> 'level' AS level
FROM record WHERE kind = 'model_worker_roll' AND fields ->> 'insured_on' <> '' AND fields ->> 'insured_on' <= :last
  AND (entered ->> 'left' IS NULL OR entered ->> 'left' > :last);

-- model_workers_allowance: COUNT(DISTINCT subject)
-- Different model workers who were paid an allowance in the period.
SELECT organization, on_date AS day, subject
FROM record WHERE kind = 'model_worker_benefit' AND on_date BETWEEN :first AND :last
  AND fields ->> 'benefit_kind' = 'allowance';

-- mutual_aid_loss_ratio: SUM(100 * part) per SUM(whole) to 2 decimals
-- Claims paid / premiums.
SELECT organization, entered ->> 'paid' AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS part, 0 AS whole
FROM record WHERE kind = 'mutual_aid_claim' AND entered ->> 'paid' BETWEEN :first AND :last
UNION ALL
SELECT organization, on_date, 0, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER)
FROM record WHERE kind = 'mutual_aid_premium' AND on_date BETWEEN :first AND :last;

-- student_aid_amount: SUM(fen) per 100 to 2 decimals by level
-- Student aid paid in the period.
SELECT organization, entered ->> 'paid' AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen, fields ->> 'level' AS level
FROM record WHERE kind = 'student_aid' AND entered ->> 'paid' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- students_supported: COUNT(DISTINCT subject)
-- Different students aided in the period.
SELECT organization, entered ->> 'paid' AS day, subject
FROM record WHERE kind = 'student_aid' AND entered ->> 'paid' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- student_households: COUNT(DISTINCT household)
-- Different households of students aided in the period.
SELECT organization, entered ->> 'paid' AS day, fields ->> 'household' AS household
FROM record WHERE kind = 'student_aid' AND entered ->> 'paid' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- student_aid_frequency: COUNT(*)
-- Rounds of student aid that began in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'student_aid_round' AND on_date BETWEEN :first AND :last;

-- student_follow_ups: COUNT(*)
-- Visits and tutoring of the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'student_follow_up' AND on_date BETWEEN :first AND :last;

-- visits_due: COUNT(*) by event
-- Events of the period that call for a visit.
SELECT organization, fields ->> 'event_on' AS day, fields ->> 'event' AS event
FROM record WHERE kind = 'life_event' AND fields ->> 'event_on' BETWEEN :first AND :last;

-- visits_missed: COUNT(*) by event
-- Events of which the visit was missed in the period.
SELECT organization, entered ->> 'missed' AS day, fields ->> 'event' AS event
FROM record WHERE kind = 'life_event' AND entered ->> 'missed' BETWEEN :first AND :last;

-- visit_rules: COUNT(DISTINCT rule)
-- Different rules by which somebody visited in the period.
SELECT organization, entered ->> 'visited' AS day, fields ->> 'rule' AS rule
FROM record WHERE kind = 'life_event' AND entered ->> 'visited' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- burglary_visits: COUNT(*)
-- Visits after burglaries in the period.
SELECT organization, entered ->> 'visited' AS day
FROM record WHERE kind = 'life_event' AND entered ->> 'visited' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL
  AND fields ->> 'event' = 'burglary';

-- condolence_recipients: COUNT(*) by event
-- Visits at life events in the period.
SELECT organization, entered ->> 'visited' AS day, fields ->> 'event' AS event
FROM record WHERE kind = 'life_event' AND entered ->> 'visited' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- condolence_amount: SUM(fen) per 100 to 2 decimals by event
-- Money and goods given at life events in the period.
SELECT organization, entered ->> 'visited' AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen, fields ->> 'event' AS event
FROM record WHERE kind = 'life_event' AND entered ->> 'visited' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- benefit_kinds: COUNT(DISTINCT event)
-- Different events at which somebody visited in the period.
SELECT organization, entered ->> 'visited' AS day, fields ->> 'event' AS event
FROM record WHERE kind = 'life_event' AND entered ->> 'visited' BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- birthday_party_frequency: COUNT(*)
-- Birthday parties of the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'birthday_party' AND on_date BETWEEN :first AND :last;

-- festival_condolence_rounds: COUNT(*)
-- Rounds of festival goods that opened in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'goods_round' AND on_date BETWEEN :first AND :last
  AND fields ->> 'occasion' = 'festival';

-- heat_relief_goods_kinds: COUNT(DISTINCT goods)
-- Different goods for the hot season put in store in the period.
SELECT r.organization, r.on_date AS day, r.fields ->> 'goods' AS goods
FROM record AS r JOIN record AS parent ON parent.record_id = r.parent_id
WHERE r.kind = 'goods_lot' AND parent.fields ->> 'occasion' = 'heat' AND r.on_date BETWEEN :first AND :last;

-- goods_recipient_enterprises: COUNT(DISTINCT unit)
-- Different units that received goods in the period.
SELECT organization, on_date AS day, fields ->> 'unit' AS unit
FROM record WHERE kind = 'goods_issue' AND on_date BETWEEN :first AND :last;

-- goods_recipients: SUM(persons)
-- Persons for whom goods were issued in the period.
SELECT organization, on_date AS day, CAST(fields ->> 'persons' AS INTEGER) AS persons
FROM record WHERE kind = 'goods_issue' AND on_date BETWEEN :first AND :last;

-- goods_value_issued: SUM(fen) per 100 to 2 decimals by source
-- Value of the goods issued in the period.
SELECT r.organization, r.on_date AS day, CAST(ROUND(r.fields ->> 'value' * 100) AS INTEGER) AS fen, parent.fields ->> 'source' AS source
FROM record AS r JOIN record AS parent ON parent.record_id = r.parent_id
WHERE r.kind = 'goods_issue' AND r.on_date BETWEEN :first AND :last;

-- goods_in_store: SUM(fen) per 100 to 2 decimals
-- Value of the goods in store at the period's end.
SELECT organization, :last AS day, CAST(ROUND(fields ->> 'value' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'goods_lot' AND on_date <= :last
UNION ALL
SELECT organization, :last, -CAST(ROUND(fields ->> 'value' * 100) AS INTEGER)
FROM record WHERE kind = 'goods_issue' AND on_date <= :last;

-- donation_drives_held: COUNT(*)
-- Donation drives that began in the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'donation_drive' AND on_date BETWEEN :first AND :last;

-- donation_amount: SUM(fen) per 100 to 2 decimals
-- Donations of the period.
SELECT organization, on_date AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'donation' AND on_date BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- donors: COUNT(*)
-- Donations of the period.
SELECT organization, on_date AS day
FROM record WHERE kind = 'donation' AND on_date BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- donation_staff: SUM(staff)
-- Staff of the drives that began in the period.
SELECT organization, on_date AS day, CAST(fields ->> 'staff' AS INTEGER) AS staff
FROM record WHERE kind = 'donation_drive' AND on_date BETWEEN :first AND :last;

-- donation_participation_rate: SUM(100 * part) per SUM(whole) to 2 decimals
-- Donors / staff.
SELECT organization, on_date AS day, IIF(kind = 'donation', 1, 0) AS part,
  IIF(kind = 'donation', 0, CAST(fields ->> 'staff' AS INTEGER)) AS whole
FROM record WHERE kind IN ('donation', 'donation_drive') AND on_date BETWEEN :first AND :last
  AND entered ->> 'void' IS NULL;

-- donations_handed_over: SUM(fen) per 100 to 2 decimals
-- Donations handed over in the period.
SELECT organization, on_date AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'donation_transfer' AND on_date BETWEEN :first AND :last;

-- donated_books: SUM(quantity)
-- Books donated in the period.
SELECT organization, on_date AS day, CAST(fields ->> 'quantity' AS INTEGER) AS quantity
FROM record WHERE kind = 'donated_goods' AND on_date BETWEEN :first AND :last
  AND fields ->> 'goods' = 'book';

-- donated_items: SUM(quantity) by goods
-- Other items donated in the period.
SELECT organization, on_date AS day, CAST(fields ->> 'quantity' AS INTEGER) AS quantity, fields ->> 'goods' AS goods
FROM record WHERE kind = 'donated_goods' AND on_date BETWEEN :first AND :last
  AND fields ->> 'goods' <> 'book';

-- shareholding_units: COUNT(*) by model
-- Investment schemes running at the period's end.
SELECT organization, :last AS day, fields ->> 'model' AS model
FROM record WHERE kind = 'investment_scheme' AND entered ->> 'running' <= :last
  AND (entered ->> 'ended' IS NULL OR entered ->> 'ended' > :last);

-- scheme_principal: SUM(fen) per 100 to 2 decimals
-- Principal held at the period's end.
SELECT organization, :last AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'scheme_holding' AND on_date <= :last
  AND (entered ->> 'redeemed' IS NULL OR entered ->> 'redeemed' > :last);

-- scheme_interest_due: SUM(fen) per 100 to 2 decimals
-- Interest that fell due in the period.
SELECT organization, fields ->> 'through' AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'scheme_interest' AND fields ->> 'through' BETWEEN :first AND :last;

-- scheme_interest_paid: SUM(fen) per 100 to 2 decimals
-- Interest paid in the period.
SELECT organization, entered ->> 'paid' AS day, CAST(ROUND(fields ->> 'amount' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'scheme_interest' AND entered ->> 'paid' BETWEEN :first AND :last;

-- subsidy_planned_amount: SUM(fen) per 100 to 2 decimals
-- Subsidies planned in the period.
SELECT organization, on_date AS day, CAST(ROUND(fields ->> 'planned' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'job_subsidy' AND on_date BETWEEN :first AND :last
  AND fields ->> 'planned' <> '';

-- subsidy_declared_amount: SUM(fen) per 100 to 2 decimals
-- Subsidies declared in the period.
SELECT organization, entered ->> 'declared' AS day, CAST(ROUND(fields ->> 'declared' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'job_subsidy' AND entered ->> 'declared' BETWEEN :first AND :last;

-- subsidy_disbursed_amount: SUM(fen) per 100 to 2 decimals
-- Subsidies disbursed in the period.
SELECT organization, entered ->> 'disbursed' AS day, CAST(ROUND(fields ->> 'disbursed' * 100) AS INTEGER) AS fen
FROM record WHERE kind = 'job_subsidy' AND entered ->> 'disbursed' BETWEEN :first AND :last;

-- subsidy_beneficiaries: SUM(persons)
-- Beneficiaries of the subsidies disbursed in the period.
SELECT organization, entered ->> 'disbursed' AS day, CAST(fields ->> 'beneficiaries' AS INTEGER) AS persons
FROM record WHERE kind = 'job_subsidy' AND entered ->> 'disbursed' BETWEEN :first AND :last;

-- control_risks: COUNT(*) by level
-- Risks on the list at the period's end.
SELECT organization, :last AS day, fields ->> 'level' AS level
FROM record WHERE kind = 'control_risk' AND on_date <= :last
  AND (entered ->> 'closed' IS NULL OR entered ->> 'closed' > :last);

-- control_exceptions: COUNT(*) by process
-- Exceptions from the controls not put right at the period's end.
SELECT organization, :last AS day, fields ->> 'process' AS process
FROM record WHERE kind = 'control_exception' AND on_date <= :last
  AND (entered ->> 'corrected' IS NULL OR entered ->> 'corrected' > :last);

-- purchases_cleared: COUNT(*)
-- Purchases cleared for fair competition in the period.
SELECT organization, entered ->> 'cleared' AS day
FROM record WHERE kind = 'purchase' AND entered ->> 'cleared' BETWEEN :first AND :last;

-- control_evaluations: COUNT(*)
-- Self-evaluations reported in the period.
SELECT organization, entered ->> 'reported' AS day
FROM record WHERE kind = 'control_evaluation' AND entered ->> 'reported' BETWEEN :first AND :last;
