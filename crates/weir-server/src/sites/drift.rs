//! Whether this server still has what its parent decided (TOP-9). Changes flow down one by one; what was changed here past
//! them, by hand in the database or by a restored copy, shows in the digests that the parent sends with the end of its feed.
//! Then everything of the kinds that differ is read again and put right.

use serde_json::json;
use weir_store::{ReadTx, StoreError, WriteTx, intent::IntentOrigin};

use super::{
    feed::KINDS,
    follow::{Link, LinkError, read_feed},
};
use crate::{
    admin::{App, Caller},
    intent::{self, Applied, Digests, Kind, Object, Origin},
};

/// What was found out last.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Drift {
    /// The kinds in which this server differs from its parent; none if the parent sends no digests.
    pub(super) kinds: Option<Vec<String>>,
    /// The digests of both when that was found: while they stay, it stays.
    seen: Option<(Digests, Digests)>,
}

/// Whose objects are compared. A replica has no deployments of its own: what came by MS-WSUSSS before the parent sent them
/// over the link is the parent's, too.
fn origin(kind: Kind) -> Option<IntentOrigin> {
    (kind != Kind::Deployment).then_some(IntentOrigin::Parent)
}

/// What of the parent is here.
fn own(tx: &ReadTx<'_>) -> Result<Digests, StoreError> {
    let mut digests = Digests::new();
    for kind in KINDS {
        digests.extend(intent::digests(tx, &[kind], origin(kind))?);
    }
    Ok(digests)
}

/// Compares with the digests at the end of a feed that was taken over, and puts right what differs.
pub(super) async fn compare(app: &App, link: &mut Link, theirs: Option<Digests>) -> Result<(), LinkError> {
    let Some(theirs) = theirs else {
        // a parent of an earlier version
        note(app, Drift::default());
        return Ok(());
    };
    let here = app.read(own).await?;
    if intent::differing(&theirs, &here).is_empty() {
        note(app, Drift { kinds: Some(Vec::new()), seen: Some((theirs, here)) });
        return Ok(());
    }
    if app.hub().drift().seen.as_ref() == Some(&(theirs, here)) {
        return Ok(());
    }
    let read = read_feed(link, 0).await?;
    let Some(theirs) = read.digests else { return Ok(()) };
    let Some(parent) = app.read(|tx| tx.sites_parent()).await? else { return Ok(()) };
    let caller = Caller::system(&format!("parent {}", parent.name));
    let (objects, digests) = (read.objects, theirs.clone());
    let (applied, kinds, here) = app.write(&caller, move |tx| Ok(correct(tx, objects, &digests)?)).await?;
    if applied.applied > 0 {
        tracing::warn!(
            objects = applied.applied,
            "decisions of the parent had been changed here and are as it made them again"
        );
        app.reload_settings().await?;
        app.publish().await?;
        app.hub().nudge();
    }
    for refused in &applied.refused {
        tracing::warn!(
            kind = refused.kind,
            id = refused.id,
            reason = refused.reason,
            "this server differs from its parent"
        );
    }
    note(app, Drift { kinds: Some(kinds), seen: Some((theirs, here)) });
    Ok(())
}

fn note(app: &App, drift: Drift) {
    if app.hub().set_drift(drift) {
        app.hub().status_changed();
    }
}

/// Makes everything of the kinds that differ what the parent says. Gives what became of it, the kinds that differ still,
/// and the digests afterwards.
fn correct(
    tx: &WriteTx<'_>,
    objects: Vec<Object>,
    theirs: &Digests,
) -> Result<(Applied, Vec<String>, Digests), StoreError> {
    let kinds = intent::differing(theirs, &own(tx)?);
    let of = |kind: &Kind| {
        let name = kind.name();
        objects.iter().filter(move |object| !object.deleted && object.kind == name)
    };
    let mut wanted: Vec<Object> = Vec::new();
    for kind in &kinds {
        wanted.extend(of(kind).cloned());
        // what came from the parent and is not there any more
        let extra = intent::present(tx, *kind, origin(*kind))?.into_iter();
        let extra = extra.filter(|here| !of(kind).any(|there| there.id == here.id));
        wanted.extend(extra.map(|object| Object { deleted: true, body: serde_json::Value::Null, ..object }));
    }
    let applied = intent::apply(tx, &wanted, Origin::Parent)?;
    let mut left = Vec::new();
    for kind in &kinds {
        for object in wanted.iter().filter(|object| object.kind == kind.name()) {
            if intent::differs(tx, object)? {
                left.push(kind.name().to_owned());
                break;
            }
        }
    }
    if applied.applied > 0 {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        let after = json!({ "kinds": names, "objects": applied.applied, "refused": applied.refused.len() });
        tx.audit("site.drift", "decisions of the parent", None, Some(&after))?;
    }
    Ok((applied, left, own(tx)?))
}
