//! What an evaluation comes to.

use std::collections::HashMap;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{GroupChoice, LONGEST_NAME, Licences, Rule, due};
use crate::{
    deployment::Terms as DeploymentTerms,
    ids::{CollectionId, UpdateId},
    targeting::DeploymentAction,
};

/// Updates that a rule may match (ADR-3, DEP-26); above it the evaluation fails.
pub const MOST_MATCHES: usize = 1_000;

/// The licence terms of an update and of the members of its bundle.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Terms {
    /// It has none, or all of them were accepted.
    #[default]
    Settled,
    /// Nobody accepted some of them.
    Open,
}

/// An update that a rule looks at, and what its criteria say of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// Which update.
    pub update: UpdateId,
    /// Whether the criteria hold, and the term that says so: few different texts, never one of each update.
    pub verdict: Result<String, String>,
    /// Why it cannot be deployed whatever the criteria say: declined, expired, ...
    pub barred: Option<&'static str>,
    /// Its licence terms.
    pub terms: Terms,
}

/// An update with the number of its reason in [`RunPlan::reasons`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Noted {
    /// Which update.
    pub update: UpdateId,
    /// The number of its reason.
    pub reason: u32,
}

/// The group that a run makes or fills.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupPlan {
    /// Its name; a new one may get a number behind it if the name is taken.
    pub name: String,
    /// It is there, or will be, and all its members are replaced.
    pub kept: bool,
}

/// A deployment that a run makes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PlannedDeployment {
    /// To whom.
    pub collection: CollectionId,
    /// What for.
    pub action: DeploymentAction,
    /// From when.
    pub available_at: Timestamp,
    /// Until when at the latest.
    pub deadline_at: Option<Timestamp>,
    /// Switched on.
    pub enabled: bool,
    /// Its settings.
    pub terms: DeploymentTerms,
}

/// Why a run fails. Nothing is changed then.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// ADR-3.
    #[error("{0} updates match; a rule may match at most {MOST_MATCHES}")]
    TooMany(usize),
}

/// What an evaluation comes to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RunPlan {
    /// Updates that go into the group, in the order of the candidates.
    pub matched: Vec<Noted>,
    /// All others.
    pub rejected: Vec<Noted>,
    /// Reasons by number.
    pub reasons: Vec<String>,
    /// Updates among the matched whose licence terms are accepted by this run.
    pub accept_terms: Vec<UpdateId>,
    /// The group; none if nothing matches: no empty group is made, and a kept one keeps its members.
    pub group: Option<GroupPlan>,
    /// Deployments of the group.
    pub deployments: Vec<PlannedDeployment>,
    /// Why the run fails.
    pub problem: Option<Problem>,
}

/// Evaluates a rule. `base` is the scheduled start of the evaluation; `site` the zone of rules without one of their own.
pub fn decide(
    rule: &Rule,
    candidates: impl IntoIterator<Item = Candidate>,
    base: Timestamp,
    site: &TimeZone,
) -> RunPlan {
    let mut reasons = Reasons::default();
    let (mut matched, mut rejected, mut accept_terms) = (Vec::new(), Vec::new(), Vec::new());
    for candidate in candidates {
        let Candidate { update, verdict, barred, terms } = candidate;
        let open = terms == Terms::Open;
        let outcome = match (verdict, barred) {
            // what the criteria say comes first: of an update that nobody asked for it does not matter that it is declined
            (Err(reason), _) => Err(reason),
            (Ok(_), Some(barred)) => Err(format!("matches, but {barred}")),
            (Ok(_), None) if open && rule.licences == Licences::WithoutTerms => {
                Err("matches, but its licence terms are not accepted".to_owned())
            }
            (Ok(reason), None) => Ok(reason),
        };
        match outcome {
            Ok(reason) => {
                if open {
                    accept_terms.push(update);
                }
                matched.push(Noted { update, reason: reasons.number(reason) });
            }
            Err(reason) => rejected.push(Noted { update, reason: reasons.number(reason) }),
        }
    }
    let problem = (matched.len() > MOST_MATCHES).then_some(Problem::TooMany(matched.len()));
    let acts = problem.is_none() && !matched.is_empty();
    let group = acts.then(|| match &rule.group {
        GroupChoice::Kept { name } => GroupPlan { name: name.clone(), kept: true },
        GroupChoice::New { pattern } => {
            GroupPlan { name: group_name(pattern, &rule.name, base, due::zone(rule, site)), kept: false }
        }
    });
    let zone = due::zone(rule, site);
    // a wall-clock time is written as if in UTC: 02:00 of the schedule is 02:00 of each computer
    let wall = base.to_zoned(zone.clone()).datetime().to_zoned(TimeZone::UTC).map_or(base, |zoned| zoned.timestamp());
    let deployments = rule.deployments.iter().filter(|_| acts).map(|target| PlannedDeployment {
        collection: target.collection,
        action: target.action,
        available_at: target.available.after(if target.terms.local_time { wall } else { base }),
        deadline_at: target.deadline.map(|deadline| deadline.after(if target.terms.local_time { wall } else { base })),
        enabled: rule.enable_deployments,
        terms: target.terms.clone(),
    });
    let deployments = deployments.collect();
    RunPlan { matched, rejected, reasons: reasons.texts, accept_terms, group, deployments, problem }
}

/// Reasons as they are met.
#[derive(Default)]
struct Reasons {
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Reasons {
    fn number(&mut self, text: String) -> u32 {
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(text.clone());
        self.numbers.insert(text, number);
        number
    }
}

/// The name of a new group, with the date of the scheduled start in a zone. At most [`LONGEST_NAME`] characters.
pub fn group_name(pattern: &str, rule: &str, base: Timestamp, zone: &TimeZone) -> String {
    let at = base.to_zoned(zone.clone());
    let name = pattern
        .replace("{date}", &at.strftime("%Y-%m-%d").to_string())
        .replace("{time}", &at.strftime("%H:%M").to_string())
        .replace("{month}", &at.strftime("%Y-%m").to_string())
        .replace("{year}", &at.strftime("%Y").to_string())
        // last: a rule may have braces in its name
        .replace("{name}", rule);
    name.chars().take(LONGEST_NAME).collect::<String>().trim().to_owned()
}

/// The name itself, or with the first number behind it that makes it free.
pub fn free_name<E>(name: &str, mut taken: impl FnMut(&str) -> Result<bool, E>) -> Result<String, E> {
    if !taken(name)? {
        return Ok(name.to_owned());
    }
    let mut number = 2_u32;
    loop {
        let free = format!("{name} ({number})");
        if !taken(&free)? {
            return Ok(free);
        }
        number = number.saturating_add(1);
    }
}

/// The first thing in braces that is none of those that are replaced.
pub(super) fn unknown_placeholder(pattern: &str) -> Option<String> {
    let mut rest = pattern;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((word, tail)) = after.split_once('}') else { return Some(format!("{{{after}")) };
        if !matches!(word, "name" | "date" | "time" | "month" | "year") {
            return Some(format!("{{{word}}}"));
        }
        rest = tail;
    }
    None
}
