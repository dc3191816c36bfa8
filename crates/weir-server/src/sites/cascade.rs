//! When who synchronizes: the success of a site starts the sites below it at once, and the further update points of the
//! site itself one after another.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;
use weir_api::site::{Point, SyncState};
use weir_model::site::SiteKind;
use weir_store::{Actor, ReadTx, StoreError};

use super::{feed, tree};
use crate::{
    admin::{AdminError, App},
    intent::Kind,
};

/// An update point that has not synchronized for so long since its turn came does not keep the others waiting.
const TURN: Duration = Duration::from_hours(1);
/// Decisions at the top that come together reach the sites below together.
const SETTLE: Duration = Duration::from_secs(5);

/// A run of this server begins.
pub fn begin(app: &App) {
    app.hub().begin();
}

/// Tells the servers below that the catalogue is complete again after a run, and notes which version a parent's run
/// has brought. To be called after each run that ended well.
pub async fn announce(app: &App) -> Result<(), AdminError> {
    let begun = app.hub().begun();
    let actor = Actor::system("sites", Timestamp::now());
    let version = app
        .state
        .write(actor, move |tx| {
            let before = tx.sites_here()?;
            let version = match tx.sites_parent()? {
                // the whole tree counts as the top does; a run that began before the parent was heard of brings no less
                // than the one before it
                Some(parent) if begun == 0 => parent.done_version,
                Some(_) => begun,
                None => tx.catalogue_version()?.0,
            };
            if tx.sites_parent()?.is_some() {
                tx.sites_parent_done(version)?;
            }
            if version != before.catalogue_version {
                tx.sites_catalogue_set(version)?;
            }
            Ok(version)
        })
        .await?;
    tracing::debug!(version, "the catalogue is offered to the sites below");
    app.hub().nudge();
    app.hub().status_changed();
    Ok(())
}

/// Whether a child is one of the further update points of this site.
pub(super) fn takes_turns(tx: &ReadTx<'_>, child: Uuid) -> Result<bool, StoreError> {
    Ok(tx.sites_show(child)?.is_some_and(|row| row.node.kind == SiteKind::Replica))
}

/// The version that a child should synchronize now; 0 for none.
pub(super) fn offer(app: &App, tx: &ReadTx<'_>, child: Uuid) -> Result<u64, StoreError> {
    let version = tx.sites_here()?.catalogue_version;
    if version == 0 || !takes_turns(tx, child)? {
        return Ok(version);
    }
    Ok(match whose_turn(&replicas(app, tx)?) {
        Some(site) if site == child => {
            app.hub().give_turn(child, version);
            version
        }
        Some(_) => 0,
        // those whose turn went badly try again by themselves
        None => version,
    })
}

/// A further update point of this site.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Replica {
    site: Uuid,
    connected: bool,
    /// It has the version that is offered.
    done: bool,
    /// Its last run ended badly.
    failed: bool,
    /// How long ago its turn with this version came.
    turn: Option<Duration>,
}

fn replicas(app: &App, tx: &ReadTx<'_>) -> Result<Vec<Replica>, StoreError> {
    let here = tx.sites_here()?;
    let Some(site) = here.site else { return Ok(Vec::new()) };
    let tree = tree::read(tx)?;
    let points = tree::points(tx)?;
    let below = tree.children(site).filter(|node| node.kind == SiteKind::Replica);
    let replica = |node: &weir_model::site::SiteNode| {
        let point: Option<&Point> = points.get(&node.id).map(|(point, _)| point);
        let turn = app.hub().turn(node.id, here.catalogue_version);
        Replica {
            site: node.id,
            connected: app.hub().is_connected(node.id),
            done: point.is_some_and(|point| point.catalogue_version == here.catalogue_version),
            failed: point.is_some_and(|point| matches!(point.sync.state, SyncState::Failed | SyncState::Cancelled)),
            turn: turn.map(|since| since.elapsed()),
        }
    };
    Ok(below.map(replica).collect())
}

/// The update point that synchronizes now, or is to begin.
fn whose_turn(replicas: &[Replica]) -> Option<Uuid> {
    let open = |replica: &&Replica| replica.connected && !replica.done;
    // a failure of the run before its turn says nothing: it shows until the next run begins, which takes a moment
    let over = |replica: &Replica, turn: Duration| turn > TURN || (replica.failed && turn > SETTLE);
    let busy = replicas.iter().filter(open).find(|replica| replica.turn.is_some_and(|turn| !over(replica, turn)));
    busy.or_else(|| replicas.iter().filter(open).find(|replica| replica.turn.is_none())).map(|replica| replica.site)
}

/// Whether further update points of this site still synchronize (message 6706).
pub(super) fn replicas_busy(app: &App, tx: &ReadTx<'_>) -> Result<bool, StoreError> {
    Ok(tx.sites_here()?.catalogue_version > 0 && whose_turn(&replicas(app, tx)?).is_some())
}

/// At the top: what administrators decide about updates that the sites below have already reaches them without waiting for
/// the next synchronization.
pub(super) async fn settle(app: App) {
    let mut changes = app.hub().changes();
    loop {
        if changes.changed().await.is_err() {
            return;
        }
        tokio::time::sleep(SETTLE).await;
        changes.mark_unchanged();
        let due = app.read(|tx| {
            let here = tx.sites_here()?;
            // nothing synchronizes until somebody began it
            if here.catalogue_version == 0 || tx.sites_parent()?.is_some() || tx.sites_enrolments()?.is_empty() {
                return Ok(false);
            }
            if tx.catalogue_version()?.0 <= here.catalogue_version {
                return Ok(false);
            }
            let kinds = [Kind::Collection, Kind::Decline, Kind::Deployment, Kind::EulaAcceptance, Kind::UpdateGroup];
            feed::has_decisions(tx, &kinds, here.catalogue_version)
        });
        match due.await {
            Ok(false) => {}
            Ok(true) => {
                if let Err(error) = announce(&app).await {
                    tracing::warn!(%error, "the sites below could not be told of new decisions; it is tried again");
                }
            }
            Err(error) => tracing::warn!(%error, "new decisions could not be looked for"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(number: u128) -> Replica {
        Replica { site: Uuid::from_u128(number), connected: true, done: false, failed: false, turn: None }
    }

    fn turn(replicas: &[Replica]) -> Option<u128> {
        whose_turn(replicas).map(|site| site.as_u128())
    }

    #[test]
    fn update_points_of_one_site_come_one_after_another() {
        let mut replicas = [replica(1), replica(2), replica(3)];
        assert_eq!(turn(&replicas), Some(1));
        replicas[0].turn = Some(Duration::from_secs(1));
        assert_eq!(turn(&replicas), Some(1), "it is at it");
        replicas[0].done = true;
        assert_eq!(turn(&replicas), Some(2));
        replicas[1].turn = Some(Duration::from_secs(100));
        replicas[1].failed = true;
        assert_eq!(turn(&replicas), Some(3), "a failure does not stop the others");
        replicas[2].connected = false;
        assert_eq!(turn(&replicas), None, "nor does one that is not there");
        replicas[2].connected = true;
        replicas[2].turn = Some(TURN * 2);
        assert_eq!(turn(&replicas), None, "nor one that hangs");
    }

    #[test]
    fn an_old_failure_does_not_end_a_turn_that_just_began() {
        let mut replicas = [replica(1), replica(2)];
        replicas[0].failed = true;
        assert_eq!(turn(&replicas), Some(1));
        replicas[0].turn = Some(Duration::from_millis(10));
        assert_eq!(turn(&replicas), Some(1));
    }
}
