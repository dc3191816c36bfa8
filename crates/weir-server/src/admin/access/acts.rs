//! What acts of the kinds `deploy` and `emergency-stop` are about: what deploys something, and what comes to the same.

use std::collections::BTreeSet;

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use weir_api::{
    collection::{CollectionChange, CollectionCreate, MemberChange},
    criteria::{CriterionChange, CriterionRule},
};
use weir_model::{
    ids::{CollectionId, ComputerId, DeploymentId, UpdateId},
    name,
    rule::GroupChoice,
    targeting::{CollectionKind, DeploymentAction},
};
use weir_store::ReadTx;

use super::{
    asked::{Act, Asked, Chosen, Goes, collections, read},
    deploying::{Deploying, gives, keeps_back, of_updates},
    joins::Moves,
    seen::Things,
    words::{TITLES, deployed_words, group_words, is_named, update_words, updates_words, word},
};
use crate::{
    admin::{
        AdminError,
        collection::{
            Tree,
            definition::{self, Wanted},
        },
        criteria, deployment, group,
        setting::{Current, TARGETING},
    },
    sync,
};

/// Any action.
fn any(_: DeploymentAction) -> bool {
    true
}

impl Asked {
    /// What it would deploy, or bring to computers otherwise.
    pub(super) fn deploys(&self, tx: &ReadTx<'_>) -> Result<Option<Act>, AdminError> {
        let parts = self.parts();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let deletes = self.method == Method::DELETE;
        match parts.as_slice() {
            ["groups", name] => self.group(tx, name),
            ["groups", name, "members"] => self.members(tx, name),
            ["collections"] => self.new_collection(tx),
            ["collections", name] if deletes => self.collection_gone(tx, name),
            ["collections", name] => self.collection_change(tx, name),
            ["collections", name, "members"] => {
                let computers = read::<MemberChange>(&self.body).map(|change| change.computers).unwrap_or_default();
                self.placed(tx, name, &computers, !deletes)
            }
            ["computers", id] => self.zoned(tx, id),
            ["computers-change"] => match (&self.chosen, self.text("collection"), self.text("action")) {
                (Chosen::Computers(computers), Some(name), Some(action)) => {
                    self.placed(tx, name, computers, action == "add_to")
                }
                _ => Ok(None),
            },
            ["updates", id, "stop"] => Self::resumed(tx, id),
            ["updates", id, "undecline"] => Self::taken_back(tx, &single(id)),
            ["updates-change"] => match &self.chosen {
                Chosen::Updates(updates) if self.body.get("declined") == Some(&Value::Bool(false)) => {
                    Self::taken_back(tx, updates)
                }
                _ => Ok(None),
            },
            ["deployments", id] if deletes => self.freed(tx, &[id.parse().unwrap_or_default()], "delete"),
            ["deployments-change"] => {
                let ids = self.body.get("ids").and_then(Value::as_array).into_iter().flatten();
                let ids: Vec<i32> = ids.filter_map(Value::as_i64).filter_map(|id| i32::try_from(id).ok()).collect();
                match self.text("action") {
                    _ if self.body.get("preview") == Some(&Value::Bool(true)) => Ok(None),
                    Some("enable") => self.enabled(tx, &ids),
                    Some("disable") => self.freed(tx, &ids, "disable"),
                    Some("delete") => self.freed(tx, &ids, "delete"),
                    _ => Ok(None),
                }
            }
            _ => self.deployment(tx, &parts),
        }
    }

    /// A deployment, a rule or a phased deployment is made or changed, or goes on.
    fn deployment(&self, tx: &ReadTx<'_>, parts: &[&str]) -> Result<Option<Act>, AdminError> {
        let tree = Tree::within(tx, &self.scope)?;
        let (mut named, mut targets) = (Things::default(), BTreeSet::new());
        collections(tx, &self.body, &tree, &mut named, &mut targets)?;
        let what = match parts {
            ["deployments", id] => {
                let row = match id.parse() {
                    Ok(id) => tx.deployment_show(DeploymentId(id))?,
                    Err(_) => None,
                };
                let Some(row) = row.filter(|row| tree.sees(row.collection)) else { return Ok(None) };
                targets.insert(row.collection);
                named.deployment(tx, &row)?;
                let action = self.text("action").map_or_else(|| word(row.action), str::to_owned);
                format!("change the deployment {id}: {action} {}", deployed_words(tx, &row)?)
            }
            ["rules", rest @ ..] => {
                if let Some(name) = rest.first() {
                    let rows = tx.rule_list()?.into_iter();
                    for row in rows.filter(|row| is_named(name, row.id, &row.rule.name)) {
                        targets.extend(row.rule.deployments.iter().map(|target| target.collection));
                        // what a run puts into the group that it keeps goes wherever that is deployed
                        if let GroupChoice::Kept { name } = &row.rule.group {
                            let kept = match tx.rule_state(row.id)?.and_then(|state| state.group) {
                                None => tx.update_group_find(name)?,
                                kept => kept,
                            };
                            if let Some(group) = kept {
                                targets.extend(Deploying::read(tx)?.of_group(tx, group, any)?);
                            }
                        }
                        named.rule(&row);
                    }
                }
                if let Some(row) = self.text("keep_group").map(|name| group::find(tx, name)).and_then(Result::ok) {
                    targets.extend(Deploying::read(tx)?.of_group(tx, row.id, any)?);
                    named.group(tx, &row)?;
                }
                let name = rest.first().copied().or_else(|| self.text("name")).unwrap_or_default();
                let verb = if rest.get(1) == Some(&"run") { "run the rule" } else { "deploy by the rule" };
                format!("{verb} {name:?}")
            }
            ["phased", rest @ ..] => {
                if let Some(name) = rest.first() {
                    let rows = tx.phased_list()?.into_iter();
                    for row in rows.filter(|row| is_named(name, row.id, &row.plan.name)) {
                        targets.extend(row.plan.phases.iter().map(|phase| phase.collection));
                        named.phased(tx, &row)?;
                    }
                }
                if let Some(group) = self.text("group") {
                    named.group(tx, &group::find(tx, group)?)?;
                }
                let name = rest.first().copied().or_else(|| self.text("name")).unwrap_or_default();
                format!("deploy in phases by {name:?}")
            }
            _ => self.new_deployment(tx, &tree, &mut named, &mut targets)?,
        };
        if targets.is_empty() {
            return Ok(None);
        }
        for target in &targets {
            tree.check_target(*target)?;
        }
        Ok(Some(Act { what, named, goes: Goes::To(targets) }))
    }

    /// A deployment is made; a template hides nothing of it.
    fn new_deployment(
        &self,
        tx: &ReadTx<'_>,
        tree: &Tree,
        named: &mut Things,
        targets: &mut BTreeSet<CollectionId>,
    ) -> Result<String, AdminError> {
        let template = match self.text("template") {
            Some(name) => Some(deployment::template_find(tx, name)?),
            None => None,
        };
        if let Some(row) = &template {
            named.template(row);
        }
        let template = template.map(|row| row.template);
        if self.text("collection").is_none() {
            let of = template.as_ref().and_then(|template| template.collection.as_deref());
            if let Some(row) = of.and_then(|said| tree.find(said).ok()) {
                named.collection(tx, &row.name, row)?;
                targets.insert(row.id);
            }
        }
        let action = self.text("action").map(|text| text.replace("optional", "offer"));
        let action = action.or_else(|| template.as_ref().and_then(|template| template.action).map(word));
        let of = match (self.text("update"), self.text("group")) {
            (Some(update), _) => {
                named.update(tx, update)?;
                update_words(tx, update)?
            }
            (None, Some(name)) => {
                let row = group::find(tx, name)?;
                named.group(tx, &row)?;
                group_words(&row)
            }
            (None, None) => "nothing".to_owned(),
        };
        Ok(format!("{} {of}", action.unwrap_or_else(|| "deploy".to_owned())))
    }

    /// Deployments are switched on.
    fn enabled(&self, tx: &ReadTx<'_>, ids: &[i32]) -> Result<Option<Act>, AdminError> {
        let tree = Tree::within(tx, &self.scope)?;
        let (mut named, mut targets, mut titles) = (Things::default(), BTreeSet::new(), Vec::new());
        for id in ids {
            let row = tx.deployment_show(DeploymentId(*id))?.filter(|row| tree.sees(row.collection));
            let Some(row) = row else { continue };
            targets.insert(row.collection);
            named.deployment(tx, &row)?;
            titles.push(format!("{} {}", word(row.action), deployed_words(tx, &row)?));
        }
        Ok(listed("enable", &mut titles, targets, named))
    }

    /// Deployments that keep something back are switched off or deleted: what else deploys it reaches their computers then.
    fn freed(&self, tx: &ReadTx<'_>, ids: &[i32], verb: &str) -> Result<Option<Act>, AdminError> {
        let tree = Tree::within(tx, &self.scope)?;
        let (mut named, mut targets, mut titles) = (Things::default(), BTreeSet::new(), Vec::new());
        for id in ids {
            let row = tx.deployment_show(DeploymentId(*id))?.filter(|row| tree.sees(row.collection));
            let Some(row) = row.filter(|row| row.enabled && keeps_back(row.action)) else { continue };
            targets.insert(row.collection);
            named.deployment(tx, &row)?;
            titles.push(format!("{} {}", word(row.action), deployed_words(tx, &row)?));
        }
        Ok(listed(verb, &mut titles, targets, named))
    }

    /// A group is deleted with its deployments.
    fn group(&self, tx: &ReadTx<'_>, name: &str) -> Result<Option<Act>, AdminError> {
        if !self.query.split('&').any(|part| part == "force=true") {
            return Ok(None);
        }
        let row = group::find(tx, name)?;
        let targets = Deploying::read(tx)?.of_group(tx, row.id, keeps_back)?;
        let mut named = Things::default();
        named.group(tx, &row)?;
        let what = format!("delete {} and what keeps its updates back, deployed", group_words(&row));
        Ok((!targets.is_empty()).then_some(Act { what, named, goes: Goes::To(targets) }))
    }

    /// Updates are put into a group, or taken out.
    fn members(&self, tx: &ReadTx<'_>, name: &str) -> Result<Option<Act>, AdminError> {
        let Chosen::Updates(updates) = &self.chosen else { return Ok(None) };
        let row = group::find(tx, name)?;
        let adds = self.method == Method::POST;
        let members = tx.update_group_show(row.id)?.map(|(_, members)| members).unwrap_or_default();
        let members: BTreeSet<UpdateId> = members.into_iter().collect();
        let moved: BTreeSet<UpdateId> = updates.iter().copied().filter(|it| members.contains(it) != adds).collect();
        if moved.is_empty() {
            return Ok(None);
        }
        // what keeps a member back does so no longer for what is taken out
        let such = if adds { any } else { keeps_back };
        let targets = Deploying::read(tx)?.of_group(tx, row.id, such)?;
        if targets.is_empty() {
            return Ok(None);
        }
        let mut named = Things::default();
        named.group(tx, &row)?;
        named.updates(&moved);
        for update in moved.iter().take(TITLES) {
            named.update(tx, &update.to_string())?;
        }
        let (verb, how) = if adds { ("add", "to") } else { ("remove", "from") };
        let what = format!("{verb} {} {how} {}, deployed", updates_words(tx, &moved)?, group_words(&row));
        Ok(Some(Act { what, named, goes: Goes::To(targets) }))
    }

    /// A collection is made: computers may ask for its name.
    fn new_collection(&self, tx: &ReadTx<'_>) -> Result<Option<Act>, AdminError> {
        let Some(new) = read::<CollectionCreate>(&self.body) else { return Ok(None) };
        let asked = Current::read(tx)?.text(TARGETING) == "client";
        let Some(parent) = new.parent.as_deref().filter(|_| asked) else { return Ok(None) };
        let tree = Tree::within(tx, &self.scope)?;
        let row = tree.find(parent)?;
        let mut named = Things::default();
        named.collection(tx, parent, row)?;
        let what = format!("make the collection {:?} below {:?}", new.name.trim(), row.name);
        Ok(Some(Act { what, named, goes: Goes::Where(vec![Moves::Asked(name::key(&new.name), row.id)]) }))
    }

    /// A collection is deleted: who was in it may be in Unassigned Computers then.
    fn collection_gone(&self, tx: &ReadTx<'_>, said: &str) -> Result<Option<Act>, AdminError> {
        let tree = Tree::within(tx, &self.scope)?;
        let row = tree.find(said)?;
        let mut named = Things::default();
        named.collection(tx, said, row)?;
        let what = format!("delete the collection {:?}", row.name);
        Ok(Some(Act { what, named, goes: Goes::Where(vec![Moves::Gone(row.clone())]) }))
    }

    /// A collection is defined or called otherwise.
    fn collection_change(&self, tx: &ReadTx<'_>, said: &str) -> Result<Option<Act>, AdminError> {
        let Some(change) = read::<CollectionChange>(&self.body) else { return Ok(None) };
        let tree = Tree::within(tx, &self.scope)?;
        let row = tree.find(said)?;
        // whom the limit stops is told so by the route
        if !tree.sees(row.id) || (tree.is_limited() && change.name.is_none()) {
            return Ok(None);
        }
        let mut moves = Vec::new();
        let wanted = Wanted {
            rule: change.rule,
            includes: change.includes,
            excludes: change.excludes,
            limiting: change.limiting,
        };
        // a target group has no definition, which the route says
        if let Some(known) = tx.collection_definition(row.id)?.filter(|_| !wanted.is_nothing()) {
            moves.push(Moves::Defined(row.id, definition::changed(tx, &tree, row.id, known, &wanted)?));
        }
        let renamed = change.name.filter(|new| name::key(new) != name::key(&row.name));
        if let Some(new) = renamed.filter(|_| row.kind == CollectionKind::TargetGroup) {
            if Current::read(tx)?.text(TARGETING) == "client" {
                moves.push(Moves::Asked(name::key(&new), row.id));
            }
        }
        if moves.is_empty() {
            return Ok(None);
        }
        let mut named = Things::default();
        named.collection(tx, said, row)?;
        let what = format!("change the collection {:?}", row.name);
        Ok(Some(Act { what, named, goes: Goes::Where(moves) }))
    }

    /// Computers are put into a collection, or taken out.
    fn placed(&self, tx: &ReadTx<'_>, said: &str, ids: &[String], adds: bool) -> Result<Option<Act>, AdminError> {
        let tree = Tree::within(tx, &self.scope)?;
        let row = tree.find(said)?.clone();
        if row.built_in || !tree.sees(row.id) {
            return Ok(None);
        }
        let mut computers = BTreeSet::new();
        for id in ids.iter().filter_map(|id| id.trim().parse::<ComputerId>().ok()) {
            let Some(computer) = tx.computer_find(&id)? else { continue };
            // computers outside the scope are refused one by one
            if tree.sees_any(&tx.computer_collections(computer.no)?) {
                computers.insert(computer.no);
            }
        }
        if computers.is_empty() {
            return Ok(None);
        }
        let mut named = Things::default();
        named.collection(tx, said, &row)?;
        named.choice("computers", &json!(computers));
        let count = computers.len();
        let what = if adds {
            format!("put {count} computers into the collection {:?}", row.name)
        } else {
            format!("take {count} computers out of the collection {:?}", row.name)
        };
        let computers: Vec<u32> = computers.into_iter().collect();
        let moves = if adds { Moves::Into(row, computers) } else { Moves::OutOf(row, computers) };
        Ok(Some(Act { what, named, goes: Goes::Where(vec![moves]) }))
    }

    /// A computer is given another zone, for which rules may ask.
    fn zoned(&self, tx: &ReadTx<'_>, said: &str) -> Result<Option<Act>, AdminError> {
        let (Some(zone), Ok(id)) = (self.text("time_zone"), said.trim().parse::<ComputerId>()) else { return Ok(None) };
        let tree = Tree::within(tx, &self.scope)?;
        let Some(row) = tx.computer_find(&id)? else { return Ok(None) };
        if !tree.sees_any(&tx.computer_collections(row.no)?) {
            return Ok(None);
        }
        let zone = definition::checked_zone(zone)?;
        let mut named = Things::default();
        let before = json!(tx.computer_time_zone(row.no)?);
        named.note("computer".to_owned(), format!("the computer {id}"), &id, &row.dns_name, &before);
        let what = format!("set the time zone of the computer {:?}", row.dns_name);
        Ok(Some(Act { what, named, goes: Goes::Where(vec![Moves::Zoned(row.no, zone)]) }))
    }

    /// A stopped update is resumed.
    fn resumed(tx: &ReadTx<'_>, said: &str) -> Result<Option<Act>, AdminError> {
        let updates = single(said);
        let Some(update) = updates.first() else { return Ok(None) };
        if tx.update_stop_show(*update)?.is_none() {
            return Ok(None);
        }
        offered(tx, "resume", &updates, false)
    }

    /// Declines are taken back.
    fn taken_back(tx: &ReadTx<'_>, updates: &BTreeSet<UpdateId>) -> Result<Option<Act>, AdminError> {
        offered(tx, "take back the decline of", updates, true)
    }

    /// Updates are declined that are deployed: that stops them everywhere.
    pub(super) fn declines(&self, tx: &ReadTx<'_>) -> Result<Option<Act>, AdminError> {
        let parts = self.parts();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (updates, rule) = match parts.as_slice() {
            ["updates", id, "decline"] => (single(id), None),
            ["updates-change"] => match &self.chosen {
                Chosen::Updates(updates) if self.body.get("declined") == Some(&Value::Bool(true)) => {
                    (updates.clone(), None)
                }
                _ => return Ok(None),
            },
            ["criteria"] => {
                let Some(new) = read::<CriterionRule>(&self.body) else { return Ok(None) };
                let rule = criteria::rule(tx, new)?;
                (sync::criteria::declines(tx, &rule, Timestamp::now())?, Some((None, rule)))
            }
            ["criteria", name, rest @ ..] => {
                let row = criteria::find(tx, name)?;
                let (id, mut rule) = (row.id, row.rule);
                if rest.is_empty() {
                    let Some(change) = read::<CriterionChange>(&self.body) else { return Ok(None) };
                    rule = criteria::changed(tx, &rule, change)?;
                }
                (sync::criteria::declines(tx, &rule, Timestamp::now())?, Some((Some(id), rule)))
            }
            _ => return Ok(None),
        };
        let found = of_updates(tx, &updates, gives)?;
        let (mut declined, mut targets) = (BTreeSet::new(), BTreeSet::new());
        for (update, collections) in found {
            if tx.update_flags(update)?.declined.is_none() {
                declined.insert(update);
                targets.extend(collections);
            }
        }
        if declined.is_empty() {
            return Ok(None);
        }
        let mut named = about(tx, &declined)?;
        let mut what = format!("decline {}, deployed", updates_words(tx, &declined)?);
        if let Some((id, rule)) = rule {
            named.choice("updates by the rule", &json!([id, rule]));
            what = format!("by the rule {:?} {what}", rule.name);
        }
        Ok(Some(Act { what, named, goes: Goes::Declined(targets) }))
    }
}

/// The update that a path names; none if it names a revision or nothing.
fn single(said: &str) -> BTreeSet<UpdateId> {
    said.trim().parse::<UpdateId>().ok().into_iter().collect()
}

/// Updates, the first of them one by one.
fn about(tx: &ReadTx<'_>, updates: &BTreeSet<UpdateId>) -> Result<Things, AdminError> {
    let mut named = Things::default();
    named.updates(updates);
    for update in updates.iter().take(TITLES) {
        named.update(tx, &update.to_string())?;
    }
    Ok(named)
}

/// Updates are offered again wherever they are deployed.
fn offered(
    tx: &ReadTx<'_>,
    verb: &str,
    updates: &BTreeSet<UpdateId>,
    declined: bool,
) -> Result<Option<Act>, AdminError> {
    let (mut back, mut targets) = (BTreeSet::new(), BTreeSet::new());
    for (update, collections) in of_updates(tx, updates, gives)? {
        if declined && tx.update_flags(update)?.declined.is_none() {
            continue;
        }
        back.insert(update);
        targets.extend(collections);
    }
    if back.is_empty() {
        return Ok(None);
    }
    let what = format!("{verb} {}, deployed", updates_words(tx, &back)?);
    Ok(Some(Act { what, named: about(tx, &back)?, goes: Goes::To(targets) }))
}

/// What is done with several deployments; none if there are none.
fn listed(verb: &str, titles: &mut Vec<String>, targets: BTreeSet<CollectionId>, named: Things) -> Option<Act> {
    if targets.is_empty() {
        return None;
    }
    let count = titles.len();
    titles.truncate(TITLES);
    let more = if count > TITLES { ", and more" } else { "" };
    let what = format!("{verb} {count} deployments: {}{more}", titles.join(", "));
    Some(Act { what, named, goes: Goes::To(targets) })
}
