//! The servers of the lab: an upstream server, and the tree of sites below it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use jiff::{Timestamp, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};
use weir_api::{
    collection::{CollectionCreate, CollectionCreated},
    compliance::{Summary, UpdateCompliance},
    content::ContentAdded,
    criteria::{Criterion, CriterionAction, CriterionCondition, CriterionRule},
    import::{Import, ImportQuery},
    selection::{Selection, SelectionChange},
    setting::{SettingChange, SettingChanged},
    site::{EnrolmentCode, EnrolmentRequest, Site, SiteCreate, SiteCreated, SiteKind},
    sync::{SyncRun, SyncStart, SyncStarted, SyncState},
    update_group::{MembersChange, UpdateGroupCreate, UpdateGroupCreated},
    window::{Window, WindowChanged, WindowCreate},
};

use super::{
    pause,
    rest::{Rest, Upload},
    server::{Server, Yard},
};
use crate::world::{Update, World, calendar::Month};

/// Bytes of content in one upload.
const BATCH: usize = 4 * 1024 * 1024;

/// A site that is to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) kind: SiteKind,
    /// Which site of the plan it stands below; none for the top.
    pub(super) under: Option<usize>,
}

/// The sites of a lab: one alone is a stand-alone primary site; with more the first is the central site, then come primary
/// and secondary sites in turn, each secondary site below the primary site before it.
pub(super) fn plan(sites: usize) -> Vec<Plan> {
    let mut plan = vec![Plan {
        name: if sites < 2 { "HQ" } else { "CEN" }.to_owned(),
        kind: if sites < 2 { SiteKind::Primary } else { SiteKind::Central },
        under: None,
    }];
    for index in 1..sites {
        let number = index.div_ceil(2);
        plan.push(if index % 2 == 1 {
            Plan { name: format!("PRI{number}"), kind: SiteKind::Primary, under: Some(0) }
        } else {
            Plan { name: format!("SEC{number}"), kind: SiteKind::Secondary, under: Some(index - 1) }
        });
    }
    plan
}

/// Where everything is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The program.
    pub(super) binary: PathBuf,
    /// The folder of the lab.
    pub(super) folder: PathBuf,
    /// The processes of the lab.
    pub(super) yard: Yard,
}

/// Starts the upstream server.
pub(super) async fn upstream(place: &Place) -> Result<Server> {
    let server = Server::start(place, "upstream", &["--downstream"]).await?;
    set(&server.rest, "downstream.policy", "open").await?;
    Ok(server)
}

/// Starts the site at the top, and defines those below it.
pub(super) async fn top(place: &Place, plan: &[Plan]) -> Result<Server> {
    let first = plan.first().context("a lab has one site at least")?;
    let server = Server::start(place, &first.name, &[]).await?;
    for site in plan {
        let under = site.under.and_then(|above| plan.get(above)).map(|above| above.name.clone());
        let new = SiteCreate { name: site.name.clone(), kind: site.kind, here: under.is_none(), under };
        let _: SiteCreated = server.rest.change(Method::POST, &["sites"], &new).await?;
    }
    // computers say by policy which collection they belong to
    set(&server.rest, "targeting", "client").await?;
    // all of them are new within a minute, from one address, and each has the whole catalogue to ask for
    set(&server.rest, "calls.anonymous_burst", "100000").await?;
    set(&server.rest, "page.entries", "250").await?;
    Ok(server)
}

/// Enrols a server below its parent and starts it.
pub(super) async fn enrol(place: &Place, site: &Plan, parent: &Server) -> Result<Server> {
    let request = EnrolmentRequest::default();
    // the parent learns of the site from its own parent
    let code: EnrolmentCode = super::patiently(|| async {
        parent.rest.change(Method::POST, &["sites", &site.name, "enrolment"], &request).await
    })
    .await?;
    Server::start(place, &site.name, &["--enrol", &code.code]).await
}

/// Sets a setting.
pub(super) async fn set(rest: &Rest, key: &str, value: &str) -> Result<()> {
    let change = SettingChange { value: Value::String(value.to_owned()), force: false };
    let _: SettingChanged = rest.change(Method::PUT, &["settings", key], &change).await?;
    Ok(())
}

/// Brings the documents of the world to the upstream server, and the licences, which sites fetch as soon as they know of them.
/// Gives the revisions that were added.
pub(super) async fn import(rest: &Rest, world: &World) -> Result<u64> {
    let documents = world
        .documents()
        .map(|document| Upload { name: format!("{}.xml", document.id()), bytes: document.to_xml().into_bytes() });
    let query = ImportQuery { wait: true, ..ImportQuery::default() };
    let import: Import = rest.upload(&["imports"], &query, documents).await?;
    let result = import.result.unwrap_or_default();
    if let Some(error) = result.errors.first() {
        anyhow::bail!(
            "{} of {} documents were rejected: {}",
            result.rejected,
            world.documents().count(),
            error.message
        );
    }
    let licence = Upload { name: world.licence.name.clone(), bytes: world.licence.bytes.clone() };
    add_content(rest, vec![licence]).await?;
    Ok(result.added)
}

/// Brings the files of the world to the upstream server. Gives how many there are.
pub(super) async fn fill(rest: &Rest, world: &World) -> Result<usize> {
    let mut batch = Vec::new();
    let (mut files, mut bytes) = (0, 0);
    let mut names = BTreeSet::new();
    for payload in world.payloads().filter(|payload| names.insert(&payload.name)) {
        files += 1;
        bytes += payload.bytes.len();
        batch.push(Upload { name: payload.name.clone(), bytes: payload.bytes.clone() });
        if bytes > BATCH {
            add_content(rest, std::mem::take(&mut batch)).await?;
            bytes = 0;
        }
    }
    add_content(rest, batch).await?;
    Ok(files)
}

async fn add_content(rest: &Rest, files: Vec<Upload>) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let added: ContentAdded = rest.upload(&["content"], &json!({}), files).await?;
    match added.errors.first() {
        Some(error) => anyhow::bail!("{} files were rejected: {}", added.rejected, error.message),
        None => Ok(()),
    }
}

/// Synchronizes and waits for the end, which is told now and then by `tell`.
pub(super) async fn synchronize(rest: &Rest, tell: impl Fn(&SyncRun)) -> Result<SyncRun> {
    let started: SyncStarted = rest.change(Method::POST, &["sync"], &SyncStart::default()).await?;
    let id = started.run.id.to_string();
    loop {
        let run: SyncRun = rest.read(&["sync", "runs", &id], &json!({})).await?;
        match run.state {
            SyncState::Running | SyncState::Waiting => tell(&run),
            SyncState::Done => return Ok(run),
            _ => {
                let why = run.error.map_or_else(|| "it was stopped".to_owned(), |error| error.message);
                anyhow::bail!("the synchronization failed: {why}");
            }
        }
        pause().await;
    }
}

/// Chooses every product and classification, and keeps out what nobody wants.
pub(super) async fn choose(rest: &Rest) -> Result<()> {
    for what in ["products", "classifications"] {
        let change = SelectionChange { all: true, ids: Vec::new() };
        let _: Selection = rest.change(Method::PUT, &[what], &change).await?;
    }
    let rule = |name: &str, action, condition| CriterionRule {
        name: name.to_owned(),
        action,
        condition,
        except: Vec::new(),
        enabled: true,
    };
    let itanium = CriterionCondition { architectures: vec!["ia64".to_owned()], ..CriterionCondition::default() };
    let previews = CriterionCondition { preview: Some(true), ..CriterionCondition::default() };
    let old = CriterionCondition { superseded_for_days: Some(SUPERSEDED_DAYS), ..CriterionCondition::default() };
    for rule in [
        rule("Itanium", CriterionAction::Skip, itanium),
        rule("Previews", CriterionAction::Decline, previews),
        rule("Superseded", CriterionAction::Decline, old),
    ] {
        let _: Criterion = rest.change(Method::POST, &["criteria"], &rule).await?;
    }
    Ok(())
}

/// For how many days a superseded update is still of interest.
const SUPERSEDED_DAYS: u32 = 60;

/// Makes the collections that computers ask for, below one that covers them.
pub(super) async fn collections(rest: &Rest, above: &str, names: &[&str]) -> Result<()> {
    let create = |name: &str, parent: Option<&str>| CollectionCreate {
        name: name.to_owned(),
        parent: parent.map(str::to_owned),
        ..CollectionCreate::default()
    };
    let _: CollectionCreated = rest.change(Method::POST, &["collections"], &create(above, None)).await?;
    for name in names {
        let _: CollectionCreated = rest.change(Method::POST, &["collections"], &create(name, Some(above))).await?;
    }
    Ok(())
}

/// Gives a collection a maintenance window of every day, which begins at the time of day of `begins`, in UTC.
pub(super) async fn window(rest: &Rest, collection: &str, begins: Timestamp, minutes: u32) -> Result<Window> {
    let new = WindowCreate {
        name: "Every day".to_owned(),
        collection: collection.to_owned(),
        schedule: Some(format!("daily at {}", begins.to_zoned(TimeZone::UTC).strftime("%H:%M"))),
        minutes: Some(minutes),
        local: Some(false),
        ..WindowCreate::default()
    };
    let made: WindowChanged = rest.change(Method::POST, &["windows"], &new).await?;
    ensure!(made.warnings.is_empty(), "the maintenance window: {}", made.warnings.join("; "));
    Ok(made.window)
}

/// Puts what is needed of a month into an update group.
pub(super) async fn group(rest: &Rest, month: Month, needed: &[&Update]) -> Result<UpdateGroupCreated> {
    let updates = needed.iter().map(|update| update.id.0).collect();
    let new = UpdateGroupCreate {
        name: format!("Needed {month}"),
        description: Some("What computers need of the newest month".to_owned()),
        members: MembersChange { updates, ..MembersChange::default() },
    };
    let made: UpdateGroupCreated = rest.change(Method::POST, &["groups"], &new).await?;
    ensure!(made.members == needed.len() as u64, "the group has {} of {} updates", made.members, needed.len());
    Ok(made)
}

/// The sites as the top sees them.
pub(super) async fn sites(rest: &Rest) -> Result<Vec<Site>> {
    rest.list(&["sites"]).await
}

/// How all computers comply, as a site counts.
pub(super) async fn summary(rest: &Rest) -> Result<Summary> {
    rest.read(&["compliance", "summary"], &json!({})).await
}

/// Installed updates of all computers, as a site counts.
pub(super) async fn installed(rest: &Rest) -> Result<u64> {
    let list: Vec<UpdateCompliance> = rest.list(&["compliance", "updates"]).await?;
    Ok(list.iter().map(|update| update.counts.installed).sum())
}

/// Whether a site has everything that the top has.
pub(super) fn is_synchronized(site: &Site, top: &Site) -> bool {
    let version = |site: &Site| site.point.as_ref().map(|point| point.catalogue_version);
    let done = site.point.as_ref().is_some_and(|point| point.sync.state == weir_api::site::SyncState::Done);
    done && !site.behind && version(site).is_some_and(|version| version > 0) && version(site) == version(top)
}

/// A folder for a lab: the given one, which must be empty, or a new one among temporary files.
pub(super) fn folder(given: Option<&Path>) -> Result<(PathBuf, Option<tempfile::TempDir>)> {
    let Some(given) = given else {
        let folder =
            tempfile::Builder::new().prefix("weir-lab-").tempdir().context("cannot make a temporary folder")?;
        return Ok((folder.path().to_owned(), Some(folder)));
    };
    std::fs::create_dir_all(given).with_context(|| format!("cannot make {}", given.display()))?;
    let mut entries = std::fs::read_dir(given).with_context(|| format!("cannot read {}", given.display()))?;
    anyhow::ensure!(entries.next().is_none(), "{} is not empty; give a new folder", given.display());
    // servers are told of it, whatever their own folder is
    Ok((given.canonicalize()?, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_stand_where_they_may() {
        let names = |sites| plan(sites).into_iter().map(|site| (site.name, site.under)).collect::<Vec<_>>();
        assert_eq!(names(1), [("HQ".to_owned(), None)]);
        assert_eq!(names(3), [("CEN".to_owned(), None), ("PRI1".to_owned(), Some(0)), ("SEC1".to_owned(), Some(1))]);
        assert_eq!(names(5)[3..], [("PRI2".to_owned(), Some(0)), ("SEC2".to_owned(), Some(3))]);
        assert_eq!(plan(1)[0].kind, SiteKind::Primary);
    }

    #[test]
    fn a_folder_with_something_in_it_is_refused() {
        let outer = tempfile::tempdir().expect("a folder");
        let (path, _) = folder(Some(&outer.path().join("new"))).expect("it is made");
        assert!(path.is_dir());
        let error = folder(Some(outer.path())).expect_err("it has a folder in it").to_string();
        assert!(error.contains("not empty"), "{error}");
        let (path, temporary) = folder(None).expect("a temporary one");
        drop(temporary);
        assert!(!path.exists());
    }
}
