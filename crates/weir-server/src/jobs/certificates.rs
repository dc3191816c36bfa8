//! Looks after the certificates of the listeners: files that others renew, names that change, and the own leaf that grows old.
//! SIGHUP looks at once.

use std::time::Duration;

use tokio::time;

use crate::{
    admin::{App, chain, tls},
    telemetry::{self, Job},
};

/// How often it is looked. Both files of a pair are read; they are small.
const EVERY: Duration = Duration::from_secs(3);

/// Looks again and again; it ends when it is dropped.
pub(super) async fn serve(app: &App) {
    let mut hangups = Hangups::new();
    loop {
        let urgent = tokio::select! {
            () = time::sleep(EVERY) => false,
            () = hangups.next() => {
                tracing::info!("SIGHUP: certificates are read again");
                true
            }
        };
        if let Err(error) = telemetry::job(Job::Certificates, tls::look(app, urgent)).await {
            tracing::warn!(error = chain(&error), "certificates could not be looked at; it is tried again");
        }
    }
}

/// Signals that ask to read certificates again.
#[cfg(unix)]
struct Hangups(Option<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Hangups {
    fn new() -> Self {
        let signals = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
        Self(signals.inspect_err(|error| tracing::warn!(%error, "SIGHUP cannot be listened to")).ok())
    }

    /// Ready with the next one.
    async fn next(&mut self) {
        if let Some(signals) = &mut self.0
            && signals.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

#[cfg(not(unix))]
struct Hangups;

#[cfg(not(unix))]
impl Hangups {
    fn new() -> Self {
        Self
    }

    /// Never ready.
    async fn next(&mut self) {
        std::future::pending().await
    }
}
