//! Retires computers by the rules of this site, and forgets what is too old to say who a computer is.
//!
//! Off unless a setting asks for it. Where more are due than may go at once, none goes, and the alert `computers.retirement`
//! is open until somebody confirms the number, the setting changes, or they call.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time;
use weir_model::alert::AlertSeverity;

use crate::{
    admin::{
        AdminError, App, Caller, chain,
        retirement::{Ran, Which, by_rule, retire},
    },
    telemetry::{self, Job},
};

/// How often it is looked at without a nudge.
const EVERY: Duration = Duration::from_hours(1);
/// Kind of the alert; its subject says which rule.
const WAITS: &str = "computers.retirement";
/// Prints that were last seen before say nothing any more: three times what the detector looks at.
const PRINTS: SignedDuration = SignedDuration::from_hours(24 * 90);
/// Retired computers are known for so long in case they call again.
const RETIRED: SignedDuration = SignedDuration::from_hours(24 * 730);

/// Looks again and again; it ends when it is dropped.
pub(super) async fn serve(app: &App) {
    loop {
        if let Err(error) = telemetry::job(Job::Retirement, run(app)).await {
            tracing::warn!(error = chain(&error), "retiring computers failed; it is tried again");
        }
        tokio::select! {
            () = time::sleep(EVERY) => {}
            () = app.shared().retirement.notified() => {}
        }
    }
}

/// One run.
async fn run(app: &App) -> Result<(), AdminError> {
    let caller = Caller::system("retirement");
    let now = Timestamp::now();
    app.write(&caller, move |tx| {
        Ok(tx.computer_prints_prune(now - PRINTS)? + tx.computer_retired_prune(now - RETIRED)?)
    })
    .await?;
    let rules = app.read(by_rule).await?;
    for subject in ["silent", "duplicates"] {
        let rule = rules.iter().copied().find(|rule| word(*rule) == subject);
        let ran = match rule {
            Some(rule) => Some((rule, retire(app, &caller, rule, None).await?)),
            None => None,
        };
        settle(app, &caller, subject, ran).await?;
    }
    Ok(())
}

fn word(rule: Which) -> &'static str {
    match rule {
        Which::Silent(_) => "silent",
        Which::Duplicates => "duplicates",
    }
}

/// Opens the alert of a rule that waits for a word, and closes it otherwise.
async fn settle(
    app: &App,
    caller: &Caller,
    subject: &'static str,
    ran: Option<(Which, Ran)>,
) -> Result<(), AdminError> {
    let message = ran.and_then(|(rule, ran)| match ran {
        Ran::Retired(_) => None,
        Ran::Asks { due, computers, most } => Some(message(rule, due, computers, most)),
    });
    let open = app.read(move |tx| tx.alert_open_of(WAITS, subject)).await?.map(|row| row.message);
    if open == message {
        return Ok(());
    }
    app.write(caller, move |tx| {
        match &message {
            Some(message) => tx.alert_open(WAITS, subject, AlertSeverity::Warning, message)?,
            None => tx.alert_close(WAITS, subject)?,
        };
        Ok(())
    })
    .await
}

fn message(rule: Which, due: u64, computers: u64, most: u64) -> String {
    let (what, command) = match rule {
        Which::Silent(days) => {
            (format!("did not call for {days} days"), format!("weir computers retire --silent-days {days}"))
        }
        Which::Duplicates => ("go on under other ids".to_owned(), "weir computers retire --duplicates".to_owned()),
    };
    format!(
        "{due} of {computers} computers {what} and would be retired, which is more than the {most} that may go now; none was. \
         Is something else wrong? See who they are: {command} --dry-run; then: {command} --confirm {due}"
    )
}
