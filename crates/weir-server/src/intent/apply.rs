//! Writing objects.

mod client_settings;
mod collection;
mod rules;
mod window;

use serde::de::DeserializeOwned;
use uuid::Uuid;
use weir_model::{
    deployment::{LONGEST_TEXT, template_name},
    ids::{CollectionId, RevisionNumber, UpdateId},
    run_time,
    targeting::{DeploymentAction, DeploymentOrigin},
};
use weir_store::{
    StoreError, WriteTx,
    deployment::Deployed,
    intent::{DeploymentIntent, IntentOrigin},
    saved_search::SavedSearch,
    selection::SelectionKind,
    update_setting::UpdateSetting,
};
use weir_wire::package::LANGUAGES;

use super::{Applied, Kind, Object, Origin, Refused, TOP_SETTINGS, body, key, key::Key};
use crate::admin::{chain, search, setting};

/// Entries of a selection or members of a group.
const MOST_ENTRIES: usize = 100_000;

/// What became of one object.
enum Outcome {
    Changed,
    Refused(String),
    Same,
}

impl Outcome {
    fn changed(changed: bool) -> Self {
        if changed { Self::Changed } else { Self::Same }
    }
}

type Done = Result<Outcome, StoreError>;

/// Applies objects in one transaction. Give it everything that was sent together, whatever pages it came in: an object may
/// depend on one that changed after it. Follow it with `App::reload_settings` and `App::publish` when the transaction is
/// committed. An error is the store's alone: objects that do not fit are reported in [`Applied`].
pub fn apply(tx: &WriteTx<'_>, objects: &[Object], origin: Origin) -> Result<Applied, StoreError> {
    let mut work = Work { tx, origin, applied: Applied::default() };
    let (mut present, mut gone) = (Vec::new(), Vec::new());
    for object in objects {
        let known = object.kind.parse::<Kind>().ok().filter(|kind| object.version <= kind.version());
        let Some(kind) = known else {
            work.applied.unknown(&object.kind, object.version, 1);
            continue;
        };
        let list = if object.deleted { &mut gone } else { &mut present };
        list.push((kind, object));
    }
    // what is deleted may be in the way of a new name; what it still holds may be on its way elsewhere
    gone.sort_by_key(|(kind, _)| std::cmp::Reverse(*kind));
    present.sort_by_key(|(kind, _)| *kind);
    let gone = work.round(gone, false)?;
    let present = work.round(present, true)?;
    // collections before the one they are nested in, deletions before what they wait for
    let mut rest: Vec<_> = gone.into_iter().chain(present).collect();
    loop {
        let before = rest.len();
        rest = work.round(rest, true)?;
        if rest.is_empty() || rest.len() == before {
            break;
        }
    }
    for (kind, object) in rest {
        if let Outcome::Refused(reason) = work.one(kind, object)? {
            work.refuse(object, reason);
        }
    }
    Ok(work.applied)
}

struct Work<'t> {
    tx: &'t WriteTx<'t>,
    origin: Origin,
    applied: Applied,
}

impl Work<'_> {
    /// Applies objects and gives back those that may work later.
    fn round<'o>(
        &mut self,
        objects: Vec<(Kind, &'o Object)>,
        retry_all: bool,
    ) -> Result<Vec<(Kind, &'o Object)>, StoreError> {
        let mut later = Vec::new();
        for (kind, object) in objects {
            match self.one(kind, object)? {
                Outcome::Changed => self.applied.applied += 1,
                Outcome::Same => self.applied.unchanged += 1,
                Outcome::Refused(_) if retry_all || object.deleted => later.push((kind, object)),
                Outcome::Refused(reason) => self.refuse(object, reason),
            }
        }
        Ok(later)
    }

    fn refuse(&mut self, object: &Object, reason: String) {
        let id = object.id.chars().take(200).collect();
        self.applied.refused.push(Refused { kind: object.kind.clone(), id, reason });
    }

    /// One object. What only the rules of the database refuse is refused in their words.
    fn one(&self, kind: Kind, object: &Object) -> Done {
        let Some(key) = Key::read(kind, &object.id) else {
            return Ok(Outcome::Refused(format!("{:?} is no id of a {kind}", object.id)));
        };
        let stored = key.stored();
        let known = self.tx.intent_show(key::stored(kind), &stored)?.filter(|row| !row.deleted);
        let made_here = known.as_ref().is_some_and(|row| row.origin == IntentOrigin::Local);
        let done = match (made_here && self.origin == Origin::Bundle).then(|| self.differs(&key, object)) {
            Some(false) => Ok(Outcome::Same),
            Some(true) => Ok(Outcome::Refused("it was decided here, and that stays; undo it here first".to_owned())),
            // what the database refuses in the middle of it leaves nothing of it behind
            None => {
                self.tx.part(|| if object.deleted { self.delete(kind, &key) } else { self.put(kind, &key, object) })
            }
        };
        let done = match done {
            Ok(done) => done,
            Err(
                error @ (StoreError::BuiltInCollection(_)
                | StoreError::CollectionExists(_)
                | StoreError::CollectionInUse { .. }
                | StoreError::CollectionName(_)
                | StoreError::Constraint { .. }
                | StoreError::DeploymentExists { .. }
                | StoreError::Missing { .. }
                | StoreError::UnknownCollection(_)
                | StoreError::UnknownUpdate(_)),
            ) => Outcome::Refused(chain(&error)),
            Err(error) => return Err(error),
        };
        let mine = matches!(done, Outcome::Changed) || (matches!(done, Outcome::Same) && self.origin == Origin::Parent);
        if mine && !object.deleted {
            let origin = match self.origin {
                Origin::Bundle => IntentOrigin::Bundle,
                Origin::Parent => IntentOrigin::Parent,
            };
            self.tx.intent_set_origin(key::stored(kind), &stored, origin)?;
        }
        Ok(done)
    }

    /// Whether what was decided here says something else than the object.
    fn differs(&self, key: &Key, object: &Object) -> bool {
        let Ok(kind) = object.kind.parse::<Kind>() else { return true };
        let here = super::export::body(self.tx, key, key::stored(kind)).ok().flatten();
        match here {
            None => !object.deleted,
            Some(_) if object.deleted => true,
            Some(mut body) => {
                // two sites that decide the same give it different guids
                if let (Some(here), Some(there)) = (body.get_mut("guid"), object.body.get("guid")) {
                    *here = there.clone();
                }
                body != object.body
            }
        }
    }

    fn put(&self, kind: Kind, key: &Key, object: &Object) -> Done {
        match (kind, key) {
            (Kind::Setting, Key::Text(key)) => read(object, |body| self.setting(key, &body)),
            (Kind::Selection, Key::Selection(which)) => read(object, |body| self.selection(*which, body)),
            (Kind::Criterion, Key::Guid(id)) => read(object, |body| self.criterion(*id, body)),
            (Kind::SavedSearch, Key::Guid(id)) => read(object, |body| self.saved_search(*id, body)),
            (Kind::UpdateGroup, Key::Guid(id)) => read(object, |body| self.group(*id, &body)),
            (Kind::Collection, Key::Guid(id)) => read(object, |body| self.collection(CollectionId(*id), body)),
            (Kind::MaintenanceWindow, Key::Guid(id)) => read(object, |body| self.window(*id, &body)),
            (Kind::ClientSettings, Key::Guid(id)) => read(object, |body| self.client_settings(*id, body)),
            (Kind::Decline, Key::Guid(id)) => {
                read(object, |_: body::Decline| Ok(Outcome::changed(self.tx.update_decline(UpdateId(*id))?)))
            }
            (Kind::EulaAcceptance, Key::Guid(id)) => read(object, |body: body::EulaAcceptance| {
                if body.eula_id.len() > 100 {
                    return Ok(Outcome::Refused("its licence id is too long".to_owned()));
                }
                Ok(Outcome::changed(self.tx.update_accept_eula(UpdateId(*id), &body.eula_id)?))
            }),
            (Kind::UpdateStop, Key::Guid(id)) => read(object, |body: body::UpdateStop| {
                if body.reason.chars().count() > LONGEST_TEXT {
                    return Ok(Outcome::Refused("its reason is too long".to_owned()));
                }
                Ok(Outcome::changed(self.tx.update_stop_put(UpdateId(*id), &body.reason)?))
            }),
            (Kind::DeploymentTemplate, Key::Guid(id)) => read(object, |body| self.template(*id, &body)),
            (Kind::Rule, Key::Guid(id)) => read(object, |body| self.rule(*id, body)),
            (Kind::Phased, Key::Guid(id)) => read(object, |body| self.phased(*id, body)),
            (Kind::UpdateSetting, Key::Guid(id)) => read(object, |body| self.update_setting(UpdateId(*id), &body)),
            (Kind::Deployment, Key::Deployment(deployed, collection)) => {
                read(object, |body| self.deployment(*deployed, *collection, &body))
            }
            _ => Ok(Outcome::Refused("this version does not apply it".to_owned())),
        }
    }

    fn setting(&self, key: &str, body: &body::Setting) -> Done {
        if !TOP_SETTINGS.contains(&key) {
            return Ok(Outcome::Refused("each site decides this setting for itself".to_owned()));
        }
        let Some(value) = setting::checked(key, &body.value) else {
            return Ok(Outcome::Refused(format!("{} is no value of {key}", body.value)));
        };
        Ok(Outcome::changed(setting::store(self.tx, key, Some(&value))?.as_ref() != Some(&value)))
    }

    fn update_setting(&self, update: UpdateId, body: &body::UpdateSetting) -> Done {
        if let Some(minutes) = body.run_time_minutes.filter(|it| !(run_time::LEAST..=run_time::MOST).contains(it)) {
            return Ok(Outcome::Refused(format!("{minutes} minutes are no run time")));
        }
        let before = self.tx.update_setting(update)?;
        let wanted = UpdateSetting {
            run_time_minutes: body.run_time_minutes.unwrap_or(before.run_time_minutes),
            run_time_set: body.run_time_minutes.is_some(),
            custom_severity: body.custom_severity,
        };
        Ok(Outcome::changed(self.tx.update_setting_put(update, wanted)?))
    }

    fn selection(&self, which: SelectionKind, body: body::Selection) -> Done {
        let known = |value: &String| match which {
            SelectionKind::Languages => LANGUAGES.iter().any(|(_, short, _)| short == value),
            _ => Uuid::try_parse(value).is_ok(),
        };
        if body.values.len() > MOST_ENTRIES {
            return Ok(Outcome::Refused(format!("it names more than {MOST_ENTRIES} entries")));
        }
        if let Some(wrong) = body.values.iter().find(|value| !known(value)) {
            return Ok(Outcome::Refused(format!("{wrong:?} cannot be selected")));
        }
        let mut values = body.values;
        values.sort_unstable();
        values.dedup();
        let changed = self.tx.selection_list(which)? != values;
        if changed {
            self.tx.selection_set(which, &values)?;
        }
        Ok(Outcome::changed(changed))
    }

    fn criterion(&self, id: Uuid, body: body::Criterion) -> Done {
        let mut rule = body.rule;
        if let Err(error) = rule.check() {
            return Ok(Outcome::Refused(chain(&error)));
        }
        let known = self.tx.criterion_show(id)?;
        if known.is_some_and(|row| row.rule == rule && row.origin == DeploymentOrigin::Parent) {
            return Ok(Outcome::Same);
        }
        if let Some(other) = self.tx.criterion_find(&rule.name)?.filter(|other| other.id != id) {
            match self.origin {
                Origin::Bundle => return Ok(Outcome::Refused(same_name("a criterion", &rule.name))),
                Origin::Parent => {
                    let mut renamed = other.rule;
                    renamed.name = free_name(&renamed.name, |name| Ok(self.tx.criterion_find(name)?.is_some()))?;
                    self.tx.criterion_put(other.id, &renamed, other.origin)?;
                }
            }
        }
        rule.name = rule.name.trim().to_owned();
        self.tx.criterion_put(id, &rule, DeploymentOrigin::Parent)?;
        Ok(Outcome::Changed)
    }

    fn saved_search(&self, id: Uuid, body: body::SavedSearch) -> Done {
        let body::SavedSearch { name, description, filter, text, sort } = body;
        let mut wanted = SavedSearch { name, description, filter, text, sort };
        if let Err(error) = search::check(&mut wanted) {
            return Ok(Outcome::Refused(chain(&error)));
        }
        let known = self.tx.saved_search_show(id)?;
        if known.is_some_and(|row| row.search == wanted && row.origin == DeploymentOrigin::Parent) {
            return Ok(Outcome::Same);
        }
        if let Some(other) = self.tx.saved_search_find(&wanted.name)?.filter(|other| other.id != id) {
            match self.origin {
                Origin::Bundle => return Ok(Outcome::Refused(same_name("a saved search", &wanted.name))),
                Origin::Parent => {
                    let mut renamed = other.search;
                    renamed.name = free_name(&renamed.name, |name| Ok(self.tx.saved_search_find(name)?.is_some()))?;
                    self.tx.saved_search_put(other.id, &renamed, other.origin)?;
                }
            }
        }
        self.tx.saved_search_put(id, &wanted, DeploymentOrigin::Parent)?;
        Ok(Outcome::Changed)
    }

    fn group(&self, id: Uuid, body: &body::UpdateGroup) -> Done {
        let name = body.name.trim();
        if name.is_empty() || name.chars().count() > 255 || name.contains(char::is_control) {
            return Ok(Outcome::Refused(format!("{name:?} cannot name an update group")));
        }
        if body.updates.len() > MOST_ENTRIES {
            return Ok(Outcome::Refused(format!("it names more than {MOST_ENTRIES} updates")));
        }
        if let Some(other) = self.tx.update_group_find(name)?.filter(|other| *other != id) {
            let Some((taken, members)) = self.tx.update_group_show(other)? else {
                return Ok(Outcome::Refused(format!("another update group is named {name:?}")));
            };
            match self.origin {
                Origin::Bundle => return Ok(Outcome::Refused(same_name("an update group", name))),
                Origin::Parent => {
                    let free = free_name(&taken, |name| Ok(self.tx.update_group_find(name)?.is_some()))?;
                    self.tx.update_group_put(other, &free, &members)?;
                }
            }
        }
        if body.description.chars().count() > LONGEST_TEXT {
            return Ok(Outcome::Refused("its description is too long".to_owned()));
        }
        let updates: Vec<UpdateId> = body.updates.iter().copied().map(UpdateId).collect();
        let changed = self.tx.update_group_put(id, name, &updates)?;
        Ok(Outcome::changed(self.tx.update_group_describe(id, &body.description)? || changed))
    }

    fn template(&self, id: Uuid, body: &body::DeploymentTemplate) -> Done {
        let name = match template_name(&body.name) {
            Ok(name) => name,
            Err(error) => return Ok(Outcome::Refused(chain(&error))),
        };
        if let Err(error) = body.template.check() {
            return Ok(Outcome::Refused(chain(&error)));
        }
        if let Some(other) = self.tx.template_find(name)?.filter(|other| other.id != id) {
            match self.origin {
                Origin::Bundle => return Ok(Outcome::Refused(same_name("a template", name))),
                Origin::Parent => {
                    // the names of templates are short and have no brackets
                    let short: String = other.name.chars().take(100).collect();
                    let free = |number: u32| format!("{short} local {number}");
                    let mut number = 1;
                    while self.tx.template_find(&free(number))?.is_some() {
                        number += 1;
                    }
                    self.tx.template_put(other.id, &free(number), &other.template, other.origin)?;
                }
            }
        }
        Ok(Outcome::changed(self.tx.template_put(id, name, &body.template, DeploymentOrigin::Parent)?))
    }

    fn deployment(&self, deployed: Deployed, collection: CollectionId, body: &body::Deployment) -> Done {
        if body.deadline_at.is_some() && !matches!(body.action, DeploymentAction::Install | DeploymentAction::Uninstall)
        {
            return Ok(Outcome::Refused("only install and uninstall can have a deadline".to_owned()));
        }
        if let Some(error) = body.terms.as_ref().and_then(|terms| terms.check(body.action, body.deadline_at).err()) {
            return Ok(Outcome::Refused(chain(&error)));
        }
        if self.tx.collection_show(collection)?.is_none() {
            return Ok(Outcome::Refused(format!("its collection, {}, is not here", collection.0)));
        }
        let deployed = match deployed {
            Deployed::Group(group) if self.tx.update_group_show(group)?.is_none() => {
                return Ok(Outcome::Refused(format!("its update group, {group}, is not here")));
            }
            Deployed::Group(group) => Deployed::Group(group),
            Deployed::Update { id, .. } => {
                // it may come before its update, and is not sent until that is here
                self.tx.update_intern(id)?;
                Deployed::Update { id, revision: body.revision.map(RevisionNumber) }
            }
        };
        let wanted = DeploymentIntent {
            deployed,
            collection,
            action: body.action,
            available_at: body.available_at,
            deadline_at: body.deadline_at,
            enabled: body.enabled,
            guid: body.guid,
            // a sender of an earlier version knows none
            terms: Some(body.terms.clone().unwrap_or_default()),
        };
        Ok(Outcome::changed(self.tx.deployment_put(&wanted, DeploymentOrigin::Parent)?))
    }

    fn delete(&self, kind: Kind, key: &Key) -> Done {
        match (kind, key) {
            (Kind::Setting, Key::Text(key)) if TOP_SETTINGS.contains(&key.as_str()) => {
                Ok(Outcome::changed(setting::store(self.tx, key, None)?.is_some()))
            }
            (Kind::Selection, Key::Selection(which)) => self.selection(*which, body::Selection { values: Vec::new() }),
            (Kind::Criterion, Key::Guid(id)) => Ok(Outcome::changed(self.tx.criterion_delete(*id)?)),
            (Kind::SavedSearch, Key::Guid(id)) => Ok(Outcome::changed(self.tx.saved_search_delete(*id)?)),
            (Kind::UpdateGroup, Key::Guid(id)) => {
                if self.tx.update_group_show(*id)?.is_none() {
                    return Ok(Outcome::Same);
                }
                if self.tx.update_group_delete(*id)? {
                    return Ok(Outcome::Changed);
                }
                Ok(Outcome::Refused("it is still deployed here".to_owned()))
            }
            (Kind::Collection, Key::Guid(id)) => {
                let id = CollectionId(*id);
                if self.tx.collection_show(id)?.is_none() {
                    return Ok(Outcome::Same);
                }
                self.tx.collection_delete(id)?;
                Ok(Outcome::Changed)
            }
            (Kind::MaintenanceWindow, Key::Guid(id)) => Ok(Outcome::changed(self.tx.window_delete(*id)?)),
            (Kind::ClientSettings, Key::Guid(id)) => Ok(Outcome::changed(self.tx.client_settings_delete(*id)?)),
            (Kind::Decline, Key::Guid(id)) => Ok(Outcome::changed(self.tx.update_undecline(UpdateId(*id))?)),
            (Kind::UpdateStop, Key::Guid(id)) => Ok(Outcome::changed(self.tx.update_stop_remove(UpdateId(*id))?)),
            (Kind::DeploymentTemplate, Key::Guid(id)) => Ok(Outcome::changed(self.tx.template_delete(*id)?)),
            (Kind::Rule, Key::Guid(id)) => Ok(Outcome::changed(self.tx.rule_delete(*id)?)),
            (Kind::Phased, Key::Guid(id)) => Ok(Outcome::changed(self.tx.phased_delete(*id)?)),
            (Kind::UpdateSetting, Key::Guid(id)) => {
                let update = UpdateId(*id);
                let before = self.tx.update_setting(update)?;
                let wanted = UpdateSetting { run_time_set: false, custom_severity: None, ..before };
                Ok(Outcome::changed(self.tx.update_setting_put(update, wanted)?))
            }
            // an acceptance is never taken back
            (Kind::EulaAcceptance, Key::Guid(_)) => Ok(Outcome::Same),
            (Kind::Deployment, Key::Deployment(deployed, collection)) => {
                match self.tx.deployment_of(*deployed, *collection)? {
                    Some(id) => {
                        self.tx.deployment_delete(id)?;
                        Ok(Outcome::Changed)
                    }
                    None => Ok(Outcome::Same),
                }
            }
            _ => Ok(Outcome::Same),
        }
    }
}

fn read<B: DeserializeOwned>(object: &Object, apply: impl FnOnce(B) -> Done) -> Done {
    match serde_json::from_value(object.body.clone()) {
        Ok(body) => apply(body),
        Err(error) => Ok(Outcome::Refused(format!("its body is not understood: {error}"))),
    }
}

fn same_name(what: &str, name: &str) -> String {
    format!("{what} named {name:?} was made here; rename it, then import again")
}

/// Another name for something made here that is in the way of what the parent named.
fn free_name(name: &str, taken: impl Fn(&str) -> Result<bool, StoreError>) -> Result<String, StoreError> {
    let short: String = name.chars().take(200).collect();
    for number in 1..10_000 {
        let free = if number == 1 { format!("{short} (local)") } else { format!("{short} (local {number})") };
        if !taken(&free)? {
            return Ok(free);
        }
    }
    Err(StoreError::Exhausted("name"))
}
