//! Lists of update groups: narrowed, put into an order, with how computers stand with each.

use std::{cmp::Ordering, collections::HashSet};

use weir_api::{
    compliance::Summary,
    update_group::{ListedUpdateGroup, UpdateGroupList, UpdateGroupQuery},
};
use weir_model::{
    ids::{CollectionId, UpdateId},
    rights::Scope,
};
use weir_store::{ReadTx, StoreError, update_group::UpdateGroupRow};

use super::{
    AdminError, App,
    collection::Tree,
    computer_search, group, list,
    look::{Look, Stands},
    rollup, servers,
    tally::{Stood, Who},
};
use crate::live::Live;

/// Groups of a page whose compliance is counted.
const COUNTED: u32 = 200;

/// By what groups are sorted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Sort {
    Created,
    Deployments,
    Members,
    Name,
}

impl Sort {
    /// Every order with its name, and whether it descends by default.
    const ALL: [(&'static str, Self, bool); 4] = [
        ("created", Self::Created, true),
        ("deployments", Self::Deployments, true),
        ("members", Self::Members, true),
        ("name", Self::Name, false),
    ];

    /// True is descending.
    fn parse(text: &str) -> Result<(Self, bool), AdminError> {
        list::order("update groups", text, &Self::ALL)
    }

    /// Groups of one value stay in the order of names that they come in.
    fn compare(self, a: &UpdateGroupRow, b: &UpdateGroupRow) -> Ordering {
        match self {
            Self::Created => a.created_at.cmp(&b.created_at),
            Self::Deployments => a.deployments.cmp(&b.deployments),
            Self::Members => a.members.cmp(&b.members),
            Self::Name => weir_model::name::key(&a.name).cmp(&weir_model::name::key(&b.name)),
        }
    }
}

fn sort(rows: &mut [UpdateGroupRow], (by, descending): (Sort, bool)) {
    rows.sort_by(|a, b| if descending { by.compare(b, a) } else { by.compare(a, b) });
}

/// A page of groups, by name unless asked otherwise.
pub(crate) async fn list(app: &App, scope: Scope, query: UpdateGroupQuery) -> Result<UpdateGroupList, AdminError> {
    let limit = list::limit(query.limit)?;
    let limit = if query.compliance { limit.min(COUNTED) } else { limit };
    let order = query.sort.as_deref().map(Sort::parse).transpose()?;
    let text = query.text.as_deref().map(computer_search::checked).transpose()?.map(str::to_lowercase);
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let mut rows = tx.update_group_list()?;
        let tree = Tree::within(tx, &scope)?;
        if tree.is_limited() {
            for row in &mut rows {
                row.deployments = group::deployments(tx, &tree, row.id)?.len() as u64;
            }
        }
        rows.retain(|row| {
            let has =
                |text: &String| row.name.to_lowercase().contains(text) || row.description.to_lowercase().contains(text);
            text.as_ref().is_none_or(has) && query.deployed.is_none_or(|wanted| wanted == (row.deployments > 0))
        });
        if let Some(order) = order {
            sort(&mut rows, order);
        }
        let total = rows.len() as u64;
        let page = list::page(rows, |row| row.id.to_string(), query.cursor.as_deref(), limit)?;
        let who = Who::of(&tree, CollectionId::ALL_COMPUTERS, rollup::narrowed(tx, query.server.as_deref())?);
        let mut members: Vec<Option<HashSet<UpdateId>>> = Vec::with_capacity(page.items.len());
        for row in &page.items {
            let listed = if query.compliance && row.members > 0 { tx.update_group_show(row.id)? } else { None };
            members.push(listed.map(|(_, members)| members.into_iter().collect()));
        }
        let compliance = if query.compliance { counted(tx, &live, &who, &members)? } else { Vec::new() };
        let mut compliance = compliance.into_iter();
        let mut items = Vec::with_capacity(page.items.len());
        for (row, members) in page.items.into_iter().zip(members) {
            let compliance = members.and_then(|_| compliance.next());
            items.push(ListedUpdateGroup { group: group::shown(tx, &tree, row)?, compliance });
        }
        Ok(UpdateGroupList { items, total, next: page.next })
    })
    .await
}

/// How computers stand with each group that is counted, in one look at the index.
fn counted(
    tx: &ReadTx<'_>,
    live: &Live,
    who: &Who<'_>,
    groups: &[Option<HashSet<UpdateId>>],
) -> Result<Vec<Summary>, StoreError> {
    let (stands, as_of, sites) = {
        let look = Look::new(tx, live)?;
        let members = look.members(who);
        let questions: Vec<Option<&HashSet<UpdateId>>> = groups.iter().flatten().map(Some).collect();
        let sheets = look.sheets(&questions);
        let stands: Vec<Stands> = sheets.iter().map(|sheet| look.stands(sheet, &members)).collect();
        (stands, look.as_of(), look.sites(&members))
    };
    let rolled_up = servers::oldest(tx, &sites)?;
    Ok(stands.iter().map(|stands| Stood::states(stands, false, as_of, rolled_up).summary()).collect())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn row(name: &str, members: u64, deployments: u64) -> UpdateGroupRow {
        UpdateGroupRow {
            id: Uuid::from_u128(u128::from(members)),
            name: name.to_owned(),
            description: String::new(),
            members,
            deployments,
            created_at: Timestamp::UNIX_EPOCH,
            created_by: String::new(),
        }
    }

    #[test]
    fn groups_are_sorted_with_a_stable_end() {
        let sorted = |text: &str| {
            let mut rows = vec![row("alpha", 3, 1), row("Beta", 9, 0), row("gamma", 3, 2)];
            sort(&mut rows, Sort::parse(text).expect("known"));
            rows.into_iter().map(|row| row.name).collect::<Vec<_>>()
        };
        assert_eq!(sorted("members"), ["Beta", "alpha", "gamma"]);
        assert_eq!(sorted("members:asc"), ["alpha", "gamma", "Beta"]);
        assert_eq!(sorted("deployments"), ["gamma", "alpha", "Beta"]);
        assert_eq!(sorted("name:desc"), ["gamma", "Beta", "alpha"]);
        assert_eq!(sorted("created"), ["alpha", "Beta", "gamma"]);
        assert!(Sort::parse("colour").is_err() && Sort::parse("name:up").is_err());
    }
}
