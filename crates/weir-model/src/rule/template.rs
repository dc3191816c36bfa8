//! Rules to begin with. Categories stand as GUIDs, which never change; titles do, and are translated (ADR-10).

use super::{GroupChoice, Interval, Licences, Schedule};

/// What a template fills in; name, collection and deployments are the administrator's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Template {
    /// By which it is asked for.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Which updates.
    pub criteria: &'static str,
    /// When.
    pub schedule: Schedule,
    /// Into which group.
    pub group: GroupChoice,
    /// Deadline of its deployments after the scheduled start.
    pub deadline: Interval,
    /// Licence terms.
    pub licences: Licences,
}

const PATCH_TUESDAY: &str = "classification in (0fa1201d-4330-4fa8-8ae9-b877473b6441, \
                             e6cf1350-c01b-414d-a61f-263d14d133b4, 28bc880e-0592-4cbf-8f95-c79b17911d5f) \
                             and released < 1 month and not superseded";
const OFFICE: &str = "product = 30eb551c-6288-4716-9a78-f300ec36d72b \
                      and classification in (0fa1201d-4330-4fa8-8ae9-b877473b6441, \
                      e6cf1350-c01b-414d-a61f-263d14d133b4, cd5ffd1e-e932-4e3a-bf74-18bf0b1bbd83) \
                      and released < 1 month and not superseded";
const ANTIVIRUS: &str = "product in (8c3fcc84-7410-4a95-8b89-a166a0190486, a38c835c-2950-4e87-86cc-6911a52c34a3) \
                         and classification = e0789628-ce08-4437-be74-2495b842f43b and not superseded";

/// A day after the second Tuesday: on it, Microsoft publishes in its evening.
const AFTER_PATCH_TUESDAY: &str = "monthly second tuesday +1 at 02:00";

/// The built-in templates (ADR-1).
pub fn templates() -> Vec<Template> {
    // a text that is no schedule leaves the rule to be run by hand; a test sees to that it is one
    let monthly = AFTER_PATCH_TUESDAY.parse().map_or(Schedule::Manual, Schedule::Recurring);
    let week = Interval::days(7).unwrap_or_default();
    vec![
        Template {
            name: "patch-tuesday",
            description: "Patch Tuesday: security updates, critical updates and rollups of the last month",
            criteria: PATCH_TUESDAY,
            schedule: monthly.clone(),
            group: GroupChoice::New { pattern: "{name} {month}".to_owned() },
            deadline: week,
            licences: Licences::WithoutTerms,
        },
        Template {
            name: "office-365-client",
            description: "Office 365 Client Updates: Microsoft 365 Apps, Office 2019 and later, of the last month",
            criteria: OFFICE,
            schedule: monthly,
            group: GroupChoice::New { pattern: "{name} {month}".to_owned() },
            deadline: week,
            licences: Licences::WithoutTerms,
        },
        Template {
            name: "antivirus",
            description: "SCEP and Windows Defender Antivirus Updates: the newest definitions after each synchronization",
            criteria: ANTIVIRUS,
            schedule: Schedule::AfterSync,
            group: GroupChoice::Kept { name: "{name}".to_owned() },
            deadline: Interval::ZERO,
            licences: Licences::AcceptAll,
        },
    ]
}

/// A built-in template by its name.
pub fn template(name: &str) -> Option<Template> {
    let name = name.trim().to_lowercase();
    templates().into_iter().find(|template| template.name == name)
}
