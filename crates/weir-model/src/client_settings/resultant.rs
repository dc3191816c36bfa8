//! What holds for a computer.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{
    DEFAULT_SET, DEFAULT_SET_ID,
    definition::{Definition, definitions},
    value::{Value, scan_interval_hours},
};
use crate::ids::CollectionId;

/// A set of settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    /// Its id; [`DEFAULT_SET_ID`] is the one that holds for every computer.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// 1 is the strongest; without meaning for the default set.
    pub priority: u32,
    /// What it sets, by key. Other keys than those of [`definitions`] are passed over.
    pub settings: BTreeMap<String, Value>,
    /// What it is deployed to; without meaning for the default set.
    pub collections: Vec<CollectionId>,
}

/// Where a value comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// Nobody set it.
    BuiltIn,
    /// The default set.
    DefaultSet,
    /// A custom set.
    Custom {
        /// Its id.
        set: Uuid,
        /// Its name.
        name: String,
        /// Its priority.
        priority: u32,
        /// The collections by which it reaches the computer, ascending.
        collections: Vec<CollectionId>,
    },
}

/// A value that another was stronger than.
#[derive(Clone, Debug, PartialEq)]
pub struct Beaten {
    /// Name of the set.
    pub set: String,
    /// Its priority; none for the default set.
    pub priority: Option<u32>,
    /// Its value.
    pub value: Value,
}

/// What holds of one setting.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The setting.
    pub definition: &'static Definition,
    /// Its value.
    pub value: Value,
    /// Where that comes from.
    pub origin: Origin,
    /// What it beat, the strongest first.
    pub beat: Vec<Beaten>,
}

impl Resolved {
    /// Whether an administrator set it.
    pub fn is_set(&self) -> bool {
        self.origin != Origin::BuiltIn
    }
}

/// What holds for a computer: every setting, in the order of [`definitions`].
#[derive(Clone, Debug)]
pub struct Resultant(Vec<Resolved>);

/// What holds for a computer that is in these collections, with all above them and All Computers.
pub fn resultant(sets: &[Set], within: &BTreeSet<CollectionId>) -> Resultant {
    let default = sets.iter().find(|set| set.id == DEFAULT_SET_ID);
    let mut custom: Vec<(&Set, Vec<CollectionId>)> = sets
        .iter()
        .filter(|set| set.id != DEFAULT_SET_ID)
        .map(|set| {
            let by: BTreeSet<CollectionId> =
                set.collections.iter().copied().filter(|collection| within.contains(collection)).collect();
            (set, by.into_iter().collect())
        })
        .filter(|(_, by): &(&Set, Vec<CollectionId>)| !by.is_empty())
        .collect();
    custom.sort_by_key(|(set, _)| (set.priority, set.id));
    Resultant(definitions().map(|definition| resolve(definition, &custom, default)).collect())
}

fn resolve(definition: &'static Definition, custom: &[(&Set, Vec<CollectionId>)], default: Option<&Set>) -> Resolved {
    let mut found: Option<(Value, Origin)> = None;
    let mut beat = Vec::new();
    for (set, by) in custom {
        let Some(value) = set.settings.get(definition.key) else { continue };
        if found.is_some() {
            beat.push(Beaten { set: set.name.clone(), priority: Some(set.priority), value: value.clone() });
        } else {
            let origin =
                Origin::Custom { set: set.id, name: set.name.clone(), priority: set.priority, collections: by.clone() };
            found = Some((value.clone(), origin));
        }
    }
    if let Some(value) = default.and_then(|set| set.settings.get(definition.key)) {
        if found.is_some() {
            beat.push(Beaten { set: DEFAULT_SET.to_owned(), priority: None, value: value.clone() });
        } else {
            found = Some((value.clone(), Origin::DefaultSet));
        }
    }
    let (value, origin) = found.unwrap_or_else(|| (definition.default_value(), Origin::BuiltIn));
    Resolved { definition, value, origin, beat }
}

impl Resultant {
    /// Every setting.
    pub fn iter(&self) -> impl Iterator<Item = &Resolved> {
        self.0.iter()
    }

    /// What holds of one setting.
    pub fn find(&self, key: &str) -> Option<&Resolved> {
        self.0.iter().find(|resolved| resolved.definition.key == key)
    }

    /// The value of a flag; false if there is no such flag.
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.find(key), Some(Resolved { value: Value::Flag(true), .. }))
    }

    /// The value of a number; 0 if there is no such number.
    pub fn number(&self, key: &str) -> u32 {
        match self.find(key) {
            Some(Resolved { value: Value::Number(number), .. }) => *number,
            _ => 0,
        }
    }

    /// The word of a choice; empty if there is no such choice.
    pub fn choice(&self, key: &str) -> &'static str {
        match self.find(key) {
            Some(Resolved { value: Value::Choice(word), .. }) => word,
            _ => "",
        }
    }

    /// Whether an administrator set it.
    pub fn is_set(&self, key: &str) -> bool {
        self.find(key).is_some_and(Resolved::is_set)
    }

    /// Hours between two scans: those of `scan.schedule` (CS-2), at least a day.
    pub fn scan_interval_hours(&self) -> u32 {
        match self.find("scan.schedule") {
            Some(Resolved { value: Value::Schedule(schedule), .. }) => scan_interval_hours(schedule),
            _ => 7 * 24,
        }
    }

    /// Whether windows for all deployments count although there are windows for updates (CS-13).
    pub fn all_deployment_windows(&self) -> bool {
        self.flag("windows.all_deployments")
    }
}
