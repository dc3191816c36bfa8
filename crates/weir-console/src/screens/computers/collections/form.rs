//! What the form of a collection holds, from REST, from an address, or as it was sent.

use weir_api::collection::{Collection, CollectionChange, CollectionCreate, CollectionKind, CollectionPreviewQuery};

use super::rule::{Group, Join, Operator, Row, Rows};
use crate::address::Address;

/// How the rule is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Mode {
    /// In rows.
    #[default]
    Rows,
    /// As text.
    Text,
}

/// A collection in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// Its id, of one that exists.
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) parent: String,
    pub(super) by_rule: bool,
    pub(super) description: String,
    pub(super) zone: String,
    pub(super) approved_only: bool,
    pub(super) mode: Mode,
    pub(super) rows: Rows,
    pub(super) text: String,
    pub(super) includes: Vec<String>,
    pub(super) excludes: Vec<String>,
    pub(super) limiting: String,
    /// What was asked for: `save`, `row:2`, `drop:2:0`, ...
    pub(super) act: String,
    /// It was confirmed.
    pub(super) sure: bool,
}

impl Draft {
    /// A new one, with what a link asks for.
    pub(super) fn new(address: &Address) -> Self {
        let value = |name: &str| address.value(name).unwrap_or_default().to_owned();
        let rule = value("rule");
        let by_rule = value("kind") == "rule" || !rule.is_empty();
        let draft = Self { name: value("name"), parent: value("parent"), by_rule, ..Self::default() };
        draft.written(rule)
    }

    /// One that exists.
    pub(super) fn of(collection: &Collection) -> Self {
        let names = |references: &[weir_api::Reference]| references.iter().map(|one| one.name.clone()).collect();
        let draft = Self {
            id: Some(collection.id.to_string()),
            name: collection.name.clone(),
            parent: collection.parent.as_ref().map(|parent| parent.name.clone()).unwrap_or_default(),
            by_rule: collection.kind == Some(CollectionKind::Rule),
            description: collection.description.clone().unwrap_or_default(),
            zone: collection.time_zone.clone().unwrap_or_default(),
            approved_only: collection.approved_only,
            includes: names(&collection.includes),
            excludes: names(&collection.excludes),
            limiting: collection.limiting.as_ref().map(|one| one.name.clone()).unwrap_or_default(),
            ..Self::default()
        };
        draft.written(collection.rule.clone().unwrap_or_default())
    }

    /// With this rule, in rows where they can say it.
    fn written(mut self, rule: String) -> Self {
        match Rows::of(&rule) {
            Some(rows) => (self.mode, self.rows) = (Mode::Rows, rows),
            None => self.mode = Mode::Text,
        }
        self.text = rule;
        self.rows.fill();
        self
    }

    /// As it was sent. Fields of rows come in their order: a group, then field, operator and value of each of its rows.
    pub(super) fn read(pairs: &[(String, String)]) -> Self {
        let mut draft = Self::default();
        let rows = &mut draft.rows;
        for (name, value) in pairs {
            let text = || value.trim().to_owned();
            match name.as_str() {
                "id" => draft.id = Some(text()).filter(|id| !id.is_empty()),
                "name" => draft.name = text(),
                "parent" => draft.parent = text(),
                "kind" => draft.by_rule = value == "rule",
                "description" => draft.description = text(),
                "time_zone" => draft.zone = text(),
                "approved_only" => draft.approved_only = value == "1",
                "mode" => draft.mode = if value == "text" { Mode::Text } else { Mode::Rows },
                "join" => rows.join = Join::of(value),
                "group" => rows.groups.push(Group { join: Join::of(value), rows: Vec::new() }),
                "field" => {
                    if rows.groups.is_empty() {
                        rows.groups.push(Group::default());
                    }
                    if let Some(group) = rows.groups.last_mut() {
                        group.rows.push(Row { field: text(), ..Row::default() });
                    }
                }
                "operator" => rows.last(|row| row.operator = Operator::of(value)),
                "value" => rows.last(|row| row.value = text()),
                "rule" => draft.text = text(),
                "includes" => add(&mut draft.includes, text()),
                "excludes" => add(&mut draft.excludes, text()),
                "limiting" => draft.limiting = text(),
                "act" => draft.act.clone_from(value),
                "sure" => draft.sure = value == "1",
                _ => {}
            }
        }
        draft
    }

    /// The rule as text; the error is the number of the row that lacks its value.
    pub(super) fn rule(&self) -> Result<String, usize> {
        match self.mode {
            Mode::Text => Ok(self.text.clone()),
            Mode::Rows => self.rows.text(),
        }
    }

    /// Does what a button of the builder asks for; false if it is to be saved.
    pub(super) fn build(&mut self) -> bool {
        let act = std::mem::take(&mut self.act);
        let mut parts = act.split(':');
        let verb = parts.next().unwrap_or_default();
        let mut number = || parts.next().and_then(|part| part.parse::<usize>().ok());
        match verb {
            "row" => {
                if let Some(group) = number().and_then(|at| self.rows.groups.get_mut(at)) {
                    group.rows.push(Row::default());
                }
            }
            "group" => {
                // a second group is there for alternatives among conditions, or conditions among alternatives
                let join = if self.rows.join == Join::All { Join::Any } else { Join::All };
                self.rows.groups.push(Group { join, rows: vec![Row::default()] });
            }
            "drop" => {
                let (group, row) = (number(), number());
                if let (Some(group), Some(row)) = (group.and_then(|at| self.rows.groups.get_mut(at)), row) {
                    if row < group.rows.len() {
                        group.rows.remove(row);
                    }
                }
                self.rows.groups.retain(|group| !group.rows.is_empty());
            }
            "text" => {
                if let Ok(text) = self.rows.text() {
                    (self.text, self.mode) = (text, Mode::Text);
                }
            }
            "rows" => {
                if let Some(rows) = Rows::of(&self.text) {
                    (self.rows, self.mode) = (rows, Mode::Rows);
                }
            }
            "save" => {
                self.act = act;
                return false;
            }
            // whatever else sends the form wants to see it as it is now
            _ => {}
        }
        self.rows.fill();
        true
    }

    /// What REST is asked to make.
    pub(super) fn creation(&self, rule: &str) -> CollectionCreate {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let new = CollectionCreate {
            name: self.name.clone(),
            parent: given(&self.parent),
            approved_only: self.approved_only,
            kind: Some(if self.by_rule { CollectionKind::Rule } else { CollectionKind::TargetGroup }),
            time_zone: given(&self.zone),
            description: given(&self.description),
            ..CollectionCreate::default()
        };
        if !self.by_rule {
            return new;
        }
        CollectionCreate {
            // a collection by rule lies below All Computers
            parent: None,
            rule: given(rule),
            includes: self.includes.clone(),
            excludes: self.excludes.clone(),
            limiting: given(&self.limiting),
            ..new
        }
    }

    /// What REST is asked to change: what differs from what is there.
    pub(super) fn change(&self, rule: &str, known: &Collection) -> CollectionChange {
        let before = Self::of(known);
        let changed = |now: &str, then: &str| (now != then).then(|| now.to_owned());
        let change = CollectionChange {
            name: changed(&self.name, &before.name),
            approved_only: (self.approved_only != before.approved_only).then_some(self.approved_only),
            time_zone: changed(&self.zone, &before.zone),
            description: changed(&self.description, &before.description),
            ..CollectionChange::default()
        };
        if !before.by_rule {
            return change;
        }
        CollectionChange {
            // rows write some values in other ways than REST does
            rule: changed(rule, &before.text).filter(|rule| before.rule().as_ref() != Ok(rule)),
            includes: (self.includes != before.includes).then(|| self.includes.clone()),
            excludes: (self.excludes != before.excludes).then(|| self.excludes.clone()),
            limiting: changed(&self.limiting, &before.limiting),
            ..change
        }
    }

    /// Whether it defines the same members as what is there.
    pub(super) fn untouched(&self, known: &Collection) -> bool {
        let Ok(rule) = self.rule() else { return false };
        let change = self.change(&rule, known);
        change.rule.is_none() && change.includes.is_none() && change.excludes.is_none() && change.limiting.is_none()
    }

    /// What a preview is asked for.
    pub(super) fn previewed(&self, rule: &str, shown: u32) -> CollectionPreviewQuery {
        CollectionPreviewQuery {
            collection: self.id.clone(),
            rule: Some(rule.to_owned()),
            includes: Some(self.includes.clone()),
            excludes: Some(self.excludes.clone()),
            limiting: Some(self.limiting.clone()),
            limit: Some(shown),
        }
    }
}

impl Rows {
    /// With one row at least, to be filled in.
    fn fill(&mut self) {
        if self.groups.is_empty() {
            self.groups.push(Group { join: self.join, rows: vec![Row::default()] });
        }
    }

    fn last(&mut self, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.groups.last_mut().and_then(|group| group.rows.last_mut()) {
            change(row);
        }
    }
}

/// Adds a name that is not there yet.
fn add(names: &mut Vec<String>, name: String) {
    if !name.is_empty() && !names.iter().any(|known| known.to_lowercase() == name.to_lowercase()) {
        names.push(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn sent() -> Vec<(String, String)> {
        pairs(&[
            ("name", " Servers "),
            ("kind", "rule"),
            ("mode", "rows"),
            ("join", "all"),
            ("group", "any"),
            ("field", "os"),
            ("operator", "contains"),
            ("value", "server 2022"),
            ("field", "server"),
            ("operator", "yes"),
            ("value", ""),
            ("group", "all"),
            ("field", ""),
            ("operator", "equal"),
            ("value", ""),
            ("includes", "A"),
            ("includes", "a"),
            ("includes", ""),
        ])
    }

    #[test]
    fn a_form_is_read_in_its_order() {
        let draft = Draft::read(&sent());
        assert_eq!((draft.name.as_str(), draft.includes.len()), ("Servers", 1));
        assert_eq!(draft.rule().unwrap(), "os ~ \"server 2022\" or server");
        let new = draft.creation(&draft.rule().unwrap());
        assert_eq!(new.kind, Some(CollectionKind::Rule));
        assert_eq!(new.rule.as_deref(), Some("os ~ \"server 2022\" or server"));
    }

    #[test]
    fn buttons_change_rows_and_lose_nothing() {
        let act = |act: &str| {
            let mut pairs = sent();
            pairs.push(("act".to_owned(), act.to_owned()));
            let mut draft = Draft::read(&pairs);
            let built = draft.build();
            (built, draft)
        };
        let (built, draft) = act("row:0");
        assert!(built && draft.rows.groups[0].rows.len() == 3);
        let (_, draft) = act("drop:1:0");
        assert_eq!(draft.rows.groups.len(), 1);
        let (_, draft) = act("drop:9:9");
        assert_eq!(draft.rule().unwrap(), "os ~ \"server 2022\" or server");
        let (_, mut draft) = act("text");
        assert_eq!((draft.mode, draft.text.as_str()), (Mode::Text, "os ~ \"server 2022\" or server"));
        draft.act = "rows".to_owned();
        assert!(draft.build() && draft.mode == Mode::Rows && draft.rows.groups[0].rows.len() == 2);
        let (built, draft) = act("save");
        assert!(!built && draft.act == "save");
    }

    #[test]
    fn a_rule_that_rows_cannot_say_is_kept_as_text() {
        let address = Address::new("/computers/collections/new").with("rule", "not (server or workstation)");
        let draft = Draft::new(&address);
        assert!(draft.by_rule && draft.mode == Mode::Text);
        assert_eq!(draft.rule().unwrap(), "not (server or workstation)");
    }
}
