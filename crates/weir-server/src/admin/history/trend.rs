//! An update group ring by ring: the phases of a phased deployment, or collections.

use std::collections::HashSet;

use jiff::Timestamp;
use weir_api::{
    Reference,
    history::{HistoryDay, Trend, TrendQuery, TrendRing},
};
use weir_model::{
    history::{Day, Subject},
    ids::CollectionId,
};
use weir_store::{ReadTx, StoreError, deployment::Deployed, update_group::UpdateGroupRow};

use super::{Found, Frame, all_reached, wanted};
use crate::admin::{AdminError, App, collection::Tree, group, phased};

/// Rings of one answer.
const MOST_RINGS: usize = 50;
/// Days that are told of a ring.
const MOST_DAYS: u32 = 120;

/// A ring before its history is read.
struct Ring {
    phase: Option<String>,
    collection: CollectionId,
}

/// The rings of a phased deployment or group.
pub(crate) async fn trend(app: &App, query: TrendQuery) -> Result<Trend, AdminError> {
    app.try_read(move |tx| {
        let frame = Frame::read(tx)?;
        let tree = Tree::read(tx)?;
        let (group, phased, rings) = match (query.phased.as_deref(), query.group.as_deref()) {
            (Some(name), None) if query.collections.is_none() => {
                let row = phased::find(tx, name)?;
                let group = tx.update_group_row(row.group)?;
                let group = group.ok_or_else(|| AdminError::missing("update group", row.group, "weir groups list"))?;
                let rings = row.plan.phases.iter();
                let rings = rings.map(|it| Ring { phase: Some(it.name.clone()), collection: it.collection });
                (group, Some(Reference { id: row.id, name: row.plan.name.clone() }), rings.collect())
            }
            (None, Some(name)) => {
                let group = group::find(tx, name)?;
                let rings = match query.collections.as_deref() {
                    Some(names) => named(&tree, names)?,
                    None => deployed(tx, &group)?,
                };
                (group, None, rings)
            }
            _ => {
                return Err(AdminError::Invalid {
                    code: "trend",
                    detail: "a trend is of a phased deployment, or of an update group".to_owned(),
                    next_step: Some("give phased, or group with collections if these are not all".to_owned()),
                });
            }
        };
        let rings = rings.into_iter().map(|ring| told(tx, &tree, &frame, &group, ring)).collect::<Result<_, _>>()?;
        Ok(Trend { group: Reference { id: group.id, name: group.name }, phased, time_zone: frame.zone_name(), rings })
    })
    .await
}

fn named(tree: &Tree, names: &str) -> Result<Vec<Ring>, AdminError> {
    let names: Vec<&str> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() || names.len() > MOST_RINGS {
        let detail = format!("collections names {}; it must be 1 to {MOST_RINGS}", names.len());
        return Err(AdminError::invalid("collections", detail));
    }
    let mut found: Vec<CollectionId> = Vec::new();
    for name in names {
        let collection = tree.find(name)?.id;
        // a ring that is named again is the same one
        if !found.contains(&collection) {
            found.push(collection);
        }
    }
    Ok(found.into_iter().map(|collection| Ring { phase: None, collection }).collect())
}

/// Where a group is deployed, in the order of the times from which it is available.
fn deployed(tx: &ReadTx<'_>, group: &UpdateGroupRow) -> Result<Vec<Ring>, StoreError> {
    let mut found: Vec<(Timestamp, CollectionId)> = wanted::installing(tx)?
        .into_iter()
        .filter(|row| row.deployed == Deployed::Group(group.id))
        .map(|row| (row.available_at, row.collection))
        .collect();
    found.sort();
    let mut seen = HashSet::new();
    let rings = found.into_iter().map(|(_, collection)| collection).filter(|collection| seen.insert(*collection));
    Ok(rings.take(MOST_RINGS).map(|collection| Ring { phase: None, collection }).collect())
}

fn told(
    tx: &ReadTx<'_>,
    tree: &Tree,
    frame: &Frame,
    group: &UpdateGroupRow,
    ring: Ring,
) -> Result<TrendRing, StoreError> {
    let subject = match ring.collection {
        CollectionId::ALL_COMPUTERS => Subject::Group(group.id),
        collection => Subject::GroupIn(group.id, collection),
    };
    let found = Found::read(tx, frame, subject, None)?;
    let start = wanted::available(tx, group.id, Some(ring.collection))?;
    let points = found.series.points();
    let last = points.last().map(|point| point.day);
    let from = start.map(|start| Day::at(start, &frame.zone)).or_else(|| points.first().map(|point| point.day));
    let days: Vec<HistoryDay> = match from.zip(last) {
        Some((from, last)) => {
            let until = last.min(from.plus(MOST_DAYS - 1));
            found.series.days(from, until).map(|(day, point)| found.shown(day, point)).collect()
        }
        None => Vec::new(),
    };
    Ok(TrendRing {
        phase: ring.phase,
        collection: tree.reference(ring.collection),
        start,
        latest: points.last().map(|point| found.shown(point.day, Some(point))),
        reached: start.map(|start| all_reached(points, start, frame)).unwrap_or_default(),
        days,
    })
}
