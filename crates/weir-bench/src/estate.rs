//! What administrators made of a site within two years, and what was noted meanwhile, so that every screen of the console has as much to
//! show as on a large one: collections by hand and by rule, update groups, deployments that have begun, wait and are over, history,
//! events, acts, alerts.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned, tz::TimeZone};
use serde_json::{Value, json};
use uuid::Uuid;
use weir_model::{
    deployment::Terms,
    history::{Day, Series, Subject},
    ids::{CollectionId, UpdateId, UpdateIdentity},
    status::{Counts, event_id},
    targeting::{CollectionKind, DeploymentAction, DeploymentOrigin},
};
use weir_store::{
    Actor, StoreError, WriteTx,
    alert::AlertSeverity,
    collection::{MemberSource, NewCollection},
    deployment::{Deployed, NewDeployment},
    event::EventRow,
    membership::CollectionDefinition,
};

use crate::{fleet::Fleet, site::Site};

/// Collections; one of so many is by rule, and one of so many others has those that follow below it.
const COLLECTIONS: usize = 300;
const BY_RULE: usize = 3;
const PARENTS: usize = 20;
/// Update groups, and the updates of each.
const GROUPS: usize = 100;
const OF_A_GROUP: usize = 60;
/// Deployments of groups, and of single updates.
const OF_GROUPS: usize = 160;
const OF_UPDATES: usize = 40;
/// Days of history.
const DAYS: u32 = 730;
/// Times at which people did something, and what they did each time.
const TIMES: i64 = 500;
const ACTS: usize = 100;
/// Alerts that came and went each time.
const ALERTS: usize = 10;
/// Events of each computer, and of the few that tell much.
const EVENTS: usize = 2;
const TALKATIVE: usize = 100;
const EVENTS_OF_THESE: usize = 200;
/// Computers whose events are stored in one transaction.
const AT_ONCE: usize = 5_000;

/// A place in the tree of collections.
struct Made {
    id: CollectionId,
    name: String,
    kind: CollectionKind,
}

fn guid(kind: u128, number: usize) -> Uuid {
    Uuid::from_u128(0xe57a_0000_0000_4000_8000_0000_0000_0000 | kind << 32 | number as u128)
}

fn administrator(at: Timestamp) -> Actor {
    Actor::principal("anna", Some("192.0.2.1"), at)
}

/// Fills the database of a fleet before its server starts.
pub(crate) fn furnish(fleet: &Fleet) -> anyhow::Result<()> {
    let now = Timestamp::from_second(Timestamp::now().as_second())?;
    let made = fleet.store.write(&administrator(now), |tx| {
        let made = collections(tx)?;
        let groups = groups(tx, fleet)?;
        let pairs = deployments(tx, fleet, &groups, now)?;
        history(tx, &subjects(&made, &groups, &pairs), fleet.size() as u64, now)?;
        Ok(made)
    })?;
    members(fleet, &made, now)?;
    acts(fleet, now)?;
    events(fleet, now)
}

fn collections(tx: &WriteTx<'_>) -> Result<Vec<Made>, StoreError> {
    let (mut made, mut parent): (Vec<Made>, Option<CollectionId>) = (Vec::new(), None);
    for number in 0..COLLECTIONS {
        let id = CollectionId(guid(1, number));
        let by_rule = number.is_multiple_of(BY_RULE);
        let (name, kind) = if by_rule {
            (format!("Rule {number}"), CollectionKind::Rule)
        } else {
            (format!("Office {number}"), CollectionKind::TargetGroup)
        };
        let above = if by_rule { None } else { parent };
        tx.collection_create(&NewCollection { id, name: name.clone(), parent: above, kind })?;
        if by_rule {
            // about one of a hundred computers
            let rule = Some(format!("name ~ \"pc{}\"", 10 + number % 90));
            tx.collection_define(id, &CollectionDefinition { rule, ..CollectionDefinition::default() })?;
        } else if number % PARENTS == 1 {
            parent = Some(id);
        }
        made.push(Made { id, name, kind });
    }
    Ok(made)
}

fn groups(tx: &WriteTx<'_>, fleet: &Fleet) -> Result<Vec<(Uuid, String)>, StoreError> {
    let updates: Vec<UpdateId> = fleet.update_ids().collect();
    let mut groups = Vec::new();
    for number in 0..GROUPS {
        let first = number * OF_A_GROUP * 4 / 5;
        let members: Vec<UpdateId> = updates.iter().copied().cycle().skip(first).take(OF_A_GROUP).collect();
        let (id, name) = (guid(2, number), format!("Month {number}"));
        tx.update_group_put(id, &name, &members)?;
        groups.push((id, name));
    }
    Ok(groups)
}

/// Deployments to rings. Gives which group goes to which.
fn deployments(
    tx: &WriteTx<'_>,
    fleet: &Fleet,
    groups: &[(Uuid, String)],
    now: Timestamp,
) -> Result<Vec<(Uuid, CollectionId)>, StoreError> {
    let rings: Vec<CollectionId> = Fleet::rings().collect();
    let updates: Vec<UpdateId> = fleet.update_ids().collect();
    let mut pairs = Vec::new();
    for number in 0..OF_GROUPS + OF_UPDATES {
        // the same group goes to another ring when its turn comes again
        let ring = rings.get((number + number / GROUPS) % rings.len().max(1));
        let group = groups.get(number % GROUPS).filter(|_| number < OF_GROUPS).map(|(id, _)| *id);
        let update = updates.get((1_000 + number) % updates.len().max(1)).copied();
        let (Some(ring), Some(update)) = (ring, update) else { continue };
        let hours = SignedDuration::from_hours(24 * 3 * number as i64);
        // most began, and their deadlines are over; some wait
        let waits = number.is_multiple_of(20);
        let available_at = if waits { now + SignedDuration::from_hours(72) } else { now - hours };
        let deadline_at = (!number.is_multiple_of(4)).then(|| available_at + SignedDuration::from_hours(7 * 24));
        tx.deployment_create(&NewDeployment {
            guid: guid(3, number),
            deployed: group.map_or(Deployed::Update { id: update, revision: None }, Deployed::Group),
            collection: *ring,
            action: if number % 7 == 6 { DeploymentAction::Optional } else { DeploymentAction::Install },
            available_at,
            deadline_at,
            origin: DeploymentOrigin::Local,
            active: !waits,
            terms: Terms { name: Some(format!("Deployment {number}")), ..Terms::default() },
        })?;
        pairs.extend(group.map(|group| (group, *ring)));
    }
    Ok(pairs)
}

/// What history is kept of.
fn subjects(made: &[Made], groups: &[(Uuid, String)], pairs: &[(Uuid, CollectionId)]) -> Vec<(Subject, String)> {
    let all = (Subject::Collection(CollectionId::ALL_COMPUTERS), "All Computers".to_owned());
    let here = (Subject::Site(Uuid::nil()), "this server".to_owned());
    let rings = Fleet::rings().map(|ring| (Subject::Collection(ring), ring.to_string()));
    let collections = made.iter().map(|made| (Subject::Collection(made.id), made.name.clone()));
    let of_groups = groups.iter().map(|(id, name)| (Subject::Group(*id), name.clone()));
    let of_pairs = pairs.iter().map(|(group, ring)| (Subject::GroupIn(*group, *ring), format!("{group} in {ring}")));
    [all, here].into_iter().chain(rings).chain(collections).chain(of_groups).chain(of_pairs).collect()
}

fn history(tx: &WriteTx<'_>, subjects: &[(Subject, String)], computers: u64, now: Timestamp) -> Result<(), StoreError> {
    // one course serves for all: what it costs to read is the same
    let today = Day::at(now, &TimeZone::UTC);
    let mut years: BTreeMap<i16, Series> = BTreeMap::new();
    for ago in (1..=DAYS).rev() {
        let day = today.minus(ago);
        // an update comes each month, and is there on more computers every day
        let required = computers * u64::from(ago % 30) / 60;
        let counts = Counts { installed: computers - required, required, ..Counts::default() };
        let _recorded = years.entry(day.date().year()).or_default().record(day, counts);
    }
    let years: Vec<(i16, Vec<u8>)> = years.into_iter().map(|(year, series)| (year, series.encode())).collect();
    for (subject, name) in subjects {
        let no = tx.history_subject_put(subject, name)?;
        for (year, series) in &years {
            tx.history_put(no, *year, series)?;
        }
    }
    Ok(())
}

/// Puts every second computer into an office.
fn members(fleet: &Fleet, made: &[Made], now: Timestamp) -> anyhow::Result<()> {
    let offices: Vec<CollectionId> =
        made.iter().filter(|made| made.kind == CollectionKind::TargetGroup).map(|made| made.id).collect();
    let numbers: Vec<u32> = (1..=u32::try_from(fleet.size())?).step_by(2).collect();
    for some in numbers.chunks(AT_ONCE) {
        fleet.store.write(&administrator(now), |tx| {
            for no in some {
                if let Some(office) = offices.get(*no as usize / 2 % offices.len().max(1)) {
                    tx.collection_add(*office, *no, MemberSource::Manual)?;
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// What people did and what they were told, over the whole time.
fn acts(fleet: &Fleet, now: Timestamp) -> anyhow::Result<()> {
    let (before, after) =
        (json!({ "enabled": true, "deadline": null }), json!({ "enabled": false, "deadline": "asap" }));
    for time in (0..TIMES).rev() {
        let at = now - SignedDuration::from_hours(24 * i64::from(DAYS) / TIMES * time);
        fleet.store.write(&administrator(at), |tx| {
            for act in 0..ACTS {
                tx.audit("deployment.change", &(act + 1).to_string(), Some(&before), Some(&after))?;
            }
            for alert in 0..ALERTS {
                let subject = format!("source {alert}");
                tx.alert_open("sync.failed", &subject, AlertSeverity::Warning, "the source did not answer")?;
                // the last ones stay open
                if time > 0 {
                    tx.alert_close("sync.failed", &subject)?;
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn events(fleet: &Fleet, now: Timestamp) -> anyhow::Result<()> {
    let updates: Vec<UpdateId> = fleet.update_ids().collect();
    for start in (0..fleet.size()).step_by(AT_ONCE) {
        fleet.store.write(&Actor::system("bench", now), |tx| {
            for place in start..(start + AT_ONCE).min(fleet.size()) {
                let of = if place < TALKATIVE { EVENTS_OF_THESE } else { EVENTS };
                for turn in 0..of {
                    let Some(update) = updates.get((place + turn) % updates.len().max(1)) else { continue };
                    let at = now - SignedDuration::from_hours(turn as i64);
                    tx.event_insert(&EventRow {
                        instance_id: Uuid::from_u128(1 << 127 | (place as u128) << 64 | turn as u128),
                        computer: place as u32 + 1,
                        update: Some(UpdateIdentity::new(*update, 1)),
                        event_id: event_id::INSTALL_FAILED,
                        source_id: 101,
                        at_target: at,
                        received_at: at,
                        hresult: 0x8007_0643_u32.cast_signed(),
                        detail: None,
                    })?;
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// One of each thing that administrators make beside that, by the command line, as the walk through every screen in a browser has it. What
/// cannot be made is said: its screens are missing from the figures then.
pub(crate) fn make(site: &Site, tell: &dyn Fn(&str)) {
    let end = Zoned::now().date().saturating_add(300.days()).to_string();
    let stopped = site.weir(&["updates", "list", "--filter", "deployable"]).ok();
    let stopped = stopped.as_ref().and_then(|list| list.pointer("/items/0/id")?.as_str()).unwrap_or_default();
    let things: &[&[&str]] = &[
        &["windows", "create", "Nightly", "--collection", "Office 1", "--schedule", "daily at 22:00"],
        &["searches", "create", "Needed now", "--filter", "needed > 0"],
        &["deployments", "templates", "save", "Two days", "--action", "install", "--deadline", "+2d"],
        &["rules", "create", "Monthly", "--template", "patch-tuesday", "--deploy", "Office 1,install,deadline=3d"],
        &["rules", "run", "Monthly"],
        &["rules", "templates", "--save-from", "Monthly", "--name", "Ours"],
        &["client-settings", "create", "Branch", "--collection", "Office 1"],
        &[
            "reports",
            "schedules",
            "create",
            "Each day",
            "--report",
            "compliance-overall",
            "--schedule",
            "daily at 05:30",
            "--folder",
            "daily",
        ],
        &["alerts", "subscriptions", "create", "Operators", "--url", "http://127.0.0.1:9/hook", "--allow-http"],
        &[
            "phased",
            "create",
            "Careful",
            "--group",
            "Month 0",
            "--phase",
            "Office 1,success=90%",
            "--phase",
            "Office 2,manual",
        ],
        &["phased", "create", "Given up", "--group", "Month 1", "--phase", "Office 1", "--phase", "Office 2,manual"],
        &["phased", "stop", "Given up"],
        &["updates", "stop", stopped, "--reason", "Printers stop"],
        &["sites", "add", "PRI9", "--kind", "primary"],
        &["sites", "enrol", "PRI9"],
        &[
            "exposure",
            "exceptions",
            "add",
            "--cve",
            "CVE-2026-10000",
            "--collection",
            "Office 1",
            "--owner",
            "Desk",
            "--reason",
            "Not reachable",
            "--expires",
            &end,
        ],
        &["users", "create", "olga", "--role", "operator", "--collection", "Office 1"],
        &["users", "map", "patch-team", "--role", "operator"],
        &["tokens", "create", "watch", "--role", "read-only-analyst", "--days", "30"],
        &["content", "verify"],
        &["cleanup", "run"],
    ];
    for arguments in things {
        if let Err(error) = site.weir(arguments) {
            tell(&format!("console: not made: {error:#}"));
        }
    }
    failed_synchronization(site, tell);
}

/// A synchronization that failed; the source is put back.
fn failed_synchronization(site: &Site, tell: &dyn Fn(&str)) {
    let status = site.weir(&["sync", "status"]).unwrap_or(Value::Null);
    let Some(source) = status["source"].as_str() else { return };
    let set = |source: &str| site.weir(&["settings", "set", "source", source]);
    if let Err(error) = set("http://127.0.0.1:9") {
        tell(&format!("console: not made: {error:#}"));
        return;
    }
    // it fails, which is what it is for
    let _failed = site.weir(&["sync", "now", "--wait"]);
    if let Err(error) = set(source) {
        tell(&format!("console: the source is another one now: {error:#}"));
    }
}
