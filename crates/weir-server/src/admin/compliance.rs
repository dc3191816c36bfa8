//! Compliance of collections.

use jiff::Timestamp;
use weir_api::{
    List,
    compliance::{Summary, SummaryQuery, UpdateCompliance, UpdateComplianceQuery},
};
use weir_model::ids::CollectionId;
use weir_store::ReadTx;

use super::{
    AdminError, App,
    collection::Tree,
    index::Index,
    list, rollup,
    selection::known_language,
    tally::{self, Tally},
};
use crate::live::Live;

fn tally(tx: &ReadTx<'_>, live: &Live, collection: Option<&str>, server: Option<&str>) -> Result<Tally, AdminError> {
    let tree = Tree::read(tx)?;
    let within = match collection {
        Some(name) => tree.find(name)?.id,
        None => CollectionId::ALL_COMPUTERS,
    };
    let site = rollup::narrowed(tx, server)?;
    Ok(Tally::count(tx, live, &|row| site.is_none_or(|site| row.site == site) && tree.holds(within, row))?)
}

/// How the computers of a collection stand.
pub(crate) async fn summary(app: &App, query: SummaryQuery) -> Result<Summary, AdminError> {
    let live = app.state.live.clone();
    let tally = app.try_read(move |tx| tally(tx, &live, query.collection.as_deref(), query.server.as_deref())).await?;
    Ok(Summary {
        computers: tally.computers,
        compliant: tally.compliant,
        percent: tally::percent(tally.compliant, tally.computers),
        counts: tally.states,
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
            let tally = tally(tx, &live, query.collection.as_deref(), query.server.as_deref())?;
            let computers = tally.computers;
            let mut rows: Vec<_> = tally.updates.into_iter().collect();
            rows.sort_by_key(|(update, counts)| {
                (std::cmp::Reverse((tally::needed(counts) + counts.failed, counts.failed)), *update)
            });
            let page = list::page(rows, |(update, _)| update.to_string(), query.cursor.as_deref(), limit)?;
            let ids: Vec<_> =
                page.items.iter().map(|(update, _)| index.find(*update).map(|row| row.stored.revision_id)).collect();
            let items = page
                .items
                .into_iter()
                .map(|(update, counts)| {
                    let row = index.find(update);
                    UpdateCompliance {
                        id: update.0,
                        revision: row.map_or(0, |row| row.stored.identity.revision.0),
                        title: index.title(update),
                        kb: row.map(|row| row.stored.kb_articles.clone()).unwrap_or_default(),
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
        let titles = super::update::localized_titles(app, known, language).await?;
        for (item, id) in page.items.iter_mut().zip(ids) {
            if let Some(title) = id.and_then(|id| titles.get(&id)) {
                item.title.clone_from(title);
            }
        }
    }
    Ok(page)
}
