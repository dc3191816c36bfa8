//! Compliance of collections.

use jiff::Timestamp;
use weir_api::{
    List,
    compliance::{Summary, SummaryQuery, UpdateCompliance, UpdateComplianceQuery},
};
use weir_model::{
    compliance::Tally,
    ids::{CollectionId, UpdateId},
};
use weir_store::ReadTx;

use super::{
    AdminError, App,
    collection::Tree,
    index::Index,
    list, rollup,
    selection::known_language,
    standing,
    tally::{self, Who},
};
use crate::live::{Live, View};

/// Which computers and updates are counted; none is all of them.
struct Asked<'q> {
    collection: Option<&'q str>,
    server: Option<&'q str>,
    group: Option<&'q str>,
}

/// The counts that were asked for; `view` is of this transaction.
fn tally(tx: &ReadTx<'_>, view: &View<'_>, asked: &Asked<'_>) -> Result<Tally, AdminError> {
    let tree = Tree::read(tx)?;
    let within = match asked.collection {
        Some(name) => tree.find(name)?.id,
        None => CollectionId::ALL_COMPUTERS,
    };
    let who = Who::of(&tree, within, rollup::narrowed(tx, asked.server)?);
    let Some(name) = asked.group else { return Ok(tally::count(view, &who, None)) };
    Ok(tally::count(view, &who, Some(&standing::members_of(tx, name)?)))
}

/// For collections with some updates each: how many computers there are, and how many of them comply with all of these
/// updates. What a computer is not asked about keeps nobody from complying.
pub(crate) fn share_compliant(
    tx: &ReadTx<'_>,
    live: &Live,
    asked: &[(CollectionId, Vec<UpdateId>)],
) -> Result<Vec<(u64, u64)>, AdminError> {
    let tree = Tree::read(tx)?;
    let share = |(collection, updates): &(CollectionId, Vec<UpdateId>)| {
        let updates = updates.iter().copied().collect();
        let tally = tally::count(&live.compliance(tx)?, &Who::of(&tree, *collection, None), Some(&updates));
        Ok((tally.computers, tally.compliant()))
    };
    asked.iter().map(share).collect()
}

/// How the computers of a collection stand.
pub(crate) async fn summary(app: &App, query: SummaryQuery) -> Result<Summary, AdminError> {
    let live = app.state.live.clone();
    let tally = app
        .try_read(move |tx| {
            tally(
                tx,
                &live.compliance(tx)?,
                &Asked {
                    collection: query.collection.as_deref(),
                    server: query.server.as_deref(),
                    group: query.group.as_deref(),
                },
            )
        })
        .await?;
    Ok(Summary {
        computers: tally.computers,
        compliant: tally.compliant(),
        percent: tally::percent(tally.compliant(), tally.computers),
        counts: tally::shown(&tally.states),
        as_of: Timestamp::now(),
    })
}

/// Updates that some computer of a collection is asked about, most needed first.
pub(crate) async fn updates(app: &App, query: UpdateComplianceQuery) -> Result<List<UpdateCompliance>, AdminError> {
    let limit = list::limit(query.limit)?;
    let language = known_language(query.language.as_deref())?;
    let index = Index::current(app).await?;
    let live = app.state.live.clone();
    let (mut page, ids) = app
        .try_read(move |tx| {
            let view = live.compliance(tx)?;
            let tally = tally(
                tx,
                &view,
                &Asked {
                    collection: query.collection.as_deref(),
                    server: query.server.as_deref(),
                    group: query.group.as_deref(),
                },
            )?;
            let computers = tally.computers;
            let counted = tally.updates.iter().filter(|it| it.counts.total() > 0);
            let mut rows: Vec<_> =
                counted.filter_map(|it| Some((view.update(it.update)?, tally::shown(&it.counts)))).collect();
            drop(view);
            rows.sort_by_key(|(update, counts)| {
                (std::cmp::Reverse((tally::needed(counts) + counts.failed, counts.failed)), *update)
            });
            let page = list::page(rows, |(update, _)| update.to_string(), query.cursor.as_deref(), limit)?;
            let ids: Vec<_> =
                page.items.iter().map(|(update, _)| index.find(*update).map(|row| row.revision_id)).collect();
            let items = page
                .items
                .into_iter()
                .map(|(update, counts)| {
                    let row = index.find(update);
                    UpdateCompliance {
                        id: update.0,
                        revision: row.map_or(0, |row| row.identity.revision.0),
                        title: index.title(update),
                        kb: row.map(|row| row.kb_articles.clone()).unwrap_or_default(),
                        percent: tally::percent(counts.installed + counts.not_applicable, computers),
                        counts,
                    }
                })
                .collect();
            Ok((List { items, next: page.next }, ids))
        })
        .await?;
    if language != "en" {
        let known = ids.iter().flatten().copied().collect();
        let titles = super::update_list::localized_titles(app, known, language).await?;
        for (item, id) in page.items.iter_mut().zip(ids) {
            if let Some(title) = id.and_then(|id| titles.get(&id)) {
                item.title.clone_from(title);
            }
        }
    }
    Ok(page)
}
