//! A rule as it is filled in: words as they were typed.

use std::collections::BTreeMap;

use uuid::Uuid;
use weir_api::{
    Problem,
    criteria::{Criterion, CriterionAction, CriterionChange, CriterionCondition, CriterionRule},
};

use crate::{
    cx::Cx,
    screens::settings::{field, given, lines},
    texts::criteria as t,
    ui::form::Errors,
};

/// The name that a preview has as long as the rule has none.
const UNNAMED: &str = "a rule to come";

/// The fields.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Filled {
    pub(super) name: String,
    pub(super) action: String,
    pub(super) architectures: Vec<String>,
    pub(super) editions: Vec<String>,
    pub(super) titles: String,
    /// `only`, `not`, or empty where it does not matter.
    pub(super) preview: String,
    pub(super) languages: String,
    pub(super) others: String,
    pub(super) older: String,
    pub(super) superseded: String,
    pub(super) products: String,
    pub(super) classifications: Vec<String>,
    pub(super) except: String,
    pub(super) enabled: bool,
}

impl Filled {
    /// A new rule.
    pub(super) fn fresh() -> Self {
        Self { action: "decline".to_owned(), enabled: true, ..Self::default() }
    }

    /// A rule that is there; products by their titles where there is one.
    pub(super) fn of(criterion: &Criterion, titles: &BTreeMap<String, String>) -> Self {
        let CriterionRule { name, action, condition, except, enabled } = criterion.rule.clone();
        let days = |days: Option<u32>| days.map(|days| days.to_string()).unwrap_or_default();
        let named = |id: &String| titles.get(&id.to_lowercase()).unwrap_or(id).clone();
        Self {
            name,
            action: crate::ui::word(&action),
            architectures: condition.architectures,
            editions: condition.editions,
            titles: condition.titles.join("\n"),
            preview: match condition.preview {
                Some(true) => "only".to_owned(),
                Some(false) => "not".to_owned(),
                None => String::new(),
            },
            languages: condition.languages.join(", "),
            others: condition.other_languages_than.join(", "),
            older: days(condition.older_than_days),
            superseded: days(condition.superseded_for_days),
            products: condition.products.iter().map(named).collect::<Vec<_>>().join("\n"),
            classifications: condition.classifications,
            except: except.join("\n"),
            enabled,
        }
    }

    /// What a form sent.
    pub(super) fn sent(pairs: &[(String, String)]) -> Self {
        let text = |name: &str| field(pairs, name).trim().to_owned();
        let all = |name: &str| -> Vec<String> {
            pairs.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
        };
        Self {
            name: text("name"),
            action: text("action"),
            architectures: all("architectures"),
            editions: all("editions"),
            titles: text("titles"),
            preview: text("preview"),
            languages: text("languages"),
            others: text("others"),
            older: text("older"),
            superseded: text("superseded"),
            products: text("products"),
            classifications: all("classifications"),
            except: text("except"),
            enabled: field(pairs, "enabled") == "1",
        }
    }

    /// The rule for REST; what is no number is an error beside its field.
    pub(super) fn rule(&self, cx: &Cx) -> Result<CriterionRule, Errors> {
        let mut errors = Errors::default();
        let mut days = |name: &'static str, text: &str| {
            let read = given(text).map(|text| text.parse::<u32>());
            if matches!(read, Some(Err(_))) {
                errors = std::mem::take(&mut errors).field(name, t::no_number(cx));
            }
            read.and_then(Result::ok)
        };
        let (older, superseded) = (days("older", &self.older), days("superseded", &self.superseded));
        if !errors.is_empty() {
            return Err(errors);
        }
        let words = |text: &str| -> Vec<String> {
            text.split([',', ';', ' ', '\n', '\r']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        Ok(CriterionRule {
            name: self.name.clone(),
            action: if self.action == "skip" { CriterionAction::Skip } else { CriterionAction::Decline },
            condition: CriterionCondition {
                architectures: self.architectures.clone(),
                editions: self.editions.clone(),
                titles: lines(&self.titles),
                preview: match self.preview.as_str() {
                    "only" => Some(true),
                    "not" => Some(false),
                    _ => None,
                },
                languages: words(&self.languages),
                other_languages_than: words(&self.others),
                older_than_days: older,
                superseded_for_days: superseded,
                products: lines(&self.products),
                classifications: self.classifications.clone(),
            },
            except: lines(&self.except),
            enabled: self.enabled,
        })
    }

    /// The rule for a preview, which needs no name of its own.
    pub(super) fn previewed(&self, cx: &Cx) -> Result<CriterionRule, Errors> {
        let mut rule = self.rule(cx)?;
        if rule.name.is_empty() {
            UNNAMED.clone_into(&mut rule.name);
        }
        Ok(rule)
    }
}

/// What makes of a rule what it is to be.
pub(super) fn change(before: &CriterionRule, after: CriterionRule) -> CriterionChange {
    let less =
        |a: &[String], b: &[String]| -> Vec<String> { a.iter().filter(|text| !b.contains(text)).cloned().collect() };
    CriterionChange {
        add_except: less(&after.except, &before.except),
        remove_except: less(&before.except, &after.except),
        name: Some(after.name),
        action: Some(after.action),
        condition: Some(after.condition),
        enabled: Some(after.enabled),
    }
}

/// Where a refusal goes.
pub(super) fn errors(problem: &Problem) -> Errors {
    const FIELDS: [&str; 8] = [
        "titles",
        "older=days",
        "languages=language",
        "products=product",
        "classifications=classification",
        "except=exception",
        "except=exceptions",
        "name",
    ];
    match problem.code.as_str() {
        "exists" => Errors::default().field("name", &problem.detail),
        _ => Errors::of(problem, &FIELDS),
    }
}

/// Titles of products by their ids, where no other has the same.
pub(super) fn unambiguous(named: Vec<(Uuid, String)>) -> BTreeMap<String, String> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for (_, title) in &named {
        *counts.entry(title.to_lowercase()).or_default() += 1;
    }
    let alone = named.into_iter().filter(|(_, title)| counts.get(&title.to_lowercase()) == Some(&1));
    alone.map(|(id, title)| (id.to_string(), title)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, except: &[&str]) -> CriterionRule {
        CriterionRule {
            name: name.to_owned(),
            action: CriterionAction::Skip,
            condition: CriterionCondition::default(),
            except: except.iter().map(|text| (*text).to_owned()).collect(),
            enabled: true,
        }
    }

    #[test]
    fn exceptions_are_told_as_what_is_more_and_what_is_less() {
        let change = change(&rule("a", &["KB1", "KB2"]), rule("b", &["KB2", "KB3"]));
        assert_eq!((change.add_except, change.remove_except), (vec!["KB3".to_owned()], vec!["KB1".to_owned()]));
        assert_eq!(change.name.as_deref(), Some("b"));
    }

    #[test]
    fn a_title_that_two_have_is_no_name() {
        let id = |number: u128| Uuid::from_u128(number);
        let named = [(1, "Windows 11"), (2, "Drivers"), (3, "drivers")];
        let titles = unambiguous(named.map(|(number, title)| (id(number), title.to_owned())).to_vec());
        assert_eq!(titles.into_iter().collect::<Vec<_>>(), [(id(1).to_string(), "Windows 11".to_owned())]);
    }

    #[test]
    fn a_refusal_stands_beside_what_it_is_about() {
        for (detail, field) in [
            ("\"*\" is no pattern of titles: use 1 to 255 characters that can be printed, not only stars", "#f-titles"),
            ("99999 days are too many: at most 36500", "#f-older"),
            ("there is no language \"xx\"", "#f-languages"),
            ("\"\" cannot name a rule: use 1 to 100 characters that can be printed", "#f-name"),
        ] {
            let problem = Problem {
                status: 400,
                code: "rule".to_owned(),
                title: String::new(),
                detail: detail.to_owned(),
                next_step: None,
            };
            assert!(
                format!("{:?}", errors(&problem)).contains(&format!("(\"{}\"", field.trim_start_matches("#f-"))),
                "{detail}"
            );
        }
    }
}
