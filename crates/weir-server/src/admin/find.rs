//! One box for everything: the best of each kind for a text.
//!
//! Updates come from the index of updates, computers from what is kept of their names; both are in memory. Collections, groups
//! and deployments are few.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;
use weir_api::{
    Reference,
    find::{FindQuery, Found, FoundComputer, FoundDeployment, FoundUpdate},
};
use weir_model::{
    expression::{Expression, UpdateExpression},
    ids::UpdateId,
    rights::Scope,
    search::{Counts, Query, fold, words},
};
use weir_store::{
    ReadTx, StoreError,
    deployment::{DeploymentFilter, DeploymentRow, Rows},
};

use super::{
    AdminError, App, blocking,
    collection::Tree,
    computer_roster::Roster,
    computer_search::checked,
    index::{Index, kind},
    list,
};
use crate::live::Live;

/// Entries of each kind unless asked otherwise.
const DEFAULT: u32 = 10;
/// At most.
const MOST: u32 = 50;
/// Deployments of a page while they are looked through.
const PAGE: u32 = 1_000;

/// Looks for a text everywhere.
pub(crate) async fn find(app: &App, scope: Scope, query: FindQuery) -> Result<Found, AdminError> {
    let most = match query.limit {
        None => DEFAULT,
        Some(limit @ 1..=MOST) => limit,
        Some(limit) => return Err(AdminError::invalid("limit", format!("limit is {limit}; it must be 1 to {MOST}"))),
    } as usize;
    let text = checked(&query.q)?.to_owned();
    let (index, roster) = (Index::current(app).await?, Roster::current(app).await?);
    let sought = text.clone();
    let within = scope.clone();
    let live = app.state.live.clone();
    let seen = app.read(move |tx| seen(tx, &live, &within)).await?;
    let mut found = blocking(move || Ok(in_memory(&index, &roster, &sought, most, seen.as_deref()))).await?;
    app.read(move |tx| {
        few(tx, &scope, &text, most, &mut found)?;
        Ok(found)
    })
    .await
}

/// The computers that a principal sees, ascending by number; none is all of them.
fn seen(tx: &ReadTx<'_>, live: &Live, scope: &Scope) -> Result<Option<Vec<u32>>, StoreError> {
    if !scope.is_limited() {
        return Ok(None);
    }
    let tree = Tree::within(tx, scope)?;
    let view = live.compliance(tx)?;
    Ok(Some(view.numbers(&view.members(None, &|groups| tree.sees_any(groups)))))
}

fn in_memory(index: &Arc<Index>, roster: &Roster, text: &str, most: usize, seen: Option<&[u32]>) -> Found {
    let (updates, updates_total) = updates(index, text, most);
    let (computers, computers_total) =
        roster.best(text, most, &|no| seen.is_none_or(|seen| seen.binary_search(&no).is_ok()));
    let shown = computers.into_iter().map(|listed| FoundComputer {
        id: listed.row.id.clone(),
        name: listed.row.dns_name.clone(),
        address: listed.row.ip_address.clone(),
        last_contact: listed.row.last_contact_at,
    });
    Found { updates, updates_total, computers: shown.collect(), computers_total, ..Found::default() }
}

fn updates(index: &Index, text: &str, most: usize) -> (Vec<FoundUpdate>, u64) {
    // a vulnerability is no word of a title
    let by_cve: Option<UpdateExpression> =
        is_cve(text).then(|| Expression::parse(&format!("cve = {text:?}")).ok()).flatten();
    // nothing but punctuation is found nowhere
    if by_cve.is_none() && words(&fold(text)).next().is_none() {
        return (Vec::new(), 0);
    }
    let query = Query {
        text: if by_cve.is_some() { None } else { Some(text) },
        expression: by_cve.as_ref(),
        sort: None,
        descending: None,
        after: None,
        limit: most,
        facets: None,
    };
    // without an order by status nobody is asked for it
    let none = |_: UpdateId| Counts::default();
    let Ok(results) = index.search.search(&query, Timestamp::now(), &none) else { return (Vec::new(), 0) };
    let rows = results.rows.iter().filter_map(|slot| index.search.entry(*slot)).map(|entry| FoundUpdate {
        id: entry.identity.update_id.0,
        title: list::short(&entry.title),
        kind: kind(entry.update_type),
        kb: entry.kb_articles.clone(),
        created_at: entry.created_at,
    });
    (rows.collect(), results.updates)
}

/// Whether a text is the name of a vulnerability.
fn is_cve(text: &str) -> bool {
    let mut parts = text.split('-');
    let is_number =
        |part: Option<&str>| part.is_some_and(|part| part.len() >= 4 && part.bytes().all(|b| b.is_ascii_digit()));
    parts.next().is_some_and(|first| first.eq_ignore_ascii_case("cve"))
        && is_number(parts.next())
        && is_number(parts.next())
        && parts.next().is_none()
}

/// Collections, groups and deployments.
fn few(tx: &ReadTx<'_>, scope: &Scope, text: &str, most: usize, found: &mut Found) -> Result<(), StoreError> {
    let sought = text.to_lowercase();
    let id = text.parse::<Uuid>().ok();
    let fits = |name: &str, own: Uuid| name.to_lowercase().contains(&sought) || id == Some(own);
    let tree = Tree::within(tx, scope)?;
    for row in tree.rows.iter().filter(|row| tree.sees(row.id) && fits(&row.name, row.id.0)) {
        found.collections_total += 1;
        if found.collections.len() < most {
            found.collections.push(tree.reference(row.id));
        }
    }
    for row in tx.update_group_list()?.into_iter().filter(|row| fits(&row.name, row.id)) {
        found.groups_total += 1;
        if found.groups.len() < most {
            found.groups.push(Reference { id: row.id, name: row.name });
        }
    }
    let number = text.parse::<i32>().ok();
    let filter = DeploymentFilter { rows: Rows::People, ..DeploymentFilter::default() };
    let (mut cursor, mut deployments) = (None, Vec::new());
    loop {
        let page = tx.deployment_list(&filter, cursor.as_deref(), PAGE)?;
        deployments.extend(page.items.into_iter().filter(|row| tree.sees(row.collection)).filter(|row| {
            fits(&row.title, row.guid)
                || row.terms.name.as_deref().is_some_and(|name| fits(name, row.guid))
                || number == Some(row.id.0)
        }));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    found.deployments_total = deployments.len() as u64;
    found.deployments = deployments.into_iter().rev().take(most).map(|row| deployment(&tree, row)).collect();
    Ok(())
}

fn deployment(tree: &Tree, row: DeploymentRow) -> FoundDeployment {
    FoundDeployment {
        id: row.id.0,
        title: list::short(&row.title),
        name: row.terms.name.as_deref().map(list::short),
        collection: tree.reference(row.collection),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vulnerabilities_are_recognised() {
        for text in ["CVE-2026-1234", "cve-2021-44228"] {
            assert!(is_cve(text), "{text}");
        }
        for text in ["CVE", "CVE-2026", "CVE-26-1", "CVE-2026-12x4", "KB5034123", "CVE-2026-1234-5"] {
            assert!(!is_cve(text), "{text}");
        }
    }
}
