//! Says which required deployments no maintenance window can ever hold: an alert `window.never` for each, open as long as
//! that is so.
//!
//! Reconciles: what every distinct set of collections and zone that computers here have is told now decides, some sets at a
//! time. The database is written only where an alert opens, changes or closes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use weir_model::ids::{CollectionId, DeploymentId};
use weir_store::alert::AlertSeverity;

use crate::{
    admin::{AdminError, App, Caller, chain},
    telemetry::{self, Job},
};

/// Kind of the alert; its subject is the number of the deployment.
pub(crate) const NEVER: &str = "window.never";
/// How often it is looked at without a nudge.
pub(super) const EVERY: Duration = Duration::from_mins(15);
/// Sets looked at in one turn.
const AT_ONCE: usize = 256;
/// Alerts that are open at once; a person sees to these first.
const MOST: usize = 200;
/// Collections that a message names.
const NAMED: usize = 5;

/// A deployment that cannot install somewhere.
#[derive(Debug, Default)]
struct Never {
    minutes: u32,
    longest: i64,
    computers: usize,
    collections: BTreeSet<CollectionId>,
}

/// One run.
pub(super) async fn run(app: &App) {
    match telemetry::job(Job::Windows, reconcile(app)).await {
        Ok((0, 0)) => {}
        Ok((opened, closed)) => tracing::info!(opened, closed, "deployments that no maintenance window can hold"),
        Err(error) => tracing::warn!(error = chain(&error), "looking for what fits no maintenance window failed"),
    }
}

async fn reconcile(app: &App) -> Result<(usize, usize), AdminError> {
    let live = app.state.live.clone();
    let now = Timestamp::now();
    let sets = live.directory.sets_by_zone();
    let mut found: BTreeMap<DeploymentId, Never> = BTreeMap::new();
    for some in sets.chunks(AT_ONCE) {
        let (live, some) = (live.clone(), some.to_vec());
        let turn = move || {
            let published = live.current();
            let mut found = Vec::new();
            for (groups, zone, computers) in some {
                let scope = published.scope(&groups);
                let Some(agenda) = published.agenda(&scope, zone.as_deref(), now) else { continue };
                if !agenda.never().is_empty() {
                    let longest = published.calendar(&groups, zone.as_deref()).longest().unwrap_or_default();
                    found.push((agenda, groups, computers, longest.as_mins()));
                }
            }
            Ok(found)
        };
        for (agenda, groups, computers, longest) in crate::admin::blocking(turn).await? {
            for (deployment, _, minutes) in agenda.never() {
                let never = found.entry(*deployment).or_default();
                never.minutes = *minutes;
                never.longest = never.longest.max(longest);
                never.computers += computers;
                never.collections.extend(groups.collections());
            }
        }
    }
    let caller = Caller::system("windows");
    let (wanted, open) = app
        .read(move |tx| {
            let names: BTreeMap<CollectionId, String> =
                tx.collection_list()?.into_iter().map(|row| (row.id, row.name)).collect();
            let mut wanted: BTreeMap<String, String> = BTreeMap::new();
            for (id, never) in found {
                // members of a deployed group are one deployment to people
                let shown = tx.deployment_expanded_from(id)?.unwrap_or(id);
                if wanted.len() >= MOST || wanted.contains_key(&shown.to_string()) {
                    continue;
                }
                let title = tx.deployment_show(shown)?.map_or_else(String::new, |row| row.title);
                wanted.insert(shown.to_string(), message(shown, &title, &never, &names));
            }
            let open = tx.alert_list(false, 10_000)?.into_iter().filter(|row| row.kind == NEVER);
            Ok((wanted, open.map(|row| (row.subject, row.message)).collect::<BTreeMap<_, _>>()))
        })
        .await?;
    let opening: Vec<_> = wanted.iter().filter(|(subject, message)| open.get(*subject) != Some(message)).collect();
    let opening: Vec<(String, String)> = opening.into_iter().map(|(a, b)| (a.clone(), b.clone())).collect();
    let closing: Vec<String> = open.into_keys().filter(|subject| !wanted.contains_key(subject)).collect();
    let changes = (opening.len(), closing.len());
    if changes != (0, 0) {
        app.write(&caller, move |tx| {
            for (subject, message) in &opening {
                tx.alert_open(NEVER, subject, AlertSeverity::Warning, message)?;
            }
            for subject in &closing {
                tx.alert_close(NEVER, subject)?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(changes)
}

fn message(id: DeploymentId, title: &str, never: &Never, names: &BTreeMap<CollectionId, String>) -> String {
    let listed: Vec<&str> =
        never.collections.iter().filter_map(|id| names.get(id)).map(String::as_str).take(NAMED).collect();
    let more = if never.collections.len() > NAMED { " and others" } else { "" };
    let computers =
        if never.computers == 1 { "1 computer".to_owned() } else { format!("{} computers", never.computers) };
    format!(
        "Deployment {id} ({title}) never installs on {computers} in {}{more}: its maximum run time is {} minutes, and no \
         maintenance window is that long (the longest has {}). Make a window longer (weir windows change NAME --duration 4h), \
         or let the deployment install outside of windows.",
        listed.join(", "),
        never.minutes,
        never.longest,
    )
}
