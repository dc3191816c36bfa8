//! What a request that waits is about, and whether that is still what its requester was shown.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::admin::{AdminError, etag};

/// The code of a refusal of a request that is not any more what was asked for.
pub(super) const OUTDATED: &str = "outdated";
/// Changes that a refusal tells of.
const MOST_TOLD: usize = 5;
/// One in so many computers may come to those that a request reaches while it waits: some always do.
const ONE_IN: usize = 10;

/// A thing as it was when somebody looked.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
struct Thing {
    /// What a refusal calls it.
    label: String,
    /// Which one it is, whatever it is called.
    id: String,
    /// What it is called.
    name: String,
    /// A digest of what it is.
    state: String,
}

/// Things, each by what makes it the same in another look: how the request names it, or its id.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Things(BTreeMap<String, Thing>);

impl Things {
    /// Notes one. `key` begins with its kind.
    pub(super) fn note(&mut self, key: String, label: String, id: impl Display, name: &str, state: &Value) {
        let state = etag::digest(state.to_string().as_bytes());
        self.0.insert(key, Thing { label, id: id.to_string(), name: name.to_owned(), state });
    }

    /// What is other than before, a sentence's part each.
    fn changes(&self, now: &Self) -> Vec<String> {
        let mut told = Vec::new();
        for (key, was) in &self.0 {
            let label = &was.label;
            match now.0.get(key) {
                None => told.push(format!("{label} has no part in it any more")),
                Some(is) if is.id != was.id => told.push(format!("{label} is another one now")),
                Some(is) if is.name != was.name => told.push(format!("{label} is called {:?} now", is.name)),
                Some(is) if is.state != was.state => told.push(format!("{label} was changed")),
                Some(_) => {}
            }
        }
        let new = now.0.iter().filter(|(key, _)| !self.0.contains_key(*key));
        told.extend(new.map(|(_, thing)| format!("{} has a part in it now", thing.label)));
        told
    }
}

/// What a request is about.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Seen {
    /// What it names.
    pub(super) named: Things,
    /// The collections that it reaches.
    pub(super) reached: Things,
}

impl Seen {
    /// What is other than before. Computers by number, those of before ascending.
    pub(super) fn changes(&self, now: &Self, before: &[u32], reached: &BTreeSet<u32>) -> Vec<String> {
        let mut told = self.named.changes(&now.named);
        told.extend(self.reached.changes(&now.reached));
        let came = reached.iter().filter(|no| before.binary_search(no).is_err()).count();
        if came > before.len() / ONE_IN {
            told.push(format!("{came} computers came to the {} that it reached", before.len()));
        }
        told
    }
}

/// Refuses unless what is named is what it was.
pub(super) fn check(before: &Things, now: &Things) -> Result<(), AdminError> {
    match before.changes(now) {
        told if told.is_empty() => Ok(()),
        told => Err(outdated(&told)),
    }
}

/// Refuses a request that is not any more what was asked for.
pub(super) fn outdated(told: &[String]) -> AdminError {
    let mut shown = told.iter().take(MOST_TOLD).cloned().collect::<Vec<_>>().join("; ");
    if told.len() > MOST_TOLD {
        shown.push_str("; and more");
    }
    AdminError::Conflict {
        code: OUTDATED,
        detail: format!("it is not any more what was asked for: {shown}"),
        next_step: Some(
            "nothing was done: look at it as it is now, ask for it again, and have that approved".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn things(id: u32, name: &str, state: &Value) -> Things {
        let mut things = Things::default();
        things.note("collection:ring".to_owned(), "the collection \"Ring\"".to_owned(), id, name, state);
        things
    }

    #[test]
    fn what_changed_is_told() {
        let before = things(1, "Ring", &json!({ "rule": "a" }));
        let told = |now: &Things| before.changes(now).join("; ");
        assert_eq!(told(&before), "");
        assert_eq!(told(&things(2, "Ring", &json!({ "rule": "a" }))), "the collection \"Ring\" is another one now");
        assert_eq!(told(&things(1, "Other", &json!({}))), "the collection \"Ring\" is called \"Other\" now");
        assert_eq!(told(&things(1, "Ring", &json!({ "rule": "b" }))), "the collection \"Ring\" was changed");
        assert_eq!(told(&Things::default()), "the collection \"Ring\" has no part in it any more");
        assert_eq!(Things::default().changes(&before), ["the collection \"Ring\" has a part in it now"]);
        assert!(check(&before, &before).is_ok());
        assert_eq!(check(&before, &Things::default()).expect_err("changed").problem().code, "outdated");
    }

    #[test]
    fn a_few_computers_may_come_while_a_request_waits() {
        let seen = Seen { named: things(1, "Ring", &Value::Null), ..Seen::default() };
        let text = serde_json::to_string(&seen).expect("JSON");
        assert_eq!(serde_json::from_str::<Seen>(&text).expect("read"), seen);
        let before: Vec<u32> = (1..=100).collect();
        let told = |now: &BTreeSet<u32>| seen.changes(&seen, &before, now);
        assert!(told(&(50..=110).collect()).is_empty(), "some went, and one in ten came");
        assert_eq!(told(&(50..=111).collect()), ["11 computers came to the 100 that it reached"]);
        assert_eq!(seen.changes(&seen, &[], &BTreeSet::from([7])), ["1 computers came to the 0 that it reached"]);
    }

    #[test]
    fn a_refusal_is_no_list_without_end() {
        let many: Vec<String> = (0..9).map(|number| number.to_string()).collect();
        let detail = outdated(&many).problem().detail;
        assert!(detail.ends_with("0; 1; 2; 3; 4; and more"), "{detail}");
    }
}
