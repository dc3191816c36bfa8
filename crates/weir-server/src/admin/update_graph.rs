//! How updates hang together: supersedence, bundles, prerequisites, in both directions and so far as asked for. And the document
//! of an update as it came.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use weir_api::update_graph::{RelatedUpdate, Relation, RelationKind, RelationsQuery, UpdateGraph};
use weir_model::{ids::UpdateId, update::UpdateType};
use weir_store::{ReadTx, StoreError};

use super::{
    AdminError, App,
    index::{Index, kind},
    update::Named,
};

/// Steps unless asked otherwise, and at most.
const DEPTH: u32 = 2;
const DEEPEST: u32 = 5;
/// Updates unless asked otherwise, and at most.
const LIMIT: u32 = 200;
const LARGEST: u32 = 500;

/// An update with what it hangs together with.
pub(crate) async fn show(app: &App, name: Named, query: RelationsQuery) -> Result<UpdateGraph, AdminError> {
    let depth = bounded("depth", query.depth, DEPTH, DEEPEST)?;
    let limit = bounded("limit", query.limit, LIMIT, LARGEST)? as usize;
    let index = Index::current(app).await?;
    index.find(name.id).ok_or_else(|| name.missing())?;
    app.read(move |tx| Walk::new(&index, depth, limit).walk(tx, name.id)).await
}

fn bounded(field: &'static str, asked: Option<u32>, otherwise: u32, most: u32) -> Result<u32, AdminError> {
    match asked {
        None => Ok(otherwise),
        Some(value) if (1..=most).contains(&value) => Ok(value),
        Some(value) => Err(AdminError::invalid(field, format!("{field} is {value}; it must be 1 to {most}"))),
    }
}

/// A walk along relations, breadth first.
struct Walk<'a> {
    index: &'a Arc<Index>,
    depth: u32,
    limit: usize,
    seen: HashMap<UpdateId, u32>,
    order: Vec<UpdateId>,
    found: BTreeSet<Relation>,
    truncated: bool,
}

impl<'a> Walk<'a> {
    fn new(index: &'a Arc<Index>, depth: u32, limit: usize) -> Self {
        Self { index, depth, limit, seen: HashMap::new(), order: Vec::new(), found: BTreeSet::new(), truncated: false }
    }

    /// True if the update is part of the answer.
    fn reach(&mut self, update: UpdateId, depth: u32) -> bool {
        if self.seen.contains_key(&update) {
            return true;
        }
        if self.order.len() >= self.limit {
            self.truncated = true;
            return false;
        }
        self.seen.insert(update, depth);
        self.order.push(update);
        true
    }

    fn walk(mut self, tx: &ReadTx<'_>, root: UpdateId) -> Result<UpdateGraph, StoreError> {
        self.reach(root, 0);
        let mut queue = VecDeque::from([(root, 0)]);
        while let Some((update, depth)) = queue.pop_front() {
            if depth >= self.depth {
                continue;
            }
            let near = self.near(tx, update, depth == 0)?;
            for relation in near {
                let other = UpdateId(if relation.from == update.0 { relation.to } else { relation.from });
                let is_new = !self.seen.contains_key(&other);
                if self.reach(other, depth + 1) {
                    self.found.insert(relation);
                    if is_new && self.goes_on(other) {
                        queue.push_back((other, depth + 1));
                    }
                }
            }
        }
        let updates = self.order.iter().map(|update| self.shown(*update)).collect();
        Ok(UpdateGraph {
            root: root.0,
            updates,
            relations: self.found.into_iter().collect(),
            truncated: self.truncated,
        })
    }

    /// What documents say of this update and it of others. Who requires it is looked for at the beginning only: a detectoid is
    /// required by thousands.
    fn near(&self, tx: &ReadTx<'_>, update: UpdateId, first: bool) -> Result<Vec<Relation>, StoreError> {
        let most = self.limit as u32 + 1;
        let of = |kind, from: UpdateId, to: UpdateId| Relation { kind, from: from.0, to: to.0 };
        let mut near = Vec::new();
        if let Some(entry) = self.index.find(update) {
            near.extend(entry.supersedes.iter().map(|id| of(RelationKind::Supersedes, update, *id)));
            near.extend(entry.members.iter().map(|id| of(RelationKind::Bundles, update, id.update_id)));
            let said = tx.revision_relationships(entry.revision_id)?;
            let required = said.prerequisites.iter().flat_map(|clause| &clause.alternatives);
            near.extend(required.map(|id| of(RelationKind::Requires, update, *id)));
        }
        let superseding = tx.update_superseding(update, most)?;
        near.extend(superseding.into_iter().map(|id| of(RelationKind::Supersedes, id, update)));
        let bundles: BTreeSet<UpdateId> =
            tx.update_bundled_in(update)?.into_iter().map(|identity| identity.update_id).collect();
        near.extend(bundles.into_iter().take(most as usize).map(|id| of(RelationKind::Bundles, id, update)));
        if first {
            let requiring = tx.update_requiring(update, most)?;
            near.extend(requiring.into_iter().map(|id| of(RelationKind::Requires, id, update)));
        }
        Ok(near)
    }

    fn goes_on(&self, update: UpdateId) -> bool {
        let known = self.index.find(update);
        known.is_some_and(|entry| matches!(entry.update_type, UpdateType::Driver | UpdateType::Software))
    }

    fn shown(&self, update: UpdateId) -> RelatedUpdate {
        let entry = self.index.find(update);
        let state = self.index.search.slot(update).and_then(|slot| self.index.search.state(slot));
        RelatedUpdate {
            id: update.0,
            title: self.index.title(update),
            kind: entry.map(|entry| kind(entry.update_type)),
            declined: state.is_some_and(|state| state.flags.declined),
            expired: entry.is_some_and(|entry| entry.expired),
            depth: self.seen.get(&update).copied().unwrap_or_default(),
        }
    }
}

/// The document of a revision as it came, byte for byte. It is data from elsewhere: browsers save it and show nothing of it.
pub(crate) async fn document(app: &App, name: Named) -> Result<Response, AdminError> {
    let (identity, text) = app
        .try_read(move |tx| {
            let rows = tx.revision_list_of(name.id)?;
            let row = match name.revision {
                Some(number) => rows.into_iter().find(|row| row.identity.revision == number),
                None => rows.into_iter().max_by_key(|row| row.identity.revision),
            };
            let row = row.ok_or_else(|| name.missing())?;
            let text = tx.document_text(row.id)?;
            let text = text.ok_or_else(|| AdminError::Internal(format!("the document of {} is gone", row.identity)))?;
            Ok((row.identity, text))
        })
        .await?;
    let file = format!("attachment; filename=\"{}_{}.xml\"", identity.update_id, identity.revision);
    let file = HeaderValue::try_from(file).map_err(|error| AdminError::Internal(error.to_string()))?;
    let mut response = Body::from(text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    headers.insert(header::CONTENT_DISPOSITION, file);
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    Ok(response)
}
