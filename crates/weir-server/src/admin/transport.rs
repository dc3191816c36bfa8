//! How computers come: with TLS or without.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use weir_api::{
    computer::Transport,
    tls::{CollectionTransport, TransportCounts, TransportQuery, TransportSummary},
};
use weir_model::{ids::CollectionId, rights::Scope};
use weir_store::{ReadTx, StoreError, computer::THIS_SERVER, freshness::HeardRow};

use super::{
    AdminError, App,
    collection::Tree,
    freshness,
    tally::{self, Who},
};
use crate::live::Live;

/// Leaves those of computers that scan here and come so.
pub(super) fn retain(tx: &ReadTx<'_>, live: &Live, how: Transport, computers: &mut Vec<u32>) -> Result<(), StoreError> {
    let plain = tx.computers_plain_http()?;
    let comes_plain = |no: &u32| plain.binary_search(no).is_ok();
    if how == Transport::Http {
        computers.retain(comes_plain);
        return Ok(());
    }
    // it is only known of those
    let view = live.compliance(tx)?;
    let here = view.numbers(&view.members(Some(THIS_SERVER), &|_| true));
    computers.retain(|no| !comes_plain(no) && here.binary_search(no).is_ok());
    Ok(())
}

/// Counts, all and by collection, of the computers of a scope.
pub(crate) async fn summary(app: &App, scope: Scope, query: TransportQuery) -> Result<TransportSummary, AdminError> {
    let live = app.state.live.clone();
    app.try_read(move |tx| {
        let silent_days = freshness::days(tx, None)?;
        let tree = Tree::within(tx, &scope)?;
        let within = match query.collection.as_deref() {
            Some(name) => tree.find(name)?.id,
            None => CollectionId::ALL_COMPUTERS,
        };
        let seen = tree.rows.iter().map(|row| row.id).filter(|id| tree.sees(*id));
        let shown: Vec<_> = seen.filter(|id| tree.lies_within(*id, within)).collect();
        let heard = live.heard(tx)?;
        let recent = heard.as_of - SignedDuration::from_hours(24 * i64::from(silent_days));
        let placed = {
            let view = live.compliance(tx)?;
            let members = Who::of(&tree, within, Some(THIS_SERVER)).members(&view);
            heard.placed(&view, &members)
        };
        // many computers are in the same collections, which they share: these are looked at once for all of them
        let mut alike: HashMap<usize, (Arc<[CollectionId]>, TransportCounts)> = HashMap::new();
        for (row, placed) in heard.matched(&placed) {
            let first = || (Arc::clone(&placed.collections), TransportCounts::default());
            let (_, counts) = alike.entry(placed.collections.as_ptr() as usize).or_insert_with(first);
            add(counts, row, recent);
        }
        let mut total = TransportCounts::default();
        let mut counts: HashMap<CollectionId, TransportCounts> = HashMap::new();
        for (groups, some) in alike.values() {
            merge(&mut total, some);
            // each once, however many of the collections lie below it
            let above = groups.iter().flat_map(|id| tree.path(*id)).chain([CollectionId::ALL_COMPUTERS]);
            for id in above.collect::<BTreeSet<CollectionId>>() {
                merge(counts.entry(id).or_default(), some);
            }
        }
        let collections = shown.iter().filter_map(|id| {
            let counts = finished(*counts.get(id)?);
            Some(CollectionTransport { collection: tree.reference(*id), counts })
        });
        let collections = collections.collect();
        Ok(TransportSummary { total: finished(total), collections, silent_days, as_of: heard.as_of })
    })
    .await
}

fn add(counts: &mut TransportCounts, row: &HeardRow, recent: Timestamp) {
    counts.computers += 1;
    if row.plain_http {
        counts.http += 1;
        counts.http_recent += u64::from(row.facts.last_contact >= recent);
    } else {
        counts.https += 1;
    }
}

fn merge(counts: &mut TransportCounts, some: &TransportCounts) {
    counts.computers += some.computers;
    counts.https += some.https;
    counts.http += some.http;
    counts.http_recent += some.http_recent;
}

fn finished(counts: TransportCounts) -> TransportCounts {
    TransportCounts { http_percent: tally::percent(counts.http, counts.computers), ..counts }
}

/// Refuses to require TLS where nobody could come with it, and without `force` where somebody comes without it.
pub(super) async fn may_require(app: &App, force: bool) -> Result<(), AdminError> {
    if app.endpoints.client_https.is_none() {
        return Err(AdminError::Conflict {
            code: "no_tls",
            detail: "no listener with TLS is on for computers: none could scan".to_owned(),
            next_step: Some("start the server with --client-https ADDRESS".to_owned()),
        });
    }
    let total = summary(app, Scope::Everything, TransportQuery::default()).await?.total;
    if force || total.http == 0 {
        return Ok(());
    }
    Err(AdminError::Conflict {
        code: "plain_http",
        detail: format!(
            "{} of {} computers that scan here came without TLS last ({} %), {} of them not long ago; they would get no answer \
             until their policy names the https address",
            total.http, total.computers, total.http_percent, total.http_recent
        ),
        next_step: Some(
            "see them: weir computers list --transport http; to require TLS all the same: weir settings set clients.https \
             required --force"
                .to_owned(),
        ),
    })
}
