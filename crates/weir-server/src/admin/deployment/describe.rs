//! How deployments stand, at one instant.

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Write as _,
};

use jiff::{SignedDuration, Timestamp, tz::Offset};
use uuid::Uuid;
use weir_api::{
    Reference,
    deployment::{ContentProgress, Deployment, DeploymentState, MemberStates, NotSent},
};
use weir_model::{
    content::{ContentPolicy, Holding},
    ids::{DeploymentId, UpdateId},
    targeting::{DeploymentAction, DeploymentOrigin},
};
use weir_store::{
    ReadTx, StoreError,
    content_need::NeededFile,
    deployment::{Deployed, DeploymentFilter, DeploymentRow, Rows},
};

use super::{api_action, settings};
use crate::{admin::list, live::Live};

/// Rows read at once.
const PAGE: u32 = 1_000;
/// How much later than in UTC a time of day comes in the last zone.
const LAST_ZONE: SignedDuration = SignedDuration::from_hours(12);

/// Tells how deployments stand.
pub(crate) struct Describer {
    unresolved: HashSet<UpdateId>,
    policy: ContentPolicy,
    now: Timestamp,
    /// What deployments wait for, read when the first group is described.
    waiting: std::cell::OnceCell<BTreeMap<DeploymentId, (u64, u64)>>,
}

impl Describer {
    pub(crate) fn new(tx: &ReadTx<'_>, live: &Live) -> Result<Self, StoreError> {
        let snapshot = &live.current().snapshot;
        let unresolved = snapshot.unresolved().into_iter().filter_map(|(id, _)| snapshot.identity(id));
        let unresolved = unresolved.map(|identity| identity.update_id).collect();
        let policy = crate::content::policy(tx)?;
        Ok(Self { unresolved, policy, now: Timestamp::now(), waiting: std::cell::OnceCell::new() })
    }

    /// A deployment as lists give it.
    pub(crate) fn describe(&self, tx: &ReadTx<'_>, row: &DeploymentRow) -> Result<Deployment, StoreError> {
        self.of(tx, row, false)
    }

    /// A deployment in full: of a group with all its files.
    pub(crate) fn describe_whole(&self, tx: &ReadTx<'_>, row: &DeploymentRow) -> Result<Deployment, StoreError> {
        self.of(tx, row, true)
    }

    fn of(&self, tx: &ReadTx<'_>, row: &DeploymentRow, whole: bool) -> Result<Deployment, StoreError> {
        let named = |id: Uuid| Reference { id, name: list::short(row.title.trim()) };
        let (mut update, mut group, mut pinned, mut members) = (None, None, None, None);
        let (content, (state, state_text));
        match row.deployed {
            Deployed::Update { id, revision } => {
                update = Some(named(id.0));
                pinned = revision;
                content = self.progress(&tx.deployment_files(id, revision, &self.policy)?);
                let not_sent = self.not_sent(tx, id)?;
                (state, state_text) = self.state(row, not_sent.as_deref(), &content);
            }
            Deployed::Group(id) => {
                group = Some(named(id));
                let (states, missing) = self.members(tx, row)?;
                content = if whole { self.progress(&tx.update_group_files(id, &self.policy)?) } else { missing };
                (state, state_text) = Self::group_state(row, &states, &content, whole);
                members = Some(states);
            }
        }
        Ok(Deployment {
            id: row.id.0,
            name: row.terms.name.clone().unwrap_or_default(),
            description: row.terms.description.clone(),
            update,
            group,
            revision: pinned.map(|revision| revision.0),
            collection: Reference { id: row.collection.0, name: row.collection_name.clone() },
            action: api_action(row.action),
            available: row.available_at,
            deadline: row.deadline_at,
            state,
            state_text,
            content,
            members,
            enabled: row.enabled,
            settings: settings::shown(&row.terms),
            origin: origin(row.origin).to_owned(),
            source: row.terms.source_id,
            created_at: row.created_at,
            created_by: row.created_by.clone(),
        })
    }

    /// Why an update is sent to nobody with an action, if it is not.
    pub(super) fn not_sent(&self, tx: &ReadTx<'_>, id: UpdateId) -> Result<Option<String>, StoreError> {
        if let Some(stop) = tx.update_stop_show(id)? {
            return Ok(Some(format!("the update is stopped: {}", stop.reason)));
        }
        let why = match tx.update_show(id)? {
            None => "the update is not in the catalogue",
            Some(stored) if stored.declined => "the update is declined",
            Some(stored) if stored.expired => "the update is expired",
            Some(_) if self.unresolved.contains(&id) => "the update lacks something",
            Some(_) => return Ok(None),
        };
        Ok(Some(why.to_owned()))
    }

    /// How the updates of a group stand, and what is missing of their content.
    fn members(&self, tx: &ReadTx<'_>, row: &DeploymentRow) -> Result<(MemberStates, ContentProgress), StoreError> {
        let Deployed::Group(group) = row.deployed else { return Ok(Default::default()) };
        let mut why: BTreeMap<UpdateId, String> = BTreeMap::new();
        let mut cursor = None;
        loop {
            let page = tx.update_group_members(group, cursor.as_deref(), PAGE)?;
            for member in page.items {
                let reason = match member {
                    _ if member.stopped => "the update is stopped",
                    _ if member.newest.is_none() => "the update is not in the catalogue",
                    _ if member.declined => "the update is declined",
                    _ if member.expired => "the update is expired",
                    _ if self.unresolved.contains(&member.update) => "the update lacks something",
                    _ => continue,
                };
                why.insert(member.update, reason.to_owned());
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let waiting = if let Some(waiting) = self.waiting.get() {
            waiting
        } else {
            let waiting = tx.deployments_waiting(&self.policy)?;
            self.waiting.get_or_init(|| waiting)
        };
        let (mut states, mut missing) = (MemberStates::default(), ContentProgress::default());
        let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
        let filter = DeploymentFilter { rows: Rows::Members(row.id), ..DeploymentFilter::default() };
        loop {
            let page = tx.deployment_list(&filter, cursor.as_deref(), PAGE)?;
            for one in page.items {
                let Deployed::Update { id, .. } = one.deployed else { continue };
                states.updates += 1;
                if let Some(reason) = why.get(&id) {
                    states.not_sent += 1;
                    *reasons.entry(reason.clone()).or_default() += 1;
                } else if one.active && !self.waits_in_zones(&one) {
                    states.active += 1;
                } else if let Some((files, bytes)) = waiting.get(&one.id).filter(|_| !one.active) {
                    states.waiting_for_content += 1;
                    missing.files += files;
                    missing.bytes += bytes;
                } else {
                    states.waiting_for_available_time += 1;
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let mut reasons: Vec<NotSent> =
            reasons.into_iter().map(|(reason, updates)| NotSent { reason, updates }).collect();
        reasons.sort_by_key(|it| std::cmp::Reverse(it.updates));
        states.reasons = reasons;
        Ok((states, missing))
    }

    fn group_state(
        row: &DeploymentRow,
        states: &MemberStates,
        content: &ContentProgress,
        whole: bool,
    ) -> (DeploymentState, String) {
        if !row.enabled {
            return (DeploymentState::Disabled, "switched off: weir deployments enable".to_owned());
        }
        if states.updates == 0 {
            return (DeploymentState::NotSent, "not sent: the group is empty".to_owned());
        }
        let mut parts = vec![format!("{} of {} updates active", states.active, states.updates)];
        if states.waiting_for_available_time > 0 {
            parts.push(if row.terms.local_time {
                let at = Offset::UTC.to_datetime(row.available_at);
                format!("{} from {at} in each computer's zone", states.waiting_for_available_time)
            } else {
                format!("{} from {}", states.waiting_for_available_time, row.available_at)
            });
        }
        if states.waiting_for_content > 0 {
            let text = if whole {
                format!(
                    "{} waiting for content ({} of {} files, {} of {} bytes here)",
                    states.waiting_for_content,
                    content.files_present,
                    content.files,
                    content.bytes_present,
                    content.bytes
                )
            } else {
                format!("{} waiting for content", states.waiting_for_content)
            };
            parts.push(text);
        }
        parts.extend(states.reasons.iter().map(|it| format!("{} not sent: {}", it.updates, it.reason)));
        let state = match states {
            _ if states.active > 0 => DeploymentState::Active,
            _ if states.waiting_for_available_time > 0 => DeploymentState::WaitingForAvailableTime,
            _ if states.waiting_for_content > 0 => DeploymentState::WaitingForContent,
            _ => DeploymentState::NotSent,
        };
        (state, parts.join("; "))
    }

    /// Whether a deployment goes out whose available time, a time of day of each computer, has not come everywhere.
    fn waits_in_zones(&self, row: &DeploymentRow) -> bool {
        let acts = !matches!(row.action, DeploymentAction::Block | DeploymentAction::Detect);
        let waits = || self.now.duration_since(row.available_at) < LAST_ZONE;
        row.active && row.terms.local_time && acts && waits()
    }

    fn state(
        &self,
        row: &DeploymentRow,
        not_sent: Option<&str>,
        content: &ContentProgress,
    ) -> (DeploymentState, String) {
        if !row.enabled {
            return (DeploymentState::Disabled, "switched off: weir deployments enable".to_owned());
        }
        if let Some(why) = not_sent {
            return (DeploymentState::NotSent, format!("not sent: {why}"));
        }
        if self.waits_in_zones(row) {
            let at = Offset::UTC.to_datetime(row.available_at);
            let text = format!("waiting for its available time in each computer's zone, {at} there");
            return (DeploymentState::WaitingForAvailableTime, text);
        }
        if row.active {
            let text = match content.files_elsewhere {
                0 => "active".to_owned(),
                files => format!("active; computers fetch {files} of {} files elsewhere", content.files),
            };
            return (DeploymentState::Active, text);
        }
        if row.available_at > self.now {
            let at = row.available_at;
            return (DeploymentState::WaitingForAvailableTime, format!("waiting for its available time, {at}"));
        }
        if content.files_left_out > 0 && content.files_present == content.files {
            let text = "waiting for content: all its files are of languages that are not kept here, or hold differences only; \
                        weir languages list, weir settings show content.express";
            return (DeploymentState::WaitingForContent, text.to_owned());
        }
        let mut text = format!(
            "waiting for content ({} of {} files, {} of {} bytes here)",
            content.files_present, content.files, content.bytes_present, content.bytes
        );
        if content.without_source > 0 {
            let _ = write!(text, "; {} without a source: weir content add", content.without_source);
        }
        (DeploymentState::WaitingForContent, text)
    }

    fn progress(&self, files: &[NeededFile]) -> ContentProgress {
        let policy = &self.policy;
        let mut content = ContentProgress::default();
        for file in files {
            if !file.counts() {
                content.files_left_out += 1;
                continue;
            }
            content.files += 1;
            content.bytes += file.size;
            match file.holding {
                Holding::Here => {
                    content.files_present += 1;
                    content.bytes_present += file.size;
                }
                Holding::Elsewhere => content.files_elsewhere += 1,
                _ if !file.source && !policy.upstream_serves => content.without_source += 1,
                _ => {}
            }
        }
        content
    }
}

/// The word of an origin.
pub(super) fn origin(origin: DeploymentOrigin) -> &'static str {
    match origin {
        DeploymentOrigin::Local => "local",
        DeploymentOrigin::Parent => "parent",
        DeploymentOrigin::Rule => "rule",
    }
}
