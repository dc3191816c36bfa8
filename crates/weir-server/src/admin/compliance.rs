//! Compliance of collections.

use std::collections::HashMap;

use jiff::Timestamp;
use weir_api::{
    List,
    compliance::{Summary, SummaryQuery, UpdateCompliance, UpdateComplianceQuery},
};
use weir_model::{
    ids::{CollectionId, UpdateId},
    status::UpdateNumber,
};
use weir_store::{ReadTx, computer::DirectoryRow};

use super::{
    AdminError, App,
    collection::Tree,
    group,
    index::Index,
    list, rollup,
    selection::known_language,
    tally::{self, Questions, Tally},
};
use crate::live::Live;

/// Which computers and updates are counted; none is all of them.
struct Asked<'q> {
    collection: Option<&'q str>,
    server: Option<&'q str>,
    group: Option<&'q str>,
}

fn tally(tx: &ReadTx<'_>, live: &Live, asked: &Asked<'_>) -> Result<Tally, AdminError> {
    let tree = Tree::read(tx)?;
    let within = match asked.collection {
        Some(name) => tree.find(name)?.id,
        None => CollectionId::ALL_COMPUTERS,
    };
    let site = rollup::narrowed(tx, asked.server)?;
    let member = |row: &DirectoryRow| site.is_none_or(|site| row.site == site) && tree.holds(within, row);
    let Some(name) = asked.group else { return Ok(Tally::count(tx, live, &member)?) };
    let group = group::find(tx, name)?.id;
    let updates = tx.update_group_show(group)?.map(|(_, updates)| updates).unwrap_or_default().into_iter().collect();
    Ok(Tally::count_of(tx, live, &member, Some(&updates))?)
}

/// For collections with some updates each: how many computers there are, and how many of them comply with all of these
/// updates. What a computer is not asked about keeps nobody from complying. All are counted in one pass.
pub(crate) fn share_compliant(
    tx: &ReadTx<'_>,
    live: &Live,
    asked: &[(CollectionId, Vec<UpdateId>)],
) -> Result<Vec<(u64, u64)>, AdminError> {
    let tree = Tree::read(tx)?;
    let mut questions = Questions::new(live);
    let numbers: Vec<Vec<UpdateNumber>> = asked
        .iter()
        .map(|(_, updates)| updates.iter().filter_map(|update| questions.published().status_number(*update)).collect())
        .collect();
    let mut shares = vec![(0, 0); asked.len()];
    let mut statuses = HashMap::new();
    let rows = tx.computer_directory()?;
    tx.computer_status_each(&mut |no, row| {
        statuses.insert(no, tally::decode(&row.status));
        Ok(())
    })?;
    for row in &rows {
        let status = statuses.remove(&row.no).unwrap_or_default();
        let known = questions.of(&row.groups);
        for (((collection, _), numbers), (computers, compliant)) in asked.iter().zip(&numbers).zip(&mut shares) {
            if !tree.holds(*collection, row) {
                continue;
            }
            *computers += 1;
            let complies = status.reported.is_some()
                && numbers.iter().all(|number| {
                    let at = known.binary_search_by_key(number, |asked| asked.number).ok();
                    let asked = at.and_then(|at| known.get(at));
                    asked.is_none_or(|asked| status.state_of(asked.number, Some(asked.entered)).is_compliant())
                });
            *compliant += u64::from(complies);
        }
    }
    Ok(shares)
}

/// How the computers of a collection stand.
pub(crate) async fn summary(app: &App, query: SummaryQuery) -> Result<Summary, AdminError> {
    let live = app.state.live.clone();
    let tally = app
        .try_read(move |tx| {
            tally(
                tx,
                &live,
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
            let tally = tally(
                tx,
                &live,
                &Asked {
                    collection: query.collection.as_deref(),
                    server: query.server.as_deref(),
                    group: query.group.as_deref(),
                },
            )?;
            let computers = tally.computers;
            let mut rows: Vec<_> = tally.updates.into_iter().collect();
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
