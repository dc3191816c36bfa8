//! The tree of sites as administrators see and change it.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;
use weir_api::{
    Reference,
    site::{ConfigurationState, Left, Point, Site, SiteCreate, SiteCreated},
};
use weir_model::{
    message::{SITE_ADDED, SITE_LEFT, SITE_REMOVED},
    site::{SiteError, SiteKind, SiteNode, SiteTree, checked_name},
};
use weir_store::{ReadTx, StoreError, WriteTx};

use super::{access, report};
use crate::admin::{AdminError, App, Caller};

/// The tree as it is known here; empty on a server that never had another above or below it.
pub(super) fn read(tx: &ReadTx<'_>) -> Result<SiteTree, StoreError> {
    Ok(SiteTree::new(tx.sites_list()?.into_iter().map(|row| row.node)))
}

/// What update points said last, and when.
pub(super) fn points(tx: &ReadTx<'_>) -> Result<BTreeMap<Uuid, (Point, Timestamp)>, StoreError> {
    let rows = tx.sites_status_list()?.into_iter();
    // what an older version stored and this one does not read comes again within a minute
    Ok(rows.filter_map(|(site, status, at)| Some((site, (serde_json::from_value(status).ok()?, at)))).collect())
}

/// The sites of the tree, top down, each with its state.
pub(crate) async fn list(app: &App) -> Result<Vec<Site>, AdminError> {
    let own = report::own(app).await?;
    let shared = app.clone();
    app.read(move |tx| describe(&shared, tx, own)).await
}

/// One site, by id or name.
pub(crate) async fn show(app: &App, name: &str) -> Result<Site, AdminError> {
    let (text, id) = (name.trim().to_lowercase(), name.trim().parse::<Uuid>().ok());
    let found = list(app).await?.into_iter().find(|site| Some(site.id) == id || site.name.to_lowercase() == text);
    found.ok_or_else(|| AdminError::missing("site", format!("{name:?}"), "weir sites list"))
}

fn describe(app: &App, tx: &ReadTx<'_>, own: Point) -> Result<Vec<Site>, StoreError> {
    let now = Timestamp::now();
    let here = tx.sites_here()?;
    let mut tree = read(tx)?;
    if tree.nodes().is_empty() {
        // a server by itself is a stand-alone primary site
        tree = SiteTree::new([alone(app, &own.host)]);
    }
    let site = here.site.unwrap_or(app.state.server.0);
    let parent = tx.sites_parent()?;
    let offered = if parent.is_some() { app.hub().offered() } else { here.catalogue_version };
    let points = points(tx)?;
    let mut sites = Vec::with_capacity(tree.nodes().len());
    for node in tree.nodes() {
        let is_here = node.id == site;
        let enrolment = tx.sites_enrolment(node.id)?;
        let code = if enrolment.is_none() && !is_here { tx.sites_code_open(node.id, now)? } else { None };
        let is_child = node.parent == Some(site);
        let is_parent = parent.is_some() && tree.site(site).and_then(|here| here.parent) == Some(node.id);
        // what is above, or beside, is not told of here
        let told = is_here || tree.is_within(node.id, site);
        let said = if is_here { Some((own.clone(), now)) } else { points.get(&node.id).cloned() };
        let configuration = match (&said, &enrolment, &code) {
            _ if is_here && parent.as_ref().is_some_and(|parent| parent.refused.is_some()) => {
                ConfigurationState::Refused
            }
            // it gave this server its configuration
            _ if is_parent => ConfigurationState::Configured,
            _ if !told => ConfigurationState::Unknown,
            _ if is_child && enrolment.is_none() => {
                if code.is_some() {
                    ConfigurationState::Invited
                } else {
                    ConfigurationState::Defined
                }
            }
            (Some((point, _)), ..) if point.configured => ConfigurationState::Configured,
            (None, None, _) => ConfigurationState::Defined,
            _ => ConfigurationState::Pending,
        };
        let said = said.filter(|_| is_here || !is_child || enrolment.is_some());
        let has = said.as_ref().map_or(0, |(point, _)| point.catalogue_version);
        let behind = told && offered != 0 && has != offered && configuration != ConfigurationState::Defined;
        let since = said.as_ref().and_then(|(point, _)| point.catalogue_at).or(here.catalogue_at);
        let lag = since.filter(|_| behind).map_or(0, |since| now.duration_since(since).as_secs().max(0) as u64);
        let answered =
            parent.as_ref().filter(|_| is_parent).and_then(|parent| app.hub().answered().max(parent.feed_at));
        sites.push(Site {
            id: node.id,
            name: node.name.clone(),
            kind: node.kind,
            under: node
                .parent
                .and_then(|id| tree.site(id))
                .map(|above| Reference { id: above.id, name: above.name.clone() }),
            depth: tree.depth(node.id) as u32,
            here: is_here,
            configuration,
            code_expires_at: code.map(|code| code.expires_at),
            enrolled_at: match (&enrolment, &parent) {
                (Some(row), _) => Some(row.enrolled_at),
                (None, Some(parent)) if is_here => Some(parent.enrolled_at),
                _ => None,
            },
            connected: enrolment.is_some().then(|| app.hub().is_connected(node.id)),
            last_contact: answered.or(said.as_ref().map(|(_, at)| *at).max(enrolment.map(|row| row.last_contact_at))),
            point: said.map(|(point, _)| point),
            behind,
            lag_seconds: lag,
        });
    }
    Ok(sites)
}

/// The place of a server that has no other above or below it.
fn alone(app: &App, host: &str) -> SiteNode {
    let id = app.state.server.0;
    let short = host.split('.').next().unwrap_or_default();
    let name = checked_name(short).unwrap_or_else(|_| "SITE".to_owned());
    SiteNode { id, name, kind: SiteKind::Primary, parent: None }
}

fn refused(error: SiteError) -> AdminError {
    let (code, next_step) = match &error {
        SiteError::Exists(_) => ("exists", "choose another name; `weir sites list` shows all"),
        SiteError::Full { .. } => ("full", "put it below another site"),
        SiteError::InUse { .. } => ("in_use", "remove the sites below it first"),
        SiteError::Name(_) => {
            return AdminError::Invalid { code: "name", detail: error.to_string(), next_step: None };
        }
        SiteError::Nesting { .. } => (
            "nesting",
            "a central site has primary sites below it, a primary site has secondary sites, both may have replicas",
        ),
        SiteError::SecondTop(_) => ("second_top", "name the site above with --under"),
        SiteError::Unknown(_) => {
            return AdminError::Invalid {
                code: "under",
                detail: error.to_string(),
                next_step: Some("`weir sites list` shows all".to_owned()),
            };
        }
    };
    AdminError::Conflict { code, detail: error.to_string(), next_step: Some(next_step.to_owned()) }
}

/// Defines a site, or gives this server its name and kind. Definitions are made at the top and flow down.
pub(crate) async fn add(app: &App, caller: &Caller, new: SiteCreate) -> Result<SiteCreated, AdminError> {
    let host = report::own(app).await?.host;
    let shared = app.clone();
    let created = app
        .write(caller, move |tx| {
            access::refuse_below(tx, "The sites of the tree")?;
            let name = checked_name(&new.name).map_err(refused)?;
            if new.kind == SiteKind::Central && !new.here {
                refuse_renaming(tx, &name)?;
            }
            let created = if new.here || (new.kind == SiteKind::Central && new.under.is_none()) {
                settle_here(&shared, tx, name, new.kind)?
            } else {
                define(&shared, tx, &host, name, &new)?
            };
            let after = json!({ "name": created.name, "kind": created.kind, "under": created.under });
            let said = [("site", created.name.clone()), ("kind", created.kind.to_string())];
            tx.status_message(&SITE_ADDED, &said, Some(("site", &created.name)))?;
            tx.audit("site.add", &created.id.to_string(), None, Some(&after))?;
            Ok(created)
        })
        .await?;
    app.hub().nudge();
    app.hub().status_changed();
    Ok(created)
}

/// A central site is always this server: one that has such a place already is renamed only by who says so.
fn refuse_renaming(tx: &WriteTx<'_>, name: &str) -> Result<(), AdminError> {
    let Some(here) = tx.sites_here()?.site else { return Ok(()) };
    match read(tx)?.site(here) {
        Some(node) if node.kind == SiteKind::Central => Err(AdminError::Conflict {
            code: "second_top",
            detail: format!("this server is the central site {} already, and a tree has one", node.name),
            next_step: Some(format!("to rename it: weir sites add {name} --kind central --here")),
        }),
        _ => Ok(()),
    }
}

/// Names this server, at the top.
fn settle_here(app: &App, tx: &WriteTx<'_>, name: String, kind: SiteKind) -> Result<SiteCreated, AdminError> {
    if !matches!(kind, SiteKind::Central | SiteKind::Primary) {
        return Err(AdminError::Conflict {
            code: "nesting",
            detail: format!("a {kind} site stands below another, so this server cannot be one by itself"),
            next_step: Some("enrol this server below a parent: weir serve --enrol CODE".to_owned()),
        });
    }
    let tree = read(tx)?;
    let id = app.state.server.0;
    if let Some(other) = tree.find(&name).filter(|other| other.id != id) {
        return Err(refused(SiteError::Exists(other.name.clone())));
    }
    if let Some(child) = tree.children(id).find(|child| kind.room_for(child.kind) == 0) {
        return Err(refused(SiteError::Nesting { kind: child.kind, above: name, above_kind: kind }));
    }
    tx.sites_put(&SiteNode { id, name: name.clone(), kind, parent: None })?;
    tx.sites_here_set(Some(id))?;
    let what = if kind == SiteKind::Central { "the central site" } else { "a stand-alone primary site" };
    let child = if kind == SiteKind::Central { SiteKind::Primary } else { SiteKind::Secondary };
    Ok(SiteCreated {
        id,
        note: Some(format!("this server is {what} {name} now")),
        next_step: format!("weir sites add NAME --kind {child}"),
        name,
        kind,
        under: None,
    })
}

/// Defines a site below this server or further down.
fn define(app: &App, tx: &WriteTx<'_>, host: &str, name: String, new: &SiteCreate) -> Result<SiteCreated, AdminError> {
    let mut tree = read(tx)?;
    let mut note = None;
    if tree.nodes().is_empty() {
        // the first site below decides what this server is
        let mut here = alone(app, host);
        if new.kind == SiteKind::Primary {
            here.kind = SiteKind::Central;
        }
        if here.name.to_lowercase() == name.to_lowercase() {
            here.name = if here.kind == SiteKind::Central { "CENTRAL".to_owned() } else { "PRIMARY".to_owned() };
        }
        let what = if here.kind == SiteKind::Central { "the central site" } else { "a stand-alone primary site" };
        note = Some(format!(
            "this server is {what} {} now, since a {} site stands below it; to rename it: weir sites add NAME --kind {} --here",
            here.name, new.kind, here.kind
        ));
        tx.sites_put(&here)?;
        tx.sites_here_set(Some(here.id))?;
        tree.add(here).map_err(refused)?;
    }
    let here = tx.sites_here()?.site.unwrap_or(app.state.server.0);
    let under = match new.under.as_deref() {
        None => here,
        Some(text) => tree.find(text).ok_or_else(|| refused(SiteError::Unknown(text.to_owned())))?.id,
    };
    let node = SiteNode { id: Uuid::new_v4(), name, kind: new.kind, parent: Some(under) };
    tree.add(node.clone()).map_err(|error| match &error {
        SiteError::Nesting { kind: SiteKind::Primary, above, above_kind: SiteKind::Primary } if under == here => {
            AdminError::Conflict {
                code: "nesting",
                detail: format!("{error}; this server is the stand-alone primary site {above}"),
                next_step: Some(
                    "remove its secondary sites and make it the central site (weir sites add NAME --kind central), or \
                     enrol it below a central site of its own"
                        .to_owned(),
                ),
            }
        }
        _ => refused(error),
    })?;
    tx.sites_put(&node)?;
    let above = tree.site(under).map(|above| Reference { id: above.id, name: above.name.clone() });
    let next_step = match &above {
        Some(above) if under != here => format!("on the server of {}: weir sites enrol {}", above.name, node.name),
        _ => format!("weir sites enrol {}", node.name),
    };
    Ok(SiteCreated { id: node.id, name: node.name, kind: node.kind, under: above, note, next_step })
}

/// Removes a site that nothing stands below. Its server is shut out at once.
pub(crate) async fn remove(app: &App, caller: &Caller, name: String) -> Result<(), AdminError> {
    let id = app
        .write(caller, move |tx| {
            access::refuse_below(tx, "The sites of the tree")?;
            let mut tree = read(tx)?;
            let node = tree.find(&name).cloned();
            let node = node.ok_or_else(|| AdminError::missing("site", format!("{name:?}"), "weir sites list"))?;
            if Some(node.id) == tx.sites_here()?.site {
                return Err(AdminError::Conflict {
                    code: "this_server",
                    detail: format!("{} is this server itself, the top of the tree", node.name),
                    next_step: Some("remove the sites below it; alone it is a stand-alone primary site".to_owned()),
                });
            }
            tree.remove(node.id).map_err(refused)?;
            tx.sites_remove(node.id)?;
            tx.alert_close(super::TWINS, &node.name)?;
            let before = json!({ "name": node.name, "kind": node.kind });
            tx.status_message(&SITE_REMOVED, &[("site", node.name.clone())], Some(("site", &node.name)))?;
            tx.audit("site.remove", &node.id.to_string(), Some(&before), None)?;
            Ok(node.id)
        })
        .await?;
    app.hub().forget(id);
    Ok(())
}

/// Takes this server out of the tree above it. What came from there stays and is this server's own from now on.
///
/// With `force` although servers are enrolled below: a top that is lost cannot remove them. The tree below is forgotten then.
pub(crate) async fn leave(app: &App, caller: &Caller, force: bool) -> Result<Left, AdminError> {
    let (parent, below) = app
        .write(caller, move |tx| {
            let Some(parent) = tx.sites_parent()? else {
                return Err(AdminError::Conflict {
                    code: "no_parent",
                    detail: "this server is not enrolled below another".to_owned(),
                    next_step: None,
                });
            };
            let below: Vec<Uuid> = tx.sites_enrolments()?.into_iter().map(|row| row.site).collect();
            if !below.is_empty() && !force {
                return Err(AdminError::Conflict {
                    code: "in_use",
                    detail: format!("{} servers are enrolled below this one", below.len()),
                    next_step: Some(
                        "remove their sites at the top first; if the top is lost: weir sites leave --force, which shuts \
                         them out until they enrol here again"
                            .to_owned(),
                    ),
                });
            }
            forget_tree(tx)?;
            tx.sites_parent_clear()?;
            tx.alert_close(super::REFUSED, "parent")?;
            tx.sites_deployments_own()?;
            tx.sites_decisions_own()?;
            let after = (!below.is_empty()).then(|| json!({ "shut_out": below }));
            tx.status_message(&SITE_LEFT, &[("site", parent.name.clone())], Some(("site", &parent.name)))?;
            tx.audit("site.leave", &parent.name, None, after.as_ref())?;
            Ok((parent.name, below))
        })
        .await?;
    for site in &below {
        app.hub().forget(*site);
    }
    app.hub().set_trouble(None);
    app.hub().set_answered(None);
    app.hub().set_drift(super::drift::Drift::default());
    app.hub().offer(0);
    app.hub().nudge();
    app.reload_settings().await?;
    app.publish().await?;
    app.shared().rules.nudge();
    let mut note =
        "this server is a stand-alone primary site now; what came from the parent stays, and you may change it"
            .to_owned();
    if !below.is_empty() {
        let _ = write!(
            note,
            "; {} servers below it are shut out: define their sites anew (weir sites add NAME --kind secondary), make codes \
             (weir sites enrol NAME) and enrol them again",
            below.len()
        );
    }
    Ok(Left { parent, note })
}

/// Forgets all sites, with this server's place among them.
pub(super) fn forget_tree(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    tx.sites_here_set(None)?;
    let tree = read(tx)?;
    // from below, so that nothing hangs on what goes
    for node in tree.nodes().iter().rev() {
        tx.sites_remove(node.id)?;
    }
    Ok(())
}
