//! What a request that may wait for a second person would do, in words that let that person decide, and whom it reaches.
//!
//! [`Asked::act`] says what the request is about: things with their ids, and where something goes. [`Asked::look`] counts the computers
//! and says whether it waits. Both are asked again when somebody approves, and compared with what they said before.

use std::collections::BTreeSet;

use http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use weir_api::{
    bulk::{ComputersAction, ComputersChange},
    update_edit::UpdatesChange,
    update_group::MembersChange,
};
use weir_model::{
    ids::{CollectionId, UpdateId},
    rights::Scope,
};
use weir_store::{ReadTx, StoreError};

use super::{
    deploying::Deploying,
    joins::{Moves, coming},
    seen::{Seen, Things},
    words::{decoded, is_named, last, update_words},
};
use crate::{
    admin::{
        AdminError, App, bulk,
        collection::Tree,
        group,
        setting::{
            APPROVAL_COMPUTERS, Current, PROXY_PASSWORD, SOURCE, SYNC_CA_FILE, SYNC_MICROSOFT_URL, SYNC_REPLICA,
            TARGETING,
        },
        update_bulk,
    },
    live::Live,
};

/// The kind of a change of what waits: it is always one, while anything is.
pub(super) const ITSELF: &str = "approval";
/// Collections that a subject names.
const MOST_NAMED: usize = 10;

/// What a filter or a list in the body means, found out before anything is read in one view.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Chosen {
    /// The route takes none, or the request is a preview or wrong.
    Nothing,
    /// Ids of computers, as they were written or found.
    Computers(Vec<String>),
    /// Updates.
    Updates(BTreeSet<UpdateId>),
}

/// A request that may have to wait.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Its method.
    pub(super) method: Method,
    /// Its path below the prefix.
    pub(super) path: String,
    /// Its query, without the sign before it.
    pub(super) query: String,
    /// Its body; null if that is no JSON.
    pub(super) body: Value,
    /// Of who asks: what is outside is not there, and who handles the request says so.
    pub(super) scope: Scope,
    /// What it chooses.
    pub(super) chosen: Chosen,
}

/// Where something goes by a request.
#[derive(Clone, Debug)]
pub(super) enum Goes {
    /// It waits whomever it reaches; computers of these collections are counted.
    Anywhere(BTreeSet<CollectionId>),
    /// It is taken from these collections, and waits whomever it reaches.
    Declined(BTreeSet<CollectionId>),
    /// To these collections: it waits if that is to many.
    To(BTreeSet<CollectionId>),
    /// To where computers come by this: it waits if something that is deployed there reaches many.
    Where(Vec<Moves>),
    /// To all computers that ask for a collection.
    Asking,
}

/// What a request would do.
#[derive(Clone, Debug)]
pub(super) struct Act {
    /// In words, without where.
    pub(super) what: String,
    /// What the request names.
    pub(super) named: Things,
    /// Where it goes.
    pub(super) goes: Goes,
}

impl Act {
    /// What waits whomever it reaches.
    pub(super) fn always(what: String, named: Things) -> Self {
        Self { what, named, goes: Goes::Anywhere(BTreeSet::new()) }
    }
}

/// An act, and whom it reaches.
pub(super) struct Look {
    /// What it is about.
    pub(super) seen: Seen,
    /// The computers that it reaches.
    pub(super) computers: BTreeSet<u32>,
    /// It waits for a second person.
    pub(super) waits: bool,
    what: String,
    targets: BTreeSet<CollectionId>,
    counts: bool,
}

impl Look {
    /// What it would do, as it is told to who sees the collections of a tree.
    pub(super) fn subject(&self, tree: &Tree) -> String {
        if !self.counts {
            return self.what.clone();
        }
        let mut names: Vec<String> =
            self.targets.iter().take(MOST_NAMED).map(|id| format!("{:?}", tree.shown_name(*id))).collect();
        names.sort();
        names.dedup();
        let mut names = names.join(", ");
        if self.targets.len() > MOST_NAMED {
            names.push_str(", and more");
        }
        // how many computers others have is no business of who is limited
        if self.targets.iter().all(|id| tree.may_name(*id)) {
            format!("{} to {names} ({} computers)", self.what, self.computers.len())
        } else {
            format!("{} to {names}", self.what)
        }
    }
}

impl Asked {
    /// Finds out what a request chooses by a filter. What is wrong with it is said as by who does it.
    pub(super) async fn choose(&mut self, app: &App) -> Result<(), AdminError> {
        let body = &self.body;
        let parts: Vec<&str> = self.path.split('/').skip(1).collect();
        self.chosen = match parts.as_slice() {
            ["groups", _, "members"] => match read::<MembersChange>(body) {
                Some(change) => {
                    let updates = group::meant(app, &change, self.method == Method::POST).await?;
                    Chosen::Updates(updates.into_iter().collect())
                }
                None => Chosen::Nothing,
            },
            ["updates-change"] => {
                match read::<UpdatesChange>(body).filter(|asked| !asked.preview && asked.declined.is_some()) {
                    Some(asked) => Chosen::Updates(update_bulk::chosen(app, &asked).await?.0.into_iter().collect()),
                    None => Chosen::Nothing,
                }
            }
            ["computers-change"] => {
                let places = |asked: &ComputersChange| !asked.preview && asked.action != ComputersAction::Delete;
                match read::<ComputersChange>(body).filter(places) {
                    Some(asked) => Chosen::Computers(bulk::chosen(app, &self.scope, &asked).await?),
                    None => Chosen::Nothing,
                }
            }
            _ => Chosen::Nothing,
        };
        Ok(())
    }

    /// The parts of its path, as names.
    pub(super) fn parts(&self) -> Vec<String> {
        self.path.split('/').skip(1).map(decoded).collect()
    }

    /// A text of the body.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.body.get(field).and_then(Value::as_str)
    }

    /// What it would do; none if nothing of that kind. What is wrong with it is said by who does it.
    pub(super) fn act(&self, kind: &str, tx: &ReadTx<'_>) -> Result<Option<Act>, AdminError> {
        let mut named = Things::default();
        let last = last(&self.path);
        Ok(match kind {
            "delete-collection" => {
                let tree = Tree::within(tx, &self.scope)?;
                let row = tree.find(&last)?;
                named.collection(tx, &last, row)?;
                let goes = Goes::Anywhere(BTreeSet::from([row.id]));
                Some(Act { what: format!("delete the collection {:?}", row.name), named, goes })
            }
            "emergency-stop" if self.path.starts_with("/updates/") && self.path.ends_with("/stop") => {
                let update = self.parts().into_iter().nth(1).unwrap_or_default();
                named.update(tx, &update)?;
                Some(Act::always(format!("stop {} everywhere", update_words(tx, &update)?), named))
            }
            "emergency-stop" => self.declines(tx)?,
            "remove-site" => {
                for site in tx.sites_list()?.into_iter().filter(|site| is_named(&last, site.node.id, &site.node.name)) {
                    let label = format!("the site {:?}", site.node.name);
                    named.note("site".to_owned(), label, site.node.id, &site.node.name, &Value::Null);
                }
                Some(Act::always(format!("remove the site {last:?}"), named))
            }
            "source" if self.path == "/parent" => {
                let state = json!([tx.sites_here()?.site, Current::read(tx)?.text(SOURCE)]);
                named.note("parent".to_owned(), "the server above".to_owned(), "", "", &state);
                Some(Act::always("leave the server above".to_owned(), named))
            }
            "source" | ITSELF => Some(self.setting(tx, &last)?),
            _ if self.path.starts_with("/settings/") => Some(Act { goes: Goes::Asking, ..self.setting(tx, &last)? }),
            _ => self.deploys(tx)?,
        })
    }

    /// A change of a setting, with the value that it has.
    fn setting(&self, tx: &ReadTx<'_>, key: &str) -> Result<Act, AdminError> {
        let mut named = Things::default();
        let stored = tx.setting_list()?.into_iter().find(|row| row.key == key).map(|row| row.value);
        named.note("setting".to_owned(), format!("the setting {key}"), key, key, &json!(stored));
        let value = self.body.get("value").unwrap_or(&Value::Null);
        Ok(Act::always(format!("set {key} to {value}"), named))
    }

    /// Whom an act reaches.
    pub(super) fn look(act: Act, tx: &ReadTx<'_>, live: &Live) -> Result<Look, AdminError> {
        let tree = Tree::read(tx)?;
        let most = usize::try_from(Current::read(tx)?.number(APPROVAL_COMPUTERS)).unwrap_or(usize::MAX);
        let held = |targets: &BTreeSet<CollectionId>| -> Result<BTreeSet<u32>, StoreError> {
            if targets.is_empty() {
                return Ok(BTreeSet::new());
            }
            let view = live.compliance(tx)?;
            let members = view.members(None, &|set| targets.iter().any(|target| tree.holds_any(*target, set)));
            Ok(view.numbers(&members).into_iter().collect())
        };
        let mut what = act.what;
        let (targets, computers, waits, counts) = match act.goes {
            Goes::Anywhere(targets) => {
                let computers = held(&targets)?;
                (targets, computers, true, false)
            }
            Goes::Declined(targets) => {
                let computers = held(&targets)?;
                (targets, computers, true, true)
            }
            Goes::To(targets) => {
                let computers = held(&targets)?;
                let many = computers.len() > most || targets.contains(&CollectionId::ALL_COMPUTERS);
                let waits = many && !targets.is_empty();
                (targets, computers, waits, true)
            }
            Goes::Where(moves) => {
                let found = coming(tx, live, &tree, &Deploying::read(tx)?, &moves)?;
                let come: BTreeSet<u32> = found.values().flatten().copied().collect();
                let targets: BTreeSet<CollectionId> = found.into_keys().collect();
                let mut computers = held(&targets)?;
                computers.extend(&come);
                let waits = !come.is_empty() && computers.len() > most;
                what = format!("{what}, by which {} computers come to what is deployed", come.len());
                (targets, computers, waits, true)
            }
            Goes::Asking => {
                let mut deployed = false;
                let deploying = Deploying::read(tx)?;
                for row in &tree.rows {
                    deployed = deployed || deploying.goes_to(tx, row.id)?;
                }
                let computers = if deployed { asking(tx)? } else { BTreeSet::new() };
                let waits = computers.len() > most;
                what = format!("{what}, which moves {} computers that ask for collections", computers.len());
                (BTreeSet::new(), computers, waits, false)
            }
        };
        let mut seen = Seen { named: act.named, reached: Things::default() };
        for id in &targets {
            seen.reached.reached(*id, &tree.name(*id));
        }
        Ok(Look { seen, computers, waits, what, targets, counts })
    }
}

/// A body as the route reads it; none if it is wrong, which the route says.
pub(super) fn read<T: DeserializeOwned>(body: &Value) -> Option<T> {
    serde_json::from_value(body.clone()).ok()
}

/// Computers that ask for a collection.
fn asking(tx: &ReadTx<'_>) -> Result<BTreeSet<u32>, StoreError> {
    const PAGE: u32 = 2_000;
    let (mut found, mut after) = (BTreeSet::new(), 0);
    loop {
        let rows = tx.membership_page(after, PAGE, false)?;
        let Some(last) = rows.last() else { return Ok(found) };
        after = last.computer.no;
        let asks = |names: &str| names.split(';').any(|part| !part.trim().is_empty());
        let asking = rows.iter().filter(|row| row.computer.requested_groups.as_deref().is_some_and(asks));
        found.extend(asking.map(|row| row.computer.no));
    }
}

/// The kind of act that a change of a setting is.
pub(super) fn of_setting(key: &str) -> Option<&'static str> {
    match key {
        // a request that waits is shown to all who see settings, so none waits that holds a secret; without another address the
        // password goes where it went before
        PROXY_PASSWORD => None,
        SOURCE | SYNC_CA_FILE | SYNC_MICROSOFT_URL | SYNC_REPLICA => Some("source"),
        // computers come to the collections that they ask for, or leave them
        TARGETING => Some("deploy"),
        key if key.starts_with("proxy.") => Some("source"),
        key if key.starts_with("approval.") => Some(ITSELF),
        _ => None,
    }
}

/// The collections that a request names, wherever it does, each noted. One that is not there is refused, as by who does it.
pub(super) fn collections(
    tx: &ReadTx<'_>,
    value: &Value,
    tree: &Tree,
    named: &mut Things,
    found: &mut BTreeSet<CollectionId>,
) -> Result<(), AdminError> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| collections(tx, item, tree, named, found)),
        Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str().filter(|_| key == "collection") {
                    Some(said) => {
                        let row = tree.find(said)?;
                        named.collection(tx, said, row)?;
                        found.insert(row.id);
                    }
                    None => collections(tx, value, tree, named, found)?,
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::setting::APPROVAL_REQUIRED;

    #[test]
    fn settings_that_say_where_updates_come_from_wait_and_secrets_do_not() {
        for key in ["source", "sync.microsoft_url", "sync.ca_file", "sync.replica", "proxy.url", "proxy.sync"] {
            assert_eq!(of_setting(key), Some("source"), "{key}");
        }
        assert_eq!(of_setting(APPROVAL_REQUIRED), Some(ITSELF));
        assert_eq!(of_setting(APPROVAL_COMPUTERS), Some(ITSELF));
        assert_eq!(of_setting("targeting"), Some("deploy"));
        assert_eq!(of_setting(PROXY_PASSWORD), None);
        assert_eq!(of_setting("site.time_zone"), None);
    }
}
