//! What requests that may wait are about: in words, and noted with their ids.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;
use weir_model::{
    ids::{CollectionId, UpdateId},
    name,
    targeting::DeploymentAction,
};
use weir_store::{
    ReadTx, StoreError,
    collection::CollectionRow,
    deployment::{Deployed, DeploymentRow},
    phased::PhasedRow,
    rule::RuleRow,
    template::TemplateRow,
    update_group::UpdateGroupRow,
};

use super::seen::Things;
use crate::admin::{AdminError, collection, update::Named};

/// Updates and deployments that are named.
pub(super) const TITLES: usize = 3;

/// The last part of a path, as a name.
pub(super) fn last(path: &str) -> String {
    decoded(path.rsplit('/').next().unwrap_or_default())
}

/// A part of a path without its escapes.
pub(super) fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                digit(*high).zip(digit(*low)).map(|(high, low)| ((high * 16 + low) as u8, tail))
            }
            _ => None,
        };
        let (byte, after) = escape.unwrap_or((*first, tail));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a text names a thing by its id or its name.
pub(super) fn is_named(text: &str, id: Uuid, of: &str) -> bool {
    text.parse::<Uuid>().is_ok_and(|given| given == id) || name::key(text) == name::key(of)
}

/// An action as a verb.
pub(super) fn word(action: DeploymentAction) -> String {
    let word = match action {
        DeploymentAction::Block => "block",
        DeploymentAction::Install => "install",
        DeploymentAction::Optional => "offer",
        DeploymentAction::Uninstall => "uninstall",
        DeploymentAction::Detect => "detect",
    };
    word.to_owned()
}

/// An update that a request names: its title, if it is known.
pub(super) fn update_words(tx: &ReadTx<'_>, text: &str) -> Result<String, AdminError> {
    let row = match Named::parse(text) {
        Ok(name) => tx.update_show(name.id)?,
        Err(_) => None,
    };
    Ok(row.map_or_else(|| format!("the update {text:?}"), |row| format!("the update {:?} ({text})", row.title)))
}

/// Several of them.
pub(super) fn updates_words(tx: &ReadTx<'_>, updates: &BTreeSet<UpdateId>) -> Result<String, AdminError> {
    if let (Some(one), 1) = (updates.first(), updates.len()) {
        return update_words(tx, &one.to_string());
    }
    let mut titles = Vec::new();
    for update in updates.iter().take(TITLES) {
        titles.push(match tx.update_show(*update)? {
            Some(row) => format!("{:?}", row.title),
            None => update.to_string(),
        });
    }
    let more = if updates.len() > TITLES { ", and more" } else { "" };
    Ok(format!("{} updates ({}{more})", updates.len(), titles.join(", ")))
}

/// A group.
pub(super) fn group_words(row: &UpdateGroupRow) -> String {
    format!("the group {:?} ({} updates)", row.name, row.members)
}

/// What a deployment is of.
pub(super) fn deployed_words(tx: &ReadTx<'_>, row: &DeploymentRow) -> Result<String, AdminError> {
    let group = match row.deployed {
        Deployed::Group(id) => tx.update_group_row(id)?,
        Deployed::Update { .. } => None,
    };
    Ok(group.map_or_else(|| format!("the update {:?}", row.title), |group| group_words(&group)))
}

impl Things {
    /// Notes a collection by what the request calls it.
    pub(super) fn collection(&mut self, tx: &ReadTx<'_>, said: &str, row: &CollectionRow) -> Result<(), StoreError> {
        let key = format!("collection:{}", name::key(said));
        self.note(key, format!("the collection {said:?}"), row.id, &row.name, &defined(tx, row.id)?);
        Ok(())
    }

    /// Notes a collection that a request reaches.
    pub(super) fn reached(&mut self, id: CollectionId, name: &str) {
        self.note(format!("collection:{id}"), format!("the collection {name:?}"), id, name, &Value::Null);
    }

    /// Notes an update with its newest revision.
    pub(super) fn update(&mut self, tx: &ReadTx<'_>, said: &str) -> Result<(), AdminError> {
        let Ok(named) = Named::parse(said) else { return Ok(()) };
        let newest = tx.revision_list_of(named.id)?.into_iter().max_by_key(|row| row.identity.revision);
        let Some(row) = newest else { return Ok(()) };
        let flags = tx.update_flags(named.id)?;
        let state = json!({
            "revision": row.identity.revision, "declined": flags.declined.is_some(),
            "stopped": tx.update_stop_show(named.id)?.is_some(),
        });
        let label = format!("the update {:?}", row.title.trim());
        self.note(format!("update:{}", named.id), label, named.id, row.title.trim(), &state);
        Ok(())
    }

    /// Notes which updates a request concerns.
    pub(super) fn updates(&mut self, updates: &BTreeSet<UpdateId>) {
        self.choice("updates", &json!(updates));
    }

    /// Notes what a request chooses, as a whole.
    pub(super) fn choice(&mut self, of: &str, chosen: &Value) {
        self.note(format!("choice:{of}"), format!("the choice of {of}"), "", "", chosen);
    }

    /// Notes a group with its members.
    pub(super) fn group(&mut self, tx: &ReadTx<'_>, row: &UpdateGroupRow) -> Result<(), StoreError> {
        let members = tx.update_group_show(row.id)?.map(|(_, members)| members).unwrap_or_default();
        let members: BTreeSet<UpdateId> = members.into_iter().collect();
        let label = format!("the update group {:?}", row.name);
        self.note("group".to_owned(), label, row.id, &row.name, &json!(members));
        Ok(())
    }

    /// Notes a deployment, with the group that it is of.
    pub(super) fn deployment(&mut self, tx: &ReadTx<'_>, row: &DeploymentRow) -> Result<(), StoreError> {
        let of = match row.deployed {
            Deployed::Group(id) => {
                let members: BTreeSet<UpdateId> =
                    tx.update_group_show(id)?.map(|(_, members)| members).unwrap_or_default().into_iter().collect();
                json!({ "group": id, "members": members })
            }
            Deployed::Update { id, revision } => json!({ "update": id, "revision": revision }),
        };
        let state = json!({
            "of": of, "collection": row.collection, "action": row.action, "enabled": row.enabled,
            "available": row.available_at, "deadline": row.deadline_at, "terms": row.terms,
        });
        self.note(format!("deployment:{}", row.id), format!("the deployment {}", row.id), row.guid, &row.title, &state);
        Ok(())
    }

    /// Notes a template of deployments.
    pub(super) fn template(&mut self, row: &TemplateRow) {
        let label = format!("the template {:?}", row.name);
        self.note("template".to_owned(), label, row.id, &row.name, &json!(row.template));
    }

    /// Notes a rule.
    pub(super) fn rule(&mut self, row: &RuleRow) {
        let label = format!("the rule {:?}", row.rule.name);
        self.note("rule".to_owned(), label, row.id, &row.rule.name, &json!(row.rule));
    }

    /// Notes a phased deployment with how far people and gates brought it.
    pub(super) fn phased(&mut self, tx: &ReadTx<'_>, row: &PhasedRow) -> Result<(), StoreError> {
        let far = tx.phased_state(row.id)?.map(|stored| {
            let phases = stored.state.phases.iter();
            let phases: Vec<_> =
                phases.map(|it| (it.started_at.is_some(), it.completed_at.is_some(), it.approval.is_some())).collect();
            (stored.state.status, phases)
        });
        let members = tx.update_group_show(row.group)?.map(|(_, members)| members).unwrap_or_default();
        let members: BTreeSet<UpdateId> = members.into_iter().collect();
        let state = json!({ "plan": row.plan, "group": row.group, "members": members, "far": far });
        let label = format!("the phased deployment {:?}", row.plan.name);
        self.note("phased".to_owned(), label, row.id, &row.plan.name, &state);
        Ok(())
    }
}

/// What administrators define of a collection, as far as it says who is in it.
fn defined(tx: &ReadTx<'_>, id: CollectionId) -> Result<Value, StoreError> {
    let mut defined = collection::audited(tx, id)?;
    if let Some(fields) = defined.as_object_mut() {
        for other in ["name", "description", "time_zone"] {
            fields.remove(other);
        }
    }
    Ok(defined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_path_are_read_as_names() {
        assert_eq!(decoded("Ring%201"), "Ring 1");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz%C3%A4"), "%zz\u{e4}");
        assert_eq!(last("/collections/Ring%201"), "Ring 1");
    }
}
