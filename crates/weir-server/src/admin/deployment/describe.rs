//! How deployments stand, at one instant.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use jiff::{Timestamp, tz::Offset};
use uuid::Uuid;
use weir_api::{
    Reference,
    deployment::{ContentProgress, Deployment, DeploymentState, MemberStates, NotSent},
};
use weir_model::{
    content::{ContentPolicy, Holding},
    deployment::LAST_ZONE,
    ids::UpdateId,
    targeting::{DeploymentAction, DeploymentOrigin},
};
use weir_store::{
    ReadTx, StoreError,
    content_need::{NeededFile, Waiting},
    deployment::{Deployed, DeployedMember, DeploymentRow, Withheld},
};

use super::{api_action, settings};
use crate::{
    admin::list,
    live::{Live, Published},
};

/// Tells how deployments stand.
pub(crate) struct Describer {
    published: Arc<Published>,
    policy: ContentPolicy,
    now: Timestamp,
    live: Live,
    /// What deployments wait for, read when the first group is described.
    waiting: std::cell::OnceCell<Arc<Waiting>>,
}

impl Describer {
    pub(crate) fn new(tx: &ReadTx<'_>, live: &Live) -> Result<Self, StoreError> {
        let (published, policy) = (live.current(), crate::content::policy(tx)?);
        Ok(Self { published, policy, now: Timestamp::now(), live: live.clone(), waiting: std::cell::OnceCell::new() })
    }

    /// A deployment as lists give it.
    pub(crate) fn describe(&self, tx: &ReadTx<'_>, row: &DeploymentRow) -> Result<Deployment, StoreError> {
        self.of(tx, row, None, false)
    }

    /// The same of a deployed group of which it is known how its members go out.
    pub(super) fn describe_with(
        &self,
        tx: &ReadTx<'_>,
        row: &DeploymentRow,
        members: &[DeployedMember],
    ) -> Result<Deployment, StoreError> {
        self.of(tx, row, Some(members), false)
    }

    /// A deployment in full: of a group with all its files.
    pub(crate) fn describe_whole(&self, tx: &ReadTx<'_>, row: &DeploymentRow) -> Result<Deployment, StoreError> {
        self.of(tx, row, None, true)
    }

    fn of(
        &self,
        tx: &ReadTx<'_>,
        row: &DeploymentRow,
        known: Option<&[DeployedMember]>,
        whole: bool,
    ) -> Result<Deployment, StoreError> {
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
                let (states, missing) = match known {
                    Some(members) => self.members(tx, row, members)?,
                    None => self.members(tx, row, &tx.deployed_members(row.id)?)?,
                };
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
            Some(_) if self.published.lacking().contains(&id) => "the update lacks something",
            Some(_) => return Ok(None),
        };
        Ok(Some(why.to_owned()))
    }

    /// How the updates of a group stand, and what is missing of their content.
    fn members(
        &self,
        tx: &ReadTx<'_>,
        row: &DeploymentRow,
        members: &[DeployedMember],
    ) -> Result<(MemberStates, ContentProgress), StoreError> {
        let waiting = if let Some(waiting) = self.waiting.get() {
            waiting
        } else {
            let waiting = self.live.waiting(tx)?;
            self.waiting.get_or_init(|| waiting)
        };
        let (mut states, mut missing) = (MemberStates::default(), ContentProgress::default());
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        for member in members {
            let withheld = match member.withheld {
                Some(Withheld::Stopped) => Some("the update is stopped"),
                Some(Withheld::Missing) => Some("the update is not in the catalogue"),
                Some(Withheld::Declined) => Some("the update is declined"),
                Some(Withheld::Expired) => Some("the update is expired"),
                None if self.published.lacking().contains(&member.update) => Some("the update lacks something"),
                None => None,
            };
            states.updates += 1;
            if let Some(reason) = withheld {
                states.not_sent += 1;
                *reasons.entry(reason).or_default() += 1;
            } else if member.active && !self.waits(row, member.available_at) {
                states.active += 1;
            } else if let Some((files, bytes)) = waiting.get(&member.id).filter(|_| !member.active) {
                states.waiting_for_content += 1;
                missing.files += files;
                missing.bytes += bytes;
            } else {
                states.waiting_for_available_time += 1;
            }
        }
        let mut reasons: Vec<NotSent> =
            reasons.into_iter().map(|(reason, updates)| NotSent { reason: reason.to_owned(), updates }).collect();
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
        row.active && self.waits(row, row.available_at)
    }

    /// The same of what is available from then on by the terms of a deployment, its own or those of a group.
    fn waits(&self, row: &DeploymentRow, available: Timestamp) -> bool {
        let acts = !matches!(row.action, DeploymentAction::Block | DeploymentAction::Detect);
        row.terms.local_time && acts && self.now.duration_since(available) < LAST_ZONE
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
