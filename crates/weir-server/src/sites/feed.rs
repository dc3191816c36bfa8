//! What flows down the tree: the sites themselves, and what the top decides.

use serde_json::Value;
use uuid::Uuid;
use weir_model::site::{MOST_SITES, SiteNode, SiteTree, checked_name};
use weir_store::{ReadTx, StoreError, WriteTx};

use super::link::{Feed, ParentFacts, SITE_KIND, SiteBody};
use crate::intent::{self, Applied, Kind, Object, Origin};

/// Kinds of objects that the site link carries. Declines and licences come with a synchronization (MS-WSUSSS). Deployments
/// come both ways: MS-WSUSSS has one for each update, without names and settings, so a child takes those of the link
/// ([`ReadTx::sites_parent_deployments`]) and looks at the others for the revisions that they name only.
pub(super) const KINDS: [Kind; 14] = [
    Kind::Setting,
    Kind::SavedSearch,
    Kind::Selection,
    Kind::Criterion,
    Kind::UpdateGroup,
    Kind::Collection,
    Kind::UpdateSetting,
    Kind::MaintenanceWindow,
    Kind::ClientSettings,
    Kind::UpdateStop,
    Kind::DeploymentTemplate,
    Kind::Rule,
    Kind::Phased,
    Kind::Deployment,
];

/// Version of the body of a site.
const SITE_VERSION: u32 = 1;

/// What changed after a number.
pub(super) fn read(tx: &ReadTx<'_>, since: u64, parent: ParentFacts) -> Result<Feed, StoreError> {
    let page = intent::export_since(tx, &KINDS, since)?;
    let upto = page.upto.max(since);
    let mut objects = page.objects;
    objects.extend(sites(tx, since)?.into_iter().filter(|object| object.change <= upto));
    objects.sort_by_key(|object| object.change);
    Ok(Feed { objects, upto, more: page.more, parent, digests: None })
}

/// Whether anything changed after a number.
pub(super) fn is_newer(tx: &ReadTx<'_>, since: u64) -> Result<bool, StoreError> {
    if tx.catalogue_version()?.0 <= since {
        return Ok(false);
    }
    Ok(!sites(tx, since)?.is_empty() || has_decisions(tx, &KINDS, since)?)
}

/// Whether decisions of these kinds changed after a number. A page may be full of others.
pub(super) fn has_decisions(tx: &ReadTx<'_>, kinds: &[Kind], mut since: u64) -> Result<bool, StoreError> {
    loop {
        let page = intent::export_since(tx, kinds, since)?;
        if !page.objects.is_empty() || !page.more || page.upto <= since {
            return Ok(!page.objects.is_empty());
        }
        since = page.upto;
    }
}

fn sites(tx: &ReadTx<'_>, since: u64) -> Result<Vec<Object>, StoreError> {
    let object = |id: Uuid, change: u64, deleted, body| Object {
        kind: SITE_KIND.to_owned(),
        version: SITE_VERSION,
        id: id.to_string(),
        change,
        deleted,
        body,
    };
    let there = tx.sites_changed(since)?.into_iter().map(|row| {
        let SiteNode { id, name, kind, parent } = row.node;
        let body = serde_json::to_value(SiteBody { name, kind, parent }).unwrap_or_default();
        object(id, row.change.0, false, body)
    });
    let mut objects: Vec<Object> = there.collect();
    let gone = tx.sites_retired(since)?;
    objects.extend(gone.into_iter().map(|(id, change)| object(id, change.0, true, Value::Null)));
    Ok(objects)
}

/// What became of a page of the feed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Taken {
    /// What became of the objects.
    pub(super) applied: Applied,
    /// Something changed that scans read.
    pub(super) changed: bool,
    /// Sites that are gone.
    pub(super) removed: Vec<Uuid>,
}

/// Takes over all that was sent up to a number. `here` is this server's site; objects that do not fit are noted and left
/// out.
pub(super) fn take(tx: &WriteTx<'_>, objects: Vec<Object>, upto: u64, here: Uuid) -> Result<Taken, StoreError> {
    let (sites, other): (Vec<Object>, Vec<Object>) = objects.into_iter().partition(|object| object.kind == SITE_KIND);
    let removed = take_sites(tx, &sites, here)?;
    // a parent that sends more than the link carries is newer; what it means by that is not known here
    let (mine, strange): (Vec<Object>, Vec<Object>) =
        other.into_iter().partition(|object| KINDS.iter().any(|kind| kind.name() == object.kind));
    let mut applied = intent::apply(tx, &mine, Origin::Parent)?;
    for object in strange {
        let same = |known: &&mut intent::Unknown| known.kind == object.kind && known.version == object.version;
        if let Some(known) = applied.unknown_kinds.iter_mut().find(same) {
            known.objects += 1;
        } else {
            let kind = object.kind.chars().take(80).collect();
            applied.unknown_kinds.push(intent::Unknown { kind, version: object.version, objects: 1 });
        }
    }
    tx.sites_parent_feed(upto)?;
    Ok(Taken { changed: applied.applied > 0, applied, removed })
}

/// Brings the tree to what the objects say. Gives the sites that are gone.
fn take_sites(tx: &WriteTx<'_>, objects: &[Object], here: Uuid) -> Result<Vec<Uuid>, StoreError> {
    if objects.is_empty() {
        return Ok(Vec::new());
    }
    let known: Vec<SiteNode> = tx.sites_list()?.into_iter().map(|row| row.node).collect();
    let mut wanted = known.clone();
    for object in objects {
        let Ok(id) = object.id.parse::<Uuid>() else {
            tracing::warn!(site = object.id, "the parent told of a site without an id");
            continue;
        };
        if object.deleted {
            wanted.retain(|node| node.id != id);
            continue;
        }
        let body =
            serde_json::from_value::<SiteBody>(object.body.clone()).ok().filter(|_| object.version == SITE_VERSION);
        let Some(body) = body.filter(|body| checked_name(&body.name).is_ok()) else {
            tracing::warn!(site = %id, version = object.version, "the parent told of a site that is not understood here");
            continue;
        };
        wanted.retain(|node| node.id != id);
        wanted.push(SiteNode { id, name: body.name, kind: body.kind, parent: body.parent });
        if wanted.len() > MOST_SITES {
            tracing::warn!("the tree has more sites than this server keeps");
            break;
        }
    }
    // a node that hangs on nothing is left out, and with it what hangs on it
    let tree = SiteTree::new(wanted);
    if tree.site(here).is_none() {
        tracing::warn!("the parent's tree has no place for this server any more");
        return Ok(Vec::new());
    }
    let old = SiteTree::new(known);
    let mut removed = Vec::new();
    // from below, so that nothing hangs on what goes
    for node in old.nodes().iter().rev().filter(|node| tree.site(node.id).is_none()) {
        tx.sites_remove(node.id)?;
        removed.push(node.id);
    }
    let changed: Vec<&SiteNode> = tree.nodes().iter().filter(|node| old.site(node.id) != Some(*node)).collect();
    // two sites may have swapped their names: first out of each other's way, under names that nobody can give
    for node in &changed {
        if old.site(node.id).is_some_and(|before| before.name.to_lowercase() != node.name.to_lowercase()) {
            tx.sites_put(&SiteNode { name: node.id.to_string(), ..(*node).clone() })?;
        }
    }
    for node in changed {
        tx.sites_put(node)?;
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use weir_model::site::SiteKind;
    use weir_store::{Actor, Options, Store};

    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn node(number: u128, name: &str, kind: SiteKind, parent: Option<u128>) -> SiteNode {
        SiteNode { id: id(number), name: name.to_owned(), kind, parent: parent.map(id) }
    }

    struct Site {
        store: Store,
        _folder: tempfile::TempDir,
    }

    impl Site {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("folder");
            let database = weir_testkit::engine::database(folder.path());
            let options = Options { database, ..Options::default() };
            Self { store: Store::open(folder.path(), &options).expect("store"), _folder: folder }
        }

        fn write<T>(&self, work: impl FnOnce(&WriteTx<'_>) -> Result<T, StoreError>) -> T {
            self.store.write(&Actor::system("test", Timestamp::UNIX_EPOCH), work).expect("written")
        }

        fn changes(&self, since: u64) -> Vec<Object> {
            self.store.read(|tx| sites(tx, since)).expect("read")
        }

        fn last(&self) -> u64 {
            self.store.read(|tx| tx.catalogue_version()).expect("read").0
        }

        fn take(&self, objects: &[Object]) -> Vec<Uuid> {
            self.write(|tx| take_sites(tx, objects, id(2)))
        }

        fn tree(&self) -> SiteTree {
            let rows = self.store.read(|tx| tx.sites_list()).expect("read");
            SiteTree::new(rows.into_iter().map(|row| row.node))
        }
    }

    #[test]
    fn the_tree_below_becomes_the_one_above() {
        let (above, below) = (Site::new(), Site::new());
        above.write(|tx| {
            tx.sites_put(&node(1, "CEN", SiteKind::Central, None))?;
            tx.sites_put(&node(2, "PRI", SiteKind::Primary, Some(1)))?;
            tx.sites_put(&node(3, "SEC", SiteKind::Secondary, Some(2)))
        });
        assert!(below.take(&above.changes(0)).is_empty());
        assert_eq!(below.tree(), above.tree());
        let since = above.last();
        assert!(above.changes(since).is_empty());

        above.write(|tx| {
            tx.sites_remove(id(3))?;
            tx.sites_put(&node(4, "SEC", SiteKind::Secondary, Some(2)))
        });
        assert_eq!(below.take(&above.changes(since)), [id(3)]);
        assert_eq!(below.tree(), above.tree());
        let before = below.last();
        assert!(below.take(&above.changes(0)).is_empty(), "told twice");
        assert_eq!(below.last(), before, "nothing changed, so nothing is told further down");
    }

    #[test]
    fn swapped_names_are_taken_over() {
        let (above, below) = (Site::new(), Site::new());
        above.write(|tx| {
            tx.sites_put(&node(1, "CEN", SiteKind::Central, None))?;
            tx.sites_put(&node(2, "A", SiteKind::Primary, Some(1)))?;
            tx.sites_put(&node(3, "B", SiteKind::Primary, Some(1)))
        });
        below.take(&above.changes(0));
        above.write(|tx| {
            tx.sites_put(&node(2, "C", SiteKind::Primary, Some(1)))?;
            tx.sites_put(&node(3, "A", SiteKind::Primary, Some(1)))?;
            tx.sites_put(&node(2, "B", SiteKind::Primary, Some(1)))
        });
        below.take(&above.changes(0));
        assert_eq!(below.tree(), above.tree());
    }

    #[test]
    fn nonsense_of_a_parent_changes_nothing() {
        let below = Site::new();
        below.take(&{
            let above = Site::new();
            above.write(|tx| {
                tx.sites_put(&node(1, "CEN", SiteKind::Central, None))?;
                tx.sites_put(&node(2, "PRI", SiteKind::Primary, Some(1)))
            });
            above.changes(0)
        });
        let before = below.tree();
        let object = |id: &str, version, deleted, body| Object {
            kind: SITE_KIND.to_owned(),
            version,
            id: id.to_owned(),
            change: 1,
            deleted,
            body,
        };
        let good = serde_json::json!({ "name": "X", "kind": "primary", "parent": id(1) });
        below.take(&[
            object("no id", 1, false, good.clone()),
            object(&id(9).to_string(), 2, false, good.clone()),
            object(
                &id(9).to_string(),
                1,
                false,
                serde_json::json!({ "name": "a b", "kind": "primary", "parent": id(1) }),
            ),
            object(
                &id(9).to_string(),
                1,
                false,
                serde_json::json!({ "name": "X", "kind": "primary", "parent": id(99) }),
            ),
            object(&id(9).to_string(), 1, false, Value::Null),
        ]);
        assert_eq!(below.tree(), before);
        below.take(&[object(&id(2).to_string(), 1, true, Value::Null)]);
        assert_eq!(below.tree(), before, "a server does not take away its own place");
    }
}
