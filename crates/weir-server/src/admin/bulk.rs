//! Changes of many things: some at a time in one transaction, each with what became of it.
//!
//! *Invariant:* what is done with one thing refuses before it writes, so that a refusal leaves nothing behind in the transaction
//! of the others. A preview does the same and takes it back.

use std::{collections::HashSet, fmt::Display, hash::Hash};

use jiff::Timestamp;
use serde_json::json;
use weir_api::{
    bulk::{
        AlertsAction, AlertsChange, Changed, ChangedItem, ComputerSelection, ComputersAction, ComputersChange,
        DeploymentsAction, DeploymentsChange, ItemResult,
    },
    computer::ComputerQuery,
};
use weir_model::{ids::ComputerId, rights::Scope, targeting::CollectionKind};
use weir_store::{
    Actor, StoreError, WriteTx,
    collection::{CollectionRow, MemberSource},
    computer::THIS_SERVER,
};

use super::{
    AdminError, App, Caller,
    alert::{self, Act},
    app::blocking,
    collection::{self, Tree},
    computer,
    computer_search::{self, Beside, Purpose},
    deployment,
};
use crate::sites;

/// Things that one request may name.
const MOST: usize = 10_000;
/// Things changed in one transaction: other writers wait no longer than for these.
const AT_ONCE: usize = 200;

/// Why a transaction was taken back.
enum Undone {
    Failed(AdminError),
    Preview(Vec<ChangedItem>),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// What becomes of one thing: true if it is other than before.
trait Deed<T>: Fn(&WriteTx<'_>, &T) -> Result<bool, AdminError> + Clone + Send + 'static {}

impl<T, F: Fn(&WriteTx<'_>, &T) -> Result<bool, AdminError> + Clone + Send + 'static> Deed<T> for F {}

/// Changes things, or says what would become of them. The caller publishes if something changed.
async fn each<T: Display + Clone + Send + 'static>(
    app: &App,
    caller: &Caller,
    things: &[T],
    preview: bool,
    deed: impl Deed<T>,
) -> Result<Changed, AdminError> {
    let mut changed = Changed { matched: things.len() as u64, preview, ..Changed::default() };
    for chunk in things.chunks(AT_ONCE) {
        let (some, deed) = (chunk.to_vec(), deed.clone());
        let items = if preview {
            let (store, actor) = (app.state.store.clone(), actor(caller));
            blocking(move || {
                match store.try_write(&actor, |tx| Err::<(), _>(Undone::Preview(of_each(tx, &some, &deed)?))) {
                    Ok(()) => Ok(Vec::new()),
                    Err(Undone::Preview(items)) => Ok(items),
                    Err(Undone::Failed(error)) => Err(error),
                }
            })
            .await
        } else {
            app.write(caller, move |tx| of_each(tx, &some, &deed)).await
        };
        // nothing of these was done; those before are
        let items = items.unwrap_or_else(|error| chunk.iter().map(|thing| failed(thing, &error)).collect());
        changed.items.extend(items);
    }
    for item in &changed.items {
        *match item.result {
            ItemResult::Changed => &mut changed.changed,
            ItemResult::Failed => &mut changed.failed,
            ItemResult::Unchanged => &mut changed.unchanged,
        } += 1;
    }
    Ok(changed)
}

fn actor(caller: &Caller) -> Actor {
    Actor::principal(&caller.name, caller.from.as_deref(), Timestamp::now())
}

impl From<AdminError> for Undone {
    fn from(error: AdminError) -> Self {
        Self::Failed(error)
    }
}

fn of_each<T: Display>(tx: &WriteTx<'_>, things: &[T], deed: &impl Deed<T>) -> Result<Vec<ChangedItem>, AdminError> {
    let mut items = Vec::with_capacity(things.len());
    for thing in things {
        let result = match deed(tx, thing) {
            Ok(true) => ItemResult::Changed,
            Ok(false) => ItemResult::Unchanged,
            // the database's own troubles concern all of them, and so does what is ours
            Err(error) if error.problem().status >= 500 => return Err(error),
            Err(error) => {
                items.push(failed(thing, &error));
                continue;
            }
        };
        items.push(ChangedItem { id: thing.to_string(), result, code: None, detail: None });
    }
    Ok(items)
}

/// What became of one thing that was refused.
pub(super) fn failed(thing: &impl Display, error: &AdminError) -> ChangedItem {
    let problem = error.problem();
    ChangedItem {
        id: thing.to_string(),
        result: ItemResult::Failed,
        code: Some(problem.code),
        detail: Some(problem.detail),
    }
}

/// What is named, each once, in the order in which it was named.
pub(super) fn distinct<T: Clone + Eq + Hash>(named: &[T]) -> Result<Vec<T>, AdminError> {
    if !(1..=MOST).contains(&named.len()) {
        return Err(AdminError::invalid("ids", format!("{} ids are given; give 1 to {MOST}", named.len())));
    }
    let mut seen = HashSet::new();
    Ok(named.iter().filter(|one| seen.insert(*one)).cloned().collect())
}

/// Changes computers.
pub(crate) async fn computers(app: &App, caller: &Caller, asked: ComputersChange) -> Result<Changed, AdminError> {
    let needs_collection = asked.action != ComputersAction::Delete;
    if needs_collection != asked.collection.is_some() {
        let rule = if needs_collection { "this action needs a collection" } else { "this action takes no collection" };
        return Err(AdminError::invalid("collection", rule));
    }
    let scope = caller.scope().clone();
    let ids = chosen(app, &scope, &asked).await?;
    let changed = match asked.action {
        ComputersAction::Delete => {
            let deed = move |tx: &WriteTx<'_>, id: &String| -> Result<bool, AdminError> {
                let id = computer::parse(id)?;
                let row = tx.computer_find(&id)?.ok_or_else(|| computer::missing(&id))?;
                Tree::within(tx, &scope)?.check_computer(&id, &tx.computer_collections(row.no)?)?;
                computer::delete_in(tx, &row)?;
                Ok(true)
            };
            each(app, caller, &ids, asked.preview, deed).await?
        }
        ComputersAction::AddTo | ComputersAction::RemoveFrom => {
            let add = asked.action == ComputersAction::AddTo;
            let name = asked.collection.unwrap_or_default();
            let within = scope.clone();
            let collection = app.try_read(move |tx| own_collection(&Tree::within(tx, &within)?, &name)).await?;
            let deed = move |tx: &WriteTx<'_>, id: &String| -> Result<bool, AdminError> {
                place(tx, &scope, &collection, &computer::parse(id)?, add)
            };
            each(app, caller, &ids, asked.preview, deed).await?
        }
    };
    if changed.changed > 0 && !asked.preview {
        collection::settle(app).await?;
    }
    Ok(changed)
}

/// The ids of computers as they are named, or those that a filter holds for.
pub(super) async fn chosen(app: &App, scope: &Scope, asked: &ComputersChange) -> Result<Vec<String>, AdminError> {
    let Some(filter) = asked.filter.clone() else { return distinct(&asked.ids) };
    if !asked.ids.is_empty() {
        return Err(AdminError::invalid("ids", "name computers by ids or by a filter, not by both"));
    }
    let ComputerSelection { collection, server, freshness, silent_days, text, filter, state } = filter;
    let query =
        ComputerQuery { collection, server, freshness, silent_days, text, filter, state, ..ComputerQuery::default() };
    let beside = Beside::read(app, scope, &query, false).await?;
    let (live, scope) = (app.state.live.clone(), scope.clone());
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let computers = computer_search::chosen(tx, &live, &tree, &query, &beside, Purpose::Act)?.computers;
        if computers.len() > MOST {
            return Err(AdminError::Invalid {
                code: "filter",
                detail: format!("the filter holds for {} computers; {MOST} are changed at most", computers.len()),
                next_step: Some("narrow it, for example to a collection at a time".to_owned()),
            });
        }
        let mut ids = Vec::with_capacity(computers.len());
        for no in computers {
            ids.extend(tx.computer_show(no)?.map(|row| row.id.to_string()));
        }
        Ok(ids)
    })
    .await
}

/// A collection that takes computers.
fn own_collection(tree: &Tree, name: &str) -> Result<CollectionRow, AdminError> {
    let row = tree.find(name)?;
    if row.built_in {
        return Err(AdminError::Conflict {
            code: "built_in",
            detail: format!("the members of {} follow from the other collections", row.name),
            next_step: Some("name a collection of your own".to_owned()),
        });
    }
    tree.check_target(row.id)?;
    Ok(row.clone())
}

/// Puts a computer into a collection, or takes it out.
fn place(tx: &WriteTx<'_>, scope: &Scope, row: &CollectionRow, id: &ComputerId, add: bool) -> Result<bool, AdminError> {
    let computer = tx.computer_find(id)?.ok_or_else(|| computer::missing(id))?;
    Tree::within(tx, scope)?.check_computer(id, &tx.computer_collections(computer.no)?)?;
    if add && row.kind == CollectionKind::Rule && computer.site != THIS_SERVER {
        return Err(AdminError::Conflict {
            code: "other_server",
            detail: format!("computer {id} scans at another server, which decides where it is"),
            next_step: Some("put it into the collection there".to_owned()),
        });
    }
    if tx.collection_show(row.id)?.is_none() {
        return Err(AdminError::missing("collection", &row.name, "weir collections list"));
    }
    let changed = if add {
        tx.collection_add(row.id, computer.no, MemberSource::Manual)?
    } else {
        tx.collection_remove(row.id, computer.no, MemberSource::Manual)?
    };
    if changed {
        let action = if add { "collection.add" } else { "collection.remove" };
        tx.audit(action, &row.id.to_string(), None, Some(&json!({ "computers": [id.to_string()] })))?;
    }
    Ok(changed)
}

/// Changes deployments.
pub(crate) async fn deployments(app: &App, caller: &Caller, asked: DeploymentsChange) -> Result<Changed, AdminError> {
    let ids = distinct(&asked.ids)?;
    app.try_read(|tx| sites::refuse_below(tx, "Deployments")).await?;
    let (action, scope) = (asked.action, caller.scope().clone());
    let deed = move |tx: &WriteTx<'_>, id: &i32| -> Result<bool, AdminError> {
        sites::refuse_below(tx, "Deployments")?;
        let row = deployment::own(tx, &scope, *id)?;
        match action {
            DeploymentsAction::Delete => deployment::delete_in(tx, &row).map(|()| true),
            DeploymentsAction::Disable => deployment::enable_in(tx, &row, false),
            DeploymentsAction::Enable => deployment::enable_in(tx, &row, true),
        }
    };
    let changed = each(app, caller, &ids, asked.preview, deed).await?;
    if changed.changed > 0 && !asked.preview {
        app.publish().await?;
        app.shared().wanted.notify_one();
    }
    Ok(changed)
}

/// Changes alerts.
pub(crate) async fn alerts(app: &App, caller: &Caller, asked: AlertsChange) -> Result<Changed, AdminError> {
    let ids = distinct(&asked.ids)?;
    let note = alert::note(asked.note)?;
    let act = match (asked.action, asked.until.as_deref()) {
        (AlertsAction::Mute, Some(until)) => Act::Mute(alert::until(until)?),
        (AlertsAction::Mute, None) => return Err(AdminError::invalid("until", "say until when they are muted")),
        (_, Some(_)) => return Err(AdminError::invalid("until", "only muting takes until")),
        (AlertsAction::Acknowledge, None) => Act::Acknowledge,
        (AlertsAction::Close, None) => Act::Close,
        (AlertsAction::Unmute, None) => Act::Unmute,
    };
    let deed = move |tx: &WriteTx<'_>, id: &i64| alert::act_in(tx, *id, act, note.as_deref());
    each(app, caller, &ids, asked.preview, deed).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_named_once_and_not_too_many() {
        assert_eq!(distinct(&[3, 1, 3, 2]).expect("some"), [3, 1, 2]);
        assert!(distinct::<i32>(&[]).is_err());
        assert!(distinct(&vec![1; MOST + 1]).is_err());
    }

    #[test]
    fn a_refusal_is_of_one_thing() {
        let item = failed(&7, &AdminError::missing("alert", 7, "weir alerts list"));
        assert_eq!((item.id.as_str(), item.result, item.code.as_deref()), ("7", ItemResult::Failed, Some("not_found")));
        assert_eq!(item.detail.as_deref(), Some("there is no alert 7"));
    }
}
