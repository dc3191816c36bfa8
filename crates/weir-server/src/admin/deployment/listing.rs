//! Lists of deployments: narrowed, ordered and counted from memory; only the rows of a page are read.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use uuid::Uuid;
use weir_api::{
    Reference,
    deployment::{DeploymentList, DeploymentQuery, DeploymentStage, ListedDeployment, StageCounts},
};
use weir_model::{
    ids::{CollectionId, DeploymentId, UpdateId},
    rights::Scope,
    targeting::{DeploymentAction, DeploymentOrigin},
};
use weir_store::ReadTx;

use super::{
    Describer, model_action,
    roster::{Listed, Roster},
};
use crate::admin::{
    AdminError, App, collection::Tree, computer_search, deployment_compliance::Around, group, index::Index,
    list as lists, when,
};

/// Rows of a page whose compliance is counted.
const COUNTED: u32 = 200;
/// Collections that are named.
const COLLECTIONS: usize = 20;

/// By what deployments are sorted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Sort {
    Action,
    Available,
    Collection,
    Created,
    Deadline,
    Id,
    Name,
    Stage,
}

impl Sort {
    /// Every order with its name, and whether it descends by default.
    const ALL: [(&'static str, Self, bool); 8] = [
        ("action", Self::Action, false),
        ("available", Self::Available, true),
        ("collection", Self::Collection, false),
        ("created", Self::Created, true),
        ("deadline", Self::Deadline, true),
        ("id", Self::Id, false),
        ("name", Self::Name, false),
        ("stage", Self::Stage, false),
    ];

    /// True is descending.
    fn parse(text: &str) -> Result<(Self, bool), AdminError> {
        lists::order("deployments", text, &Self::ALL)
    }

    /// What stands for a deployment in this order; those without a deadline are apart.
    fn key(self, listed: &Listed, stage: DeploymentStage) -> Key {
        let row = &listed.row;
        match self {
            Self::Action => Key::Text(format!("{:?}", row.action)),
            Self::Available => Key::Time(row.available_at),
            Self::Collection => Key::Text(row.collection_name.to_lowercase()),
            Self::Created => Key::Time(row.created_at),
            Self::Deadline => row.deadline_at.map_or(Key::Nothing, Key::Time),
            Self::Id => Key::Nothing,
            Self::Name => Key::Text(listed.called().to_lowercase()),
            Self::Stage => Key::Stage(stage),
        }
    }
}

/// A value that deployments are sorted by; all of one list are of one kind, but for those that have none.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Key {
    Text(String),
    Time(Timestamp),
    Stage(DeploymentStage),
    Nothing,
}

/// Puts deployments into an order with a stable end: by number, the way that was asked for where that decides. What has no value
/// comes last.
fn sort(rows: &mut [(&Listed, DeploymentStage)], (by, descending): (Sort, bool)) {
    rows.sort_by_cached_key(|(listed, stage)| (by.key(listed, *stage), listed.row.id));
    if descending {
        let valued = rows.partition_point(|(listed, _)| by != Sort::Deadline || listed.row.deadline_at.is_some());
        if let Some(valued) = rows.get_mut(..valued) {
            valued.reverse();
        }
    }
}

/// What a list is narrowed to, its stage aside.
struct Filter {
    collection: Option<CollectionId>,
    group: Option<Uuid>,
    /// Those of an update.
    ids: Option<BTreeSet<DeploymentId>>,
    action: Option<DeploymentAction>,
    enabled: Option<bool>,
    origin: Option<DeploymentOrigin>,
    text: Option<String>,
    before: Option<Timestamp>,
    after: Option<Timestamp>,
}

impl Filter {
    fn read(tx: &ReadTx<'_>, tree: &Tree, query: &DeploymentQuery, now: Timestamp) -> Result<Self, AdminError> {
        let time = |field, text: &Option<String>| text.as_deref().map(|text| when::parse(field, text, now)).transpose();
        let text = query.text.as_deref().map(computer_search::checked).transpose()?;
        Ok(Self {
            collection: query.collection.as_deref().map(|name| tree.find(name).map(|row| row.id)).transpose()?,
            group: query.group.as_deref().map(|name| group::find(tx, name).map(|row| row.id)).transpose()?,
            ids: query.update.map(|update| tx.deployments_of_update(UpdateId(update))).transpose()?,
            action: query.action.map(model_action),
            enabled: query.enabled,
            origin: query.origin.as_deref().map(origin).transpose()?,
            text: text.map(str::to_lowercase),
            before: time("deadline_before", &query.deadline_before)?,
            after: time("deadline_after", &query.deadline_after)?,
        })
    }

    fn lets(&self, listed: &Listed) -> bool {
        let row = &listed.row;
        self.collection.is_none_or(|wanted| wanted == row.collection)
            && self.group.is_none_or(|wanted| row.group == Some(wanted))
            && self.ids.as_ref().is_none_or(|ids| ids.contains(&row.id))
            && self.action.is_none_or(|wanted| wanted == row.action)
            && self.enabled.is_none_or(|wanted| wanted == row.enabled)
            && self.origin.is_none_or(|wanted| wanted == row.origin)
            && self.text.as_ref().is_none_or(|text| listed.has(text))
            && self.before.is_none_or(|before| row.deadline_at.is_some_and(|at| at < before))
            && self.after.is_none_or(|after| row.deadline_at.is_some_and(|at| at >= after))
    }
}

fn origin(word: &str) -> Result<DeploymentOrigin, AdminError> {
    match word.trim() {
        "local" => Ok(DeploymentOrigin::Local),
        "parent" => Ok(DeploymentOrigin::Parent),
        "rule" => Ok(DeploymentOrigin::Rule),
        other => Err(AdminError::invalid("origin", format!("{other:?} is no origin; it is local, parent or rule"))),
    }
}

fn counted(rows: &[(&Listed, DeploymentStage)]) -> StageCounts {
    let mut counts = StageCounts::default();
    for (_, stage) in rows {
        *match stage {
            DeploymentStage::Active => &mut counts.active,
            DeploymentStage::Waiting => &mut counts.waiting,
            DeploymentStage::Expired => &mut counts.expired,
            DeploymentStage::Disabled => &mut counts.disabled,
            DeploymentStage::NotSent => &mut counts.not_sent,
        } += 1;
    }
    counts
}

/// Where deployments go, the collection that got something first before others.
fn collections(rows: &[(&Listed, DeploymentStage)]) -> Vec<Reference> {
    let mut first: HashMap<CollectionId, (Timestamp, DeploymentId, &str)> = HashMap::new();
    for (listed, _) in rows {
        let row = &listed.row;
        let this = (row.available_at, row.id, row.collection_name.as_str());
        first.entry(row.collection).and_modify(|known| *known = this.min(*known)).or_insert(this);
    }
    let mut first: Vec<_> = first.into_iter().collect();
    first.sort_unstable_by_key(|(_, when)| *when);
    let named = first.into_iter().take(COLLECTIONS);
    named.map(|(id, (.., name))| Reference { id: id.0, name: name.to_owned() }).collect()
}

/// A page of deployments, by number unless asked otherwise; those of groups as one.
pub(crate) async fn list(app: &App, scope: Scope, query: DeploymentQuery) -> Result<DeploymentList, AdminError> {
    let limit = lists::limit(query.limit)?;
    let limit = if query.compliance { limit.min(COUNTED) } else { limit };
    let order = query.sort.as_deref().map(Sort::parse).transpose()?.unwrap_or((Sort::Id, false));
    let roster = Roster::current(app).await?;
    // removals of groups are looked at computer by computer, which takes what is known of updates
    let index = if query.compliance { Some(Index::current(app).await?) } else { None };
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let (tree, now) = (Tree::within(tx, &scope)?, Timestamp::now());
        let filter = Filter::read(tx, &tree, &query, now)?;
        let seen = roster.rows.iter().filter(|listed| tree.sees(listed.row.collection) && filter.lets(listed));
        let mut rows: Vec<(&Listed, DeploymentStage)> = seen.map(|listed| (listed, listed.stage(now))).collect();
        let stages = counted(&rows);
        rows.retain(|(_, stage)| query.stage.is_none_or(|wanted| wanted == *stage));
        let (total, collections) = (rows.len() as u64, collections(&rows));
        sort(&mut rows, order);
        let mut cursor = query.cursor.as_deref();
        // by number a page follows whatever became of the deployment before it
        if let Some(after) = cursor.filter(|_| order == (Sort::Id, false)).and_then(|cursor| cursor.parse().ok()) {
            rows.retain(|(listed, _)| listed.row.id > DeploymentId(after));
            cursor = None;
        }
        let page = lists::page(rows, |(listed, _)| listed.row.id.to_string(), cursor, limit)?;
        let describer = Describer::new(tx, &live)?;
        let mut shown = Vec::with_capacity(page.items.len());
        for (listed, stage) in page.items {
            // it may have been deleted since
            shown.extend(tx.deployment_show(listed.row.id)?.map(|row| (listed, stage, row)));
        }
        let mut figures = match index.as_deref() {
            None => Vec::new(),
            Some(index) => {
                let asked: Vec<_> = shown.iter().map(|(listed, _, row)| (row, listed.updates())).collect();
                Around::new(tx, &live, index, &scope)?.figures(&asked)?
            }
        }
        .into_iter();
        let mut items = Vec::with_capacity(shown.len());
        for (listed, stage, row) in &shown {
            let deployment = describer.describe_with(tx, row, &listed.members)?;
            let (compliance, percent) =
                figures.next().map_or((None, None), |(figures, percent)| (Some(figures), percent));
            items.push(ListedDeployment { deployment, stage: *stage, compliance, percent });
        }
        Ok(DeploymentList { items, total, stages, collections, next: page.next })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read() {
        assert_eq!(Sort::parse("name").expect("known"), (Sort::Name, false));
        assert_eq!(Sort::parse("deadline").expect("known"), (Sort::Deadline, true));
        assert_eq!(Sort::parse("deadline:asc").expect("known"), (Sort::Deadline, false));
        assert!(Sort::parse("colour").is_err() && Sort::parse("name:up").is_err());
        assert!(origin("rule").is_ok() && origin("nowhere").is_err());
    }
}
