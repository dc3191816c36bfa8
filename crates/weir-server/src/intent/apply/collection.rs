//! Writing collections.

use std::collections::BTreeSet;

use uuid::Uuid;
use weir_model::{
    expression::ComputerExpression,
    ids::CollectionId,
    membership::named_in,
    targeting::{CollectionKind, MAX_DEPTH},
};
use weir_store::{StoreError, collection::CollectionRow, intent::CollectionIntent, membership::CollectionDefinition};

use super::{super::Origin, Done, Outcome, Work, body, free_name, same_name};
use crate::{
    admin::collection::definition::{LONGEST_DESCRIPTION, MOST_REFERENCES},
    live::membership::{Compiled, definition},
};

impl Work<'_> {
    pub(super) fn collection(&self, id: CollectionId, body: body::Collection) -> Done {
        if let Some(zone) = body.time_zone.as_deref()
            && jiff::tz::TimeZone::get(zone).is_err()
        {
            return Ok(Outcome::Refused(format!("{zone:?} is no time zone")));
        }
        let parent = body.parent.map(CollectionId);
        if let Some(reason) = self.nesting(id, parent)? {
            return Ok(Outcome::Refused(reason));
        }
        let more = body.more.unwrap_or_default();
        let definition = match self.definition(id, body.kind, &more)? {
            Ok(definition) => definition,
            Err(reason) => return Ok(Outcome::Refused(reason)),
        };
        let wanted = CollectionIntent {
            id,
            name: body.name,
            parent,
            kind: body.kind,
            approved_only: body.approved_only,
            time_zone: body.time_zone,
        };
        let row = self.tx.collection_show(id)?;
        let described = |row: Option<&CollectionRow>| row.and_then(|row| row.description.clone()) != more.description;
        if row.as_ref().is_some_and(|row| row.built_in) {
            let changed = described(row.as_ref());
            self.tx.collection_set_description(id, more.description.as_deref())?;
            return Ok(Outcome::changed(self.tx.collection_put(&wanted)? || changed));
        }
        let mut became = false;
        if let Some(row) = &row
            && row.kind != wanted.kind
        {
            match (self.origin, wanted.kind) {
                // it came as a target group with what a replica mirrors, which knows no rules
                (Origin::Parent, CollectionKind::Rule) => {
                    self.tx.collection_become_rule(id)?;
                    became = true;
                }
                _ => return Ok(Outcome::Refused("it is a collection of another kind here".to_owned())),
            }
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
        let mut changed = became || described(row.as_ref());
        changed |= match row {
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
        self.tx.collection_set_description(id, more.description.as_deref())?;
        if let Some(definition) = definition {
            changed |= self.tx.collection_define(id, &definition)?;
        }
        Ok(Outcome::changed(changed))
    }

    /// How a collection gets its members, if it is one by rule; or why that cannot be.
    fn definition(
        &self,
        id: CollectionId,
        kind: CollectionKind,
        more: &body::CollectionMore,
    ) -> Result<Result<Option<CollectionDefinition>, String>, StoreError> {
        if more.description.as_ref().is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
            return Ok(Err("its description is too long".to_owned()));
        }
        if more.includes.len() > MOST_REFERENCES || more.excludes.len() > MOST_REFERENCES {
            return Ok(Err(format!("it includes or excludes more than {MOST_REFERENCES} collections")));
        }
        let ids = |ids: &[Uuid]| ids.iter().copied().map(CollectionId).collect();
        let mut wanted = CollectionDefinition {
            rule: None,
            named: BTreeSet::new(),
            includes: ids(&more.includes),
            excludes: ids(&more.excludes),
            limiting: more.limiting.map(CollectionId),
        };
        if let Some(text) = more.rule.as_deref() {
            let rule = match ComputerExpression::parse(text) {
                Ok(rule) => rule,
                Err(error) => return Ok(Err(format!("its rule is {error}"))),
            };
            wanted.named = match named_in(&rule) {
                Ok(named) => named,
                Err(error) => return Ok(Err(format!("in its rule: {error}"))),
            };
            wanted.rule = Some(text.to_owned());
        }
        if kind == CollectionKind::TargetGroup {
            let nothing = wanted == CollectionDefinition::default();
            return Ok(if nothing { Ok(None) } else { Err("a target group has no rule".to_owned()) });
        }
        let references = wanted.includes.iter().chain(&wanted.excludes).chain(&wanted.named).chain(&wanted.limiting);
        for other in references {
            if *other != id && self.tx.collection_show(*other)?.is_none() {
                return Ok(Err(format!("a collection that it refers to, {other}, is not here")));
            }
        }
        let compiled = Compiled::read(self.tx)?.with(definition(id, &wanted));
        if let Some(circle) = compiled.plan().circle() {
            let path = circle.describe(|id| id.to_string());
            return Ok(Err(format!("collections would depend on each other in a circle: {path}")));
        }
        Ok(Ok(Some(wanted)))
    }

    /// Why a collection cannot be nested there, if it cannot.
    fn nesting(&self, id: CollectionId, parent: Option<CollectionId>) -> Result<Option<String>, StoreError> {
        let mut above = parent;
        let mut level = 1;
        while let Some(one) = above {
            if one == id {
                return Ok(Some("it would be nested in itself".to_owned()));
            }
            if one != CollectionId::ALL_COMPUTERS {
                level += 1;
            }
            if level > MAX_DEPTH {
                return Ok(Some(format!("it would be nested deeper than {MAX_DEPTH} levels")));
            }
            match self.tx.collection_show(one)? {
                Some(row) => above = row.parent,
                None => return Ok(Some(format!("the collection that it is nested in, {}, is not here", one.0))),
            }
        }
        Ok(None)
    }
}
