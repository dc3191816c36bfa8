//! How rules, their runs and previews are printed.

use weir_api::{
    deployment::Action,
    rule::{Rule, RuleLicences, RulePreview, RuleRun, RuleRunState},
};

use crate::{
    Outcome,
    print::{Page, bytes, time, time_or},
};

pub(super) fn schedule(rule: &Rule) -> String {
    match (rule.from_parent, rule.enabled) {
        (true, _) => "at the top".to_owned(),
        (false, false) => format!("{} (off)", rule.schedule),
        (false, true) => rule.schedule.clone(),
    }
}

pub(super) fn word(state: RuleRunState) -> &'static str {
    match state {
        RuleRunState::Done => "done",
        RuleRunState::Failed => "failed",
        RuleRunState::Nothing => "nothing",
        RuleRunState::Skipped => "skipped",
    }
}

pub(super) fn last(run: Option<&RuleRun>) -> String {
    let Some(run) = run else { return "never".to_owned() };
    let what = run.error.clone().unwrap_or_else(|| format!("{} matched", run.matched));
    format!("{} {}: {what}", time(run.started_at), word(run.result))
}

pub(super) fn outcome(run: &RuleRun) -> Outcome {
    if run.result == RuleRunState::Failed { Outcome::Failed } else { Outcome::Done }
}

pub(super) fn show(page: &mut Page, rule: &Rule) {
    page.line(&rule.name);
    page.field("description", &rule.description);
    page.field("criteria", &rule.criteria_text);
    page.field("when", schedule(rule));
    page.field("next", time_or(rule.next_run, ""));
    page.field(
        "group",
        match (&rule.new_group, &rule.keep_group) {
            (Some(pattern), _) => format!("a new one each run, named {pattern}"),
            (None, Some(name)) => format!("{name}, whose members are replaced"),
            (None, None) => String::new(),
        },
    );
    for made in &rule.deployments {
        let deadline =
            made.deadline.as_ref().map_or("no deadline".to_owned(), |deadline| format!("deadline +{deadline}"));
        let action = if made.action == Some(Action::Optional) { "optional" } else { "install" };
        let available = made.available.as_deref().unwrap_or("0m");
        page.field("deploys to", format!("{}: {action}, available +{available}, {deadline}", made.collection));
    }
    page.field("switched on", if rule.enable_deployments { "yes" } else { "no: somebody switches deployments on" });
    page.field(
        "licence terms",
        match rule.licences {
            RuleLicences::AcceptAll => "all accepted",
            RuleLicences::WithoutTerms => "updates with open terms are left out",
        },
    );
    page.field("last run", last(rule.last_run.as_ref()));
}

pub(super) fn ran(page: &mut Page, run: &RuleRun) {
    page.field("run", format!("{} ({}), {} by {}", run.no, run.trigger, time(run.started_at), run.by));
    page.field("result", word(run.result));
    page.field("matches", format!("{} of {} updates", run.matched, run.matched + run.rejected));
    page.field("group", run.group.as_ref().map_or("", |group| &group.name));
    let numbers: Vec<String> = run.deployments.iter().map(ToString::to_string).collect();
    page.field("deployments", numbers.join(", "));
    if run.accepted_terms > 0 {
        page.field("terms accepted", run.accepted_terms);
    }
    page.field("why", run.error.as_deref().unwrap_or_default());
    for warning in &run.warnings {
        page.line(format!("warning: {warning}"));
    }
    if let Some(next) = &run.next_step {
        page.line(format!("Next: {next}"));
    }
}

pub(super) fn previewed(page: &mut Page, preview: &RulePreview) {
    page.field("criteria", &preview.criteria_text);
    page.field("matches", format!("{} of {} updates", preview.matched, preview.looked_at));
    page.field(
        "content",
        format!("{} files, {}, {} of it here", preview.files, bytes(preview.bytes), bytes(preview.bytes_here)),
    );
    if preview.accepts_terms > 0 {
        page.field("accepts terms", format!("of {} updates", preview.accepts_terms));
    }
    page.field("group", preview.group.as_deref().unwrap_or_default());
    for made in &preview.deployments {
        let deadline = made.deadline.map_or("no deadline".to_owned(), |at| format!("deadline {}", time(at)));
        let off = if made.enabled { "" } else { ", switched off" };
        page.field(
            "deploys to",
            format!("{}: available {}, {deadline}{off}", made.collection.name, time(made.available)),
        );
    }
    if let Some(problem) = &preview.problem {
        page.line(format!("It would fail: {problem}"));
    }
    let rows = preview.updates.iter().map(|row| vec![row.title.clone(), row.reason.clone()]);
    page.table(&["Title", "Why"], rows.collect(), "No update matches.");
    if preview.matched > preview.updates.len() as u64 {
        page.line(format!("... and {} more: --limit N", preview.matched - preview.updates.len() as u64));
    }
    let rows = preview.rejected.iter().map(|row| vec![row.updates.to_string(), row.reason.clone()]);
    page.table(&["Left out", "Why"], rows.collect(), "None is left out.");
}
