//! Compliance of collections.

use std::collections::HashSet;

use weir_api::{
    List,
    compliance::{Summary, SummaryQuery, UpdateCompliance, UpdateComplianceQuery},
};
use weir_model::{
    ids::{CollectionId, UpdateId},
    rights::Scope,
};
use weir_store::ReadTx;

use super::{
    AdminError, App,
    collection::Tree,
    index::Index,
    list,
    look::Look,
    rollup,
    selection::known_language,
    servers, standing,
    tally::{self, Stood, Who},
};

/// Which computers and updates are counted; none is all of them.
struct Asked<'q> {
    collection: Option<&'q str>,
    server: Option<&'q str>,
    group: Option<&'q str>,
}

/// The computers and the updates that are meant.
fn meant<'t>(
    tx: &ReadTx<'_>,
    tree: &'t Tree,
    asked: &Asked<'_>,
) -> Result<(Who<'t>, Option<HashSet<UpdateId>>), AdminError> {
    let within = match asked.collection {
        Some(name) => tree.find(name)?.id,
        None => CollectionId::ALL_COMPUTERS,
    };
    let who = Who::of(tree, within, rollup::narrowed(tx, asked.server)?);
    let only = asked.group.map(|name| standing::members_of(tx, name)).transpose()?;
    Ok((who, only))
}

/// How the computers of a collection stand.
pub(crate) async fn summary(app: &App, scope: Scope, query: SummaryQuery) -> Result<Summary, AdminError> {
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let tree = Tree::within(tx, &scope)?;
        let asked = Asked {
            collection: query.collection.as_deref(),
            server: query.server.as_deref(),
            group: query.group.as_deref(),
        };
        let (who, only) = meant(tx, &tree, &asked)?;
        let (stands, as_of, sites) = {
            let look = Look::new(tx, &live)?;
            let members = look.members(&who);
            let sheets = look.sheets(&[only.as_ref()]);
            let stands = sheets.first().map(|sheet| look.stands(sheet, &members)).unwrap_or_default();
            (stands, look.as_of(), look.sites(&members))
        };
        Ok(Stood::states(&stands, query.current, as_of, servers::oldest(tx, &sites)?).summary())
    })
    .await
}

/// Updates that some computer of a collection is asked about, most needed first.
pub(crate) async fn updates(
    app: &App,
    scope: Scope,
    query: UpdateComplianceQuery,
) -> Result<List<UpdateCompliance>, AdminError> {
    let limit = list::limit(query.limit)?;
    let language = known_language(query.language.as_deref())?;
    let index = Index::current(app).await?;
    let live = app.state.live.clone();
    let (mut page, ids) = app
        .try_read(move |tx| {
            let tree = Tree::within(tx, &scope)?;
            let asked = Asked {
                collection: query.collection.as_deref(),
                server: query.server.as_deref(),
                group: query.group.as_deref(),
            };
            let (who, only) = meant(tx, &tree, &asked)?;
            let Stood { tally, rolled_up, .. } = Stood::of(tx, &live, &who, only.as_ref(), query.current)?;
            let published = live.current();
            let counted = tally.updates.iter().filter(|it| it.counts.total() > 0);
            let mut rows: Vec<_> =
                counted.filter_map(|it| Some((published.update_of(it.update)?, it.counts))).collect();
            rows.sort_by_key(|(update, counts)| {
                (std::cmp::Reverse((counts.needed() + counts.failed, counts.failed)), *update)
            });
            let page = list::page(rows, |(update, _)| update.to_string(), query.cursor.as_deref(), limit)?;
            let ids: Vec<_> =
                page.items.iter().map(|(update, _)| index.find(*update).map(|row| row.revision_id)).collect();
            let items = page
                .items
                .into_iter()
                .map(|(update, asked)| {
                    let row = index.find(update);
                    UpdateCompliance {
                        id: update.0,
                        revision: row.map_or(0, |row| row.identity.revision.0),
                        title: index.title(update),
                        kb: row.map(|row| row.kb_articles.clone()).unwrap_or_default(),
                        percent: tally.percent_of(&asked),
                        counts: tally::shown(&tally.over_all(&asked)),
                        not_asked: tally.computers.saturating_sub(asked.total()),
                        rolled_up,
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
