//! Following the database: what others wrote is read again.
//!
//! One task per server, where others write. It waits for a change of the database, and looks at least once a second whatever it hears:
//! a look is two statements that tell which numbers moved. What moved is read again in the ways in which a server reads what it wrote
//! itself.
//! Whoever needs to know now what was committed before, such as a call with a cookie of another front end, asks for a look and
//! waits for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::Instant,
};
use weir_store::marks::Marks;

use super::Duty;
use crate::{
    admin::{AdminError, App, blocking, chain},
    sites,
};

/// How often it is looked at least.
const EVERY: Duration = Duration::from_secs(1);
/// The shortest time between two looks that nobody asked for: reports of computers are writes, too.
const REST: Duration = Duration::from_millis(200);
/// The shortest time between two looks, however many ask.
const BREATH: Duration = Duration::from_millis(20);
/// Before what failed is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// After so long without a look traces of computers that left may be gone, too (`jobs::retention` keeps them for an hour): a process
/// that stood still, or that the database was out of reach for.
const FORGETTING: Duration = Duration::from_mins(30);

/// Asking for a look.
#[derive(Debug)]
pub(crate) struct Following {
    /// Somebody looks at all.
    active: AtomicBool,
    asked: Notify,
    /// Something may have been written.
    poked: Notify,
    begun: AtomicU64,
    /// Looks that are complete.
    done: watch::Sender<u64>,
}

impl Default for Following {
    fn default() -> Self {
        Self {
            active: AtomicBool::new(false),
            asked: Notify::new(),
            poked: Notify::new(),
            begun: AtomicU64::new(0),
            done: watch::Sender::new(0),
        }
    }
}

impl Following {
    /// Waits until everything is here that was committed before the call, though no longer than this. False if it may not be here,
    /// and where nobody looks.
    pub(crate) async fn catch_up(&self, patience: Duration) -> bool {
        if !self.active.load(Ordering::Acquire) {
            return false;
        }
        let mut done = self.done.subscribe();
        // the look that is under way may have begun before that
        let ticket = self.begun.load(Ordering::SeqCst) + 1;
        self.asked.notify_one();
        matches!(tokio::time::timeout(patience, done.wait_for(|done| *done >= ticket)).await, Ok(Ok(_)))
    }
}

/// Starts what follows; it ends when `stop` turns true. Nothing where a server is alone, and knows what it wrote.
pub(crate) fn start(app: &App, stop: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
    if !app.state.is_shared() {
        return Vec::new();
    }
    app.state.following.active.store(true, Ordering::Release);
    let (state, until) = (Arc::downgrade(&app.state), stop.clone());
    let ears = std::thread::Builder::new().name("follow".into()).spawn(move || {
        let mut heard = 0;
        while let Some(state) = state.upgrade().filter(|_| !*until.borrow()) {
            let now = state.store.wait_for_change(heard, EVERY);
            if now != heard {
                state.following.poked.notify_one();
            }
            heard = now;
        }
    });
    if let Err(error) = ears {
        tracing::warn!(%error, "changes of the database are not waited for; they are looked for");
    }
    let (app, mut stop) = (app.clone(), stop.clone());
    vec![tokio::spawn(async move {
        tokio::select! {
            () = run(&app) => {}
            () = async { let _ = stop.wait_for(|stop| *stop).await; } => {}
        }
        app.state.following.active.store(false, Ordering::Release);
    })]
}

/// Looks again and again.
async fn run(app: &App) {
    let following = &app.state.following;
    let mut seen: Option<Marks> = None;
    let mut looked = Timestamp::now();
    let mut is_fine = true;
    loop {
        let begun = Instant::now();
        let number = following.begun.fetch_add(1, Ordering::SeqCst) + 1;
        // a machine that slept counts no time, but its clock goes on
        if Timestamp::now().duration_since(looked).unsigned_abs() > FORGETTING {
            tracing::warn!("what others wrote was not looked at for long: all computers are read again");
            app.state.live.distrust_computers();
            (seen, looked) = (None, Timestamp::now());
        }
        let wait = match look(app, seen).await {
            Ok(marks) => {
                (seen, looked) = (Some(marks), Timestamp::now());
                is_fine = true;
                following.done.send_replace(number);
                EVERY
            }
            Err(error) => {
                if std::mem::replace(&mut is_fine, false) {
                    tracing::warn!(error = chain(&error), "what others wrote cannot be followed; it is tried again");
                }
                PAUSE
            }
        };
        tokio::time::sleep(BREATH).await;
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = following.asked.notified() => {}
            () = async {
                following.poked.notified().await;
                tokio::time::sleep(REST.saturating_sub(begun.elapsed())).await;
            } => {}
        }
    }
}

/// One look. What moved since the look before is read again; all of it that may have moved if there was none.
async fn look(app: &App, before: Option<Marks>) -> Result<Marks, AdminError> {
    let now = app.read(|tx| tx.marks()).await?;
    let moved = |is_other: fn(&Marks, &Marks) -> bool| before.as_ref().is_none_or(|before| is_other(before, &now));
    if moved(|before, now| before.keys != now.keys) {
        app.state.reload_keys().await?;
    }
    if moved(|before, now| before.job != now.job) {
        app.state.reload_epoch().await?;
    }
    let catalogue = moved(|before, now| before.change != now.change);
    if catalogue || moved(|before, now| before.configured != now.configured) {
        app.reload_settings().await?;
    }
    let live = app.state.live.clone();
    let defined = moved(|before, now| before.membership != now.membership);
    if defined && !live.duties.has(Duty::Membership) {
        // what another front end is finding is shown when it is complete: to be held before computers are read
        let live = live.clone();
        blocking(move || Ok(live.follow_members()?)).await?;
    }
    let shown = live.current().change();
    if now.change > shown {
        app.publish_others().await?;
    } else if moved(|before, now| before.directory != now.directory || before.feed != now.feed) {
        blocking(move || Ok(live.follow_computers()?)).await?;
    }
    let heard = moved(|before, now| before.feed != now.feed) && app.state.live.duties.mine(Duty::Membership).is_some();
    if defined || heard || moved(|before, now| before.directory != now.directory) {
        app.state.live.membership.nudge();
    }
    if let Some(before) = before {
        tell(app, &before, &now).await?;
    }
    Ok(now)
}

/// Tells those who wait for a nudge of what others did: whoever has the duty may be another front end than the one that was asked.
async fn tell(app: &App, before: &Marks, now: &Marks) -> Result<(), AdminError> {
    let shared = app.shared();
    if before.change != now.change {
        shared.wanted.notify_one();
        shared.windows.notify_one();
        app.hub().nudge();
    }
    if (before.site, before.offered) != (now.site, now.offered) {
        app.hub().nudge();
        app.hub().status_changed();
    }
    if before.requests != now.requests {
        shared.wanted.notify_one();
    }
    if before.job != now.job {
        shared.runner.nudge();
        shared.backups.nudged.notify_one();
        shared.upkeep.notify_one();
    }
    if (before.job, before.open) != (now.job, now.open) {
        // what follows a synchronization or an import
        shared.rules.nudge();
    }
    if (before.alert, before.audit, before.job) != (now.alert, now.audit, now.job) {
        shared.alerts.notify_one();
    }
    let (after, up_to) = (before.audit, now.audit);
    if after == up_to {
        return Ok(());
    }
    for action in app.read(move |tx| tx.pulse_actions(after, up_to)).await? {
        wake(app, &action);
        if action.starts_with("site.") {
            sites::open(app).await?;
        }
    }
    Ok(())
}

/// Who may have something to do after an act.
fn wake(app: &App, action: &str) {
    let shared = app.shared();
    let (kind, what) = action.split_once('.').unwrap_or((action, ""));
    match kind {
        "backup" => shared.backups.nudged.notify_one(),
        "cleanup" => shared.cleanup.notify_one(),
        "content" => {
            shared.upkeep.notify_one();
            shared.wanted.notify_one();
        }
        "import" => {
            shared.rules.nudge();
            shared.wanted.notify_one();
        }
        "bundle" | "deployment" | "eula" | "group" => shared.wanted.notify_one(),
        "phased" => shared.phases.nudge(),
        "report_schedule" => shared.reports.nudged.notify_one(),
        "rule" | "rule_template" => shared.rules.nudge(),
        "setting" => {
            shared.downloads.interrupt();
            shared.wanted.notify_one();
            shared.runner.nudge();
            shared.backups.nudged.notify_one();
            shared.cleanup.notify_one();
            shared.retirement.notify_one();
            shared.reports.nudged.notify_one();
            shared.rules.nudge();
        }
        "site" => {
            app.hub().nudge();
            app.hub().status_changed();
        }
        "sync" => shared.runner.nudge(),
        "update" if what == "stop" || what == "resume" => shared.phases.nudge(),
        "window" => shared.windows.notify_one(),
        _ => {}
    }
}

/// How long a call waits for what it knows of and this front end does not: a look, and compiling the catalogue twice on a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
