//! What this server reports to its upstream (MS-WSUSSS 3.2.4.5).

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use weir_model::rollup::RollupConfiguration;
use weir_store::{Actor, ReadTx, StoreError, WriteTx, rollup::Owed};

use super::{
    Question, Reply, computers, figures, servers,
    wire::{self, Calls},
};
use crate::{
    admin::{AdminError, App},
    front,
    state::{AppState, blocking},
    sync::{
        outbound,
        peer::{Authorised, Peer, PeerError, Upstream},
    },
};

/// Own synchronizations are remembered for so long.
const SYNCS_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// What WSUS waits at least before it asks a busy server again.
const BUSY_PAUSE: Duration = Duration::from_mins(1);
/// How often a busy server is asked.
pub(super) const BUSY_TRIES: u32 = 3;

/// What a roll-up told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct RollupOutcome {
    /// The upstream takes no roll-ups (Microsoft's own service): nothing was sent.
    pub skipped: bool,
    /// Servers, this one included.
    pub servers: u64,
    /// The upstream takes computers and their status, too.
    pub detailed: bool,
    /// Times that a computer was told of.
    pub computers: u64,
    /// Computers whose status was told.
    pub statuses: u64,
    /// Computers that the upstream deleted and that were deleted here.
    pub deleted: u64,
}

/// Why a roll-up ended before its time. What was acknowledged is not sent again; the next roll-up goes on.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The upstream was busy each time.
    #[error("the upstream server was too busy for the status of computers, {tries} times; the next roll-up goes on")]
    Busy {
        /// How often it was asked.
        tries: u32,
    },
    /// Our own database.
    #[error("the roll-up cannot be prepared")]
    Here(#[source] AdminError),
    /// A call failed or was answered with a fault.
    #[error("the roll-up to the upstream server failed at {step}")]
    Step {
        /// The operation.
        step: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SendError {
    /// An answer to something else than was asked, which the types of the messages exclude.
    pub(super) fn surprise(step: &'static str) -> Self {
        Self::Step { step, source: "the answer is that of another operation".into() }
    }
}

impl From<StoreError> for SendError {
    fn from(error: StoreError) -> Self {
        Self::Here(error.into())
    }
}

impl Calls for Peer {
    type Error = PeerError;

    async fn call<C>(&self, call: C) -> Result<C::Answer, PeerError>
    where
        C: Authorised,
        C::Answer: Send + 'static,
    {
        Self::call(self, call).await
    }

    async fn pause(&self) {
        // Whoever cancels does not wait for it; the next call tells of the cancellation.
        tokio::select! {
            () = tokio::time::sleep(BUSY_PAUSE) => {}
            () = self.progress().cancelled() => {}
        }
    }
}

/// Reports to the upstream server after a synchronization that began at `started`; between synchronizations that is the
/// last one.
///
/// # Errors
///
/// [`SendError`] names the step. Whatever was acknowledged before stays told.
pub async fn send(app: &App, peer: &Peer, started: Timestamp) -> Result<RollupOutcome, SendError> {
    if !is_wanted(peer.upstream()) {
        return Ok(RollupOutcome { skipped: true, ..RollupOutcome::default() });
    }
    // the numbers of increments are given by one roll-up at a time
    let _alone = app.shared().rollup.lock().await;
    let name = outbound::host_name(app).await.map_err(SendError::Here)?;
    send_to(&app.state, peer, &name, started).await
}

/// Whether the upstream server is one that roll-ups go to.
pub fn is_wanted(upstream: &Upstream) -> bool {
    !is_public(upstream.base.host_str().unwrap_or_default())
}

/// Microsoft's public services take no roll-ups and must not be told of anybody's computers.
fn is_public(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    ["microsoft.com", "windowsupdate.com"]
        .iter()
        .any(|zone| host == *zone || host.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.')))
}

/// The same through any calls. `name` is this server's host name.
pub async fn send_to<P: Calls>(
    state: &Arc<AppState>,
    peer: &P,
    name: &str,
    started: Timestamp,
) -> Result<RollupOutcome, SendError> {
    let sending = Sending { state, peer };
    let Reply::Configuration(configuration) = sending.ask(&Question::Configuration).await? else {
        return Err(SendError::surprise("GetRollupConfiguration"));
    };
    let retried = sending.prepare(&configuration, started).await?;
    let mut outcome = RollupOutcome { detailed: configuration.detailed, ..RollupOutcome::default() };
    outcome.servers = servers::tell(&sending, &configuration, name, started).await?;
    if retried {
        // What came since the increments were frozen that are told only now.
        sending.write(|tx| tx.rollup_freeze(Timestamp::now())).await?;
        outcome.servers = servers::tell(&sending, &configuration, name, started).await?;
    }
    if !configuration.detailed {
        return Ok(outcome);
    }
    let owed: Owed = sending.read(|tx| tx.rollup_owed()).await?;
    tracing::debug!(computers = owed.computers, statuses = owed.statuses, "rolling up computers");
    computers::tell(&sending, &configuration, &mut outcome).await?;
    computers::tell_status(&sending, &configuration, &mut outcome).await?;
    Ok(outcome)
}

/// One roll-up.
pub(super) struct Sending<'s, P> {
    pub(super) state: &'s Arc<AppState>,
    pub(super) peer: &'s P,
}

impl<P: Calls> Sending<'_, P> {
    pub(super) async fn ask(&self, question: &Question) -> Result<Reply, SendError> {
        let step = match question {
            Question::Configuration => "GetRollupConfiguration",
            Question::Servers { .. } => "RollupDownstreamServers",
            Question::Computers { .. } => "RollupComputers",
            Question::OutOfSync { .. } => "GetOutOfSyncComputers",
            Question::Status { .. } => "RollupComputerStatus",
        };
        let reply = wire::ask(self.peer, question).await;
        reply.map_err(|error| SendError::Step { step, source: Box::new(error) })
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, SendError> {
        Ok(self.state.read(work).await?)
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&WriteTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, SendError> {
        Ok(self.state.write(Actor::system("roll-up", Timestamp::now()), work).await?)
    }

    /// Brings the books up to date: who is told, what own computers did, the figures. True if increments of an earlier
    /// roll-up are still on their way: they go first, unchanged, so that an upstream that has them can tell.
    async fn prepare(&self, configuration: &RollupConfiguration, started: Timestamp) -> Result<bool, SendError> {
        let (state, told) = (Arc::clone(self.state), (configuration.server, configuration.reset));
        let work = move || {
            let now = Timestamp::now();
            let actor = Actor::system("roll-up", now);
            let retried = state.store.write(&actor, |tx| {
                front::keep(tx)?;
                // between synchronizations it is the last one, which was noted
                if tx.rollup_syncs()?.last().is_none_or(|(last, _)| *last < started) {
                    tx.rollup_sync_note(started, tx.catalogue_version()?, started - SYNCS_KEPT)?;
                }
                let books = tx.rollup_state()?;
                if books.upstream != Some(told) {
                    tx.rollup_upstream_put(told.0, told.1)?;
                }
                let (counts, last) = tx.rollup_events(books.event_no)?;
                let counted: Vec<_> = counts.into_iter().filter_map(servers::installations).collect();
                tx.rollup_own_activity(&counted, last)?;
                Ok(books.sending_at.is_some())
            })?;
            let (figures, change, marks) = figures::read(&state.store, &state.live)?;
            let kept = serde_json::to_value(&figures).unwrap_or_default();
            state.store.write(&actor, |tx| {
                front::keep(tx)?;
                tx.rollup_own_kinds_put(&figures.kinds)?;
                tx.rollup_figures_put(&kept, change, marks)?;
                if retried { Ok(()) } else { tx.rollup_freeze(now) }
            })?;
            Ok(retried)
        };
        Ok(blocking(work).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microsofts_services_are_known_by_their_names() {
        for host in
            ["sws.update.microsoft.com", "SWS.Update.Microsoft.com.", "fe2.update.microsoft.com", "a.windowsupdate.com"]
        {
            assert!(is_public(host), "{host}");
        }
        for host in ["wsus.contoso.com", "notmicrosoft.com", "microsoft.com.contoso.com", ""] {
            assert!(!is_public(host), "{host}");
        }
    }
}
