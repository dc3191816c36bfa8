//! Writing objects.

use serde::de::DeserializeOwned;
use uuid::Uuid;
use weir_model::{
    ids::{CollectionId, RevisionNumber, UpdateId},
    targeting::{DeploymentAction, DeploymentOrigin},
};
use weir_store::{
    StoreError, WriteTx,
    deployment::Deployed,
    intent::{CollectionIntent, DeploymentIntent, IntentOrigin},
    selection::SelectionKind,
};
use weir_wire::package::LANGUAGES;

use super::{Applied, Kind, Object, Origin, Refused, TOP_SETTINGS, body, key, key::Key};
use crate::admin::{chain, setting};

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
            None if object.deleted => self.delete(kind, &key),
            None => self.put(kind, &key, object),
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
            (Kind::UpdateGroup, Key::Guid(id)) => read(object, |body| self.group(*id, &body)),
            (Kind::Collection, Key::Guid(id)) => read(object, |body| self.collection(CollectionId(*id), body)),
            (Kind::Decline, Key::Guid(id)) => {
                read(object, |_: body::Decline| Ok(Outcome::changed(self.tx.update_decline(UpdateId(*id))?)))
            }
            (Kind::EulaAcceptance, Key::Guid(id)) => read(object, |body: body::EulaAcceptance| {
                if body.eula_id.len() > 100 {
                    return Ok(Outcome::Refused("its licence id is too long".to_owned()));
                }
                Ok(Outcome::changed(self.tx.update_accept_eula(UpdateId(*id), &body.eula_id)?))
            }),
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
        let updates: Vec<UpdateId> = body.updates.iter().copied().map(UpdateId).collect();
        Ok(Outcome::changed(self.tx.update_group_put(id, name, &updates)?))
    }

    fn collection(&self, id: CollectionId, body: body::Collection) -> Done {
        if let Some(zone) = body.time_zone.as_deref()
            && jiff::tz::TimeZone::get(zone).is_err()
        {
            return Ok(Outcome::Refused(format!("{zone:?} is no time zone")));
        }
        let parent = body.parent.map(CollectionId);
        if let Some(reason) = self.nesting(id, parent)? {
            return Ok(Outcome::Refused(reason));
        }
        let wanted = CollectionIntent {
            id,
            name: body.name,
            parent,
            kind: body.kind,
            approved_only: body.approved_only,
            time_zone: body.time_zone,
        };
        let row = self.tx.collection_show(id)?;
        if row.as_ref().is_some_and(|row| row.built_in) {
            return Ok(Outcome::changed(self.tx.collection_put(&wanted)?));
        }
        if let Some(row) = &row
            && row.kind != wanted.kind
        {
            return Ok(Outcome::Refused("it is a collection of another kind here".to_owned()));
        }
        if let Some(other) = self.tx.collection_find(&wanted.name)?.filter(|other| other.id != id) {
            match self.origin {
                Origin::Bundle => return Ok(Outcome::Refused(same_name("a collection", &wanted.name))),
                Origin::Parent => {
                    let free = free_name(&other.name, |name| Ok(self.tx.collection_find(name)?.is_some()))?;
                    self.tx.collection_rename(other.id, &free)?;
                }
            }
        }
        let mut changed = match row {
            None => {
                self.tx.collection_create(&weir_store::collection::NewCollection {
                    id,
                    name: wanted.name.clone(),
                    parent,
                    kind: wanted.kind,
                })?;
                true
            }
            Some(row) if row.name != wanted.name => {
                self.tx.collection_rename(id, &wanted.name)?;
                true
            }
            Some(_) => false,
        };
        changed |= self.tx.collection_put(&wanted)?;
        Ok(Outcome::changed(changed))
    }

    /// Why a collection cannot be nested there, if it cannot.
    fn nesting(&self, id: CollectionId, parent: Option<CollectionId>) -> Result<Option<String>, StoreError> {
        let mut above = parent;
        while let Some(one) = above {
            if one == id {
                return Ok(Some("it would be nested in itself".to_owned()));
            }
            match self.tx.collection_show(one)? {
                Some(row) => above = row.parent,
                None => return Ok(Some(format!("the collection that it is nested in, {}, is not here", one.0))),
            }
        }
        Ok(None)
    }

    fn deployment(&self, deployed: Deployed, collection: CollectionId, body: &body::Deployment) -> Done {
        if body.deadline_at.is_some() && !matches!(body.action, DeploymentAction::Install | DeploymentAction::Uninstall)
        {
            return Ok(Outcome::Refused("only install and uninstall can have a deadline".to_owned()));
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
            (Kind::Decline, Key::Guid(id)) => Ok(Outcome::changed(self.tx.update_undecline(UpdateId(*id))?)),
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
