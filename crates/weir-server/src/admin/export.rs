//! Exports: beginning one, following it, fetching its files.

use std::{io::Seek as _, sync::Arc};

use axum::body::Body;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::StreamExt as _;
use http::{HeaderMap, Method, Response};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;
use weir_api::{
    List,
    bundle::{BundleKey, TrustAdd, TrustedSigner},
    export::{Export, ExportContent, ExportFormat, ExportQuery, ExportResult},
};
use weir_model::ids::Sha256Digest;
use weir_store::Actor;
use weir_wire::bundle::SMALLEST_PART;

use super::{AdminError, App, Caller, app::blocking};
use crate::{
    bundle::{base, inventory, key, make},
    content::{Facts, respond},
    export::{Stopped, Work, package},
    intent::Kind,
    telemetry::{self, Job},
};

/// Largest part unless another size is asked for: fits any file system and most media.
const PART_BYTES: u64 = 1 << 30;
/// Bytes of what a bundle is to build on: an inventory of ten million entries.
const BASE_BYTES: u64 = 512 << 20;
/// Unresolved revisions that a result names.
const NAMED: usize = 100;
/// Characters of the name of a signer.
const LONGEST_NAME: usize = 255;

/// Begins an export.
pub(crate) async fn create(app: &App, caller: &Caller, query: ExportQuery, body: Body) -> Result<Export, AdminError> {
    let kinds = kinds(query.with.as_deref())?;
    let part_bytes = query.part_bytes.unwrap_or(PART_BYTES);
    let only_bundles = query.content != ExportContent::None || !kinds.is_empty() || query.part_bytes.is_some();
    if query.format == ExportFormat::Package && only_bundles {
        return Err(AdminError::invalid(
            "query",
            "a package holds metadata alone: content, with and part_bytes are for bundles",
        ));
    }
    if part_bytes < SMALLEST_PART {
        return Err(AdminError::invalid("part_size", format!("a part has at least {SMALLEST_PART} bytes")));
    }
    let mut base = base_file(app, body).await?;
    let now = Timestamp::now();
    let id = Uuid::new_v4();
    let folder = app.shared().exports.folder(id);
    let folder = folder.map_err(|error| AdminError::Internal(format!("a folder for an export: {error}")))?;
    let work = Arc::new(Work::new(id, query.format, folder, now));
    let (store, server) = (app.state.store.clone(), app.state.server.0);
    let has = {
        let store = store.clone();
        blocking(move || base::read(&store, server, &mut base)).await?
    };
    if query.format == ExportFormat::Package && has.base().is_some() {
        return Err(AdminError::invalid("base", "a package is always the whole catalogue; only a bundle leaves out"));
    }
    app.shared().exports.add(&work)?;
    let (content, live, at_work) = (app.state.content.clone(), app.state.live.clone(), Arc::clone(&work));
    let actor = Actor::principal(&caller.name, caller.from.as_deref(), now);
    tokio::task::spawn_blocking(move || {
        let made = telemetry::job_here(Job::Export, || {
            let made = match query.format {
                ExportFormat::Package => package::make(&store, server, &at_work, now),
                ExportFormat::Bundle => {
                    let wanted = make::Wanted { has, content: query.content, kinds, part_bytes };
                    make::make(&store, &content, server, &actor, &at_work, &wanted)
                }
            };
            let result = unresolved(&live, made?);
            if query.format == ExportFormat::Package {
                let facts = json!({ "revisions": result.revisions });
                store.write(&actor, |tx| tx.audit("export", &id.to_string(), None, Some(&facts)))?;
            }
            Ok::<_, Stopped>(result)
        });
        at_work.end(made);
    });
    Ok(work.show())
}

/// Notes what an importer will not be able to offer.
fn unresolved(live: &crate::live::Live, mut result: ExportResult) -> ExportResult {
    let current = live.current();
    let unresolved = current.snapshot.unresolved();
    result.unresolved = unresolved.len() as u64;
    let named = unresolved.into_iter().filter_map(|(id, _)| current.snapshot.identity(id));
    result.unresolved_ids = named.take(NAMED).map(|identity| identity.to_string()).collect();
    result
}

/// Kinds of decisions by the names that administrators use.
fn kinds(with: Option<&str>) -> Result<Vec<Kind>, AdminError> {
    let mut kinds = Vec::new();
    for name in with.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()) {
        kinds.extend_from_slice(match name {
            // what they are deployed to goes with them
            "client-settings" => &[Kind::Collection, Kind::ClientSettings][..],
            "collections" => &[Kind::Collection],
            "criteria" => &[Kind::Criterion],
            "declines" => &[Kind::Decline],
            // what they refer to goes with them
            "deployments" => &[
                Kind::UpdateGroup,
                Kind::Collection,
                Kind::EulaAcceptance,
                // an importer would offer a stopped update otherwise
                Kind::UpdateStop,
                Kind::DeploymentTemplate,
                Kind::UpdateSetting,
                Kind::Deployment,
            ],
            "rules" => &[Kind::UpdateGroup, Kind::Collection, Kind::Rule, Kind::Phased],
            "searches" => &[Kind::SavedSearch],
            "selections" => &[Kind::Selection],
            "settings" => &[Kind::Setting],
            "windows" => &[Kind::Collection, Kind::MaintenanceWindow],
            other => {
                return Err(AdminError::Invalid {
                    code: "with",
                    detail: format!("there are no decisions named {other:?}"),
                    next_step: Some(
                        "use some of client-settings, collections, criteria, declines, deployments, rules, searches, \
                         selections, settings, windows"
                            .to_owned(),
                    ),
                });
            }
        });
    }
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds)
}

/// Keeps the body in a file that vanishes by itself.
async fn base_file(app: &App, body: Body) -> Result<std::fs::File, AdminError> {
    use std::io::Write as _;
    let failed = |error: std::io::Error| AdminError::Internal(format!("keeping an upload: {error}"));
    let folder = app.process.data.join("incoming");
    let mut file = blocking(move || tempfile::tempfile_in(folder).map_err(failed)).await?;
    let (mut stream, mut size) = (body.into_data_stream(), 0);
    while let Some(bytes) = stream.next().await {
        let bytes = bytes.map_err(|error| AdminError::invalid("upload", format!("the upload broke off: {error}")))?;
        size += bytes.len() as u64;
        if size > BASE_BYTES {
            return Err(AdminError::TooLarge(format!("what a bundle builds on has at most {BASE_BYTES} bytes")));
        }
        file = blocking(move || {
            file.write_all(&bytes).map_err(failed)?;
            Ok(file)
        })
        .await?;
    }
    file.rewind().map_err(failed)?;
    Ok(file)
}

/// How far an export is.
pub(crate) fn show(app: &App, id: Uuid) -> Result<Export, AdminError> {
    Ok(app.shared().exports.find(id)?.show())
}

/// The bytes of a file.
pub(crate) async fn file(
    app: &App,
    id: Uuid,
    name: String,
    method: Method,
    headers: HeaderMap,
) -> Result<Response<Body>, AdminError> {
    let work = app.shared().exports.find(id)?;
    let modified = work.started_at();
    let (file, known) = blocking(move || work.open(&name)).await?;
    let facts = Facts { tag: format!("\"{}\"", known.sha256), modified, size: known.size };
    Ok(respond(&method, &headers, file, &facts).map(Body::new))
}

/// A file has arrived.
pub(crate) async fn fetched(app: &App, id: Uuid, name: String) -> Result<(), AdminError> {
    let work = app.shared().exports.find(id)?;
    blocking(move || work.fetched(&name)).await
}

/// Ends an export.
pub(crate) async fn remove(app: &App, id: Uuid) -> Result<(), AdminError> {
    let app = app.clone();
    blocking(move || app.shared().exports.remove(id)).await
}

/// The key that this site signs with; made when it is first asked for.
pub(crate) async fn bundle_key(app: &App, caller: &Caller) -> Result<BundleKey, AdminError> {
    let (store, actor) =
        (app.state.store.clone(), Actor::principal(&caller.name, caller.from.as_deref(), Timestamp::now()));
    let key = blocking(move || key::own(&store, &actor)).await?;
    Ok(BundleKey {
        public: BASE64_STANDARD.encode(key.public),
        fingerprint: key::shown(key::fingerprint(&key.public)),
        created_at: key.created_at,
    })
}

/// Signers that are trusted.
pub(crate) async fn trusted(app: &App) -> Result<List<TrustedSigner>, AdminError> {
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "a method is not general over the transaction's lifetime"
    )]
    let rows = app.read(|tx| tx.bundle_trust_list()).await?;
    let items = rows.into_iter().map(|row| TrustedSigner {
        fingerprint: key::shown(row.fingerprint),
        name: row.name,
        added_at: row.added_at,
        added_by: row.added_by,
    });
    Ok(List { items: items.collect(), next: None })
}

/// Trusts a signer.
pub(crate) async fn trust(app: &App, caller: &Caller, add: TrustAdd) -> Result<TrustedSigner, AdminError> {
    let fingerprint = fingerprint(&add.key)?;
    let name = add.name.unwrap_or_default().trim().to_owned();
    if name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        return Err(AdminError::invalid("name", format!("a name has at most {LONGEST_NAME} printable characters")));
    }
    app.write(caller, move |tx| {
        if tx.bundle_trust_add(fingerprint, &name)? {
            tx.audit("bundle.trust", &key::shown(fingerprint), None, Some(&json!({ "name": name })))?;
        }
        Ok(())
    })
    .await?;
    let shown = key::shown(fingerprint);
    let found = trusted(app).await?.items.into_iter().find(|signer| signer.fingerprint == shown);
    found.ok_or_else(|| AdminError::missing("trusted signer", shown, "weir bundle trust list"))
}

/// Trusts a signer no longer.
pub(crate) async fn distrust(app: &App, caller: &Caller, key: String) -> Result<(), AdminError> {
    let fingerprint = fingerprint(&key)?;
    app.write(caller, move |tx| {
        if !tx.bundle_trust_remove(fingerprint)? {
            return Err(AdminError::missing("trusted signer", key::shown(fingerprint), "weir bundle trust list"));
        }
        tx.audit("bundle.distrust", &key::shown(fingerprint), None, None)?;
        Ok(())
    })
    .await
}

/// A fingerprint, or the public key that has it.
fn fingerprint(text: &str) -> Result<Sha256Digest, AdminError> {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && *c != ':').take(200).collect();
    if text.len() == 64
        && let Ok(digest) = Sha256Digest::from_hex(&text)
    {
        return Ok(digest);
    }
    let key = BASE64_STANDARD.decode(&text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    key.map(|key| key::fingerprint(&key)).ok_or_else(|| AdminError::Invalid {
        code: "key",
        detail: "that is neither a fingerprint (64 hexadecimal digits) nor a public key (base64 of 32 bytes)"
            .to_owned(),
        next_step: Some("`weir bundle key` at the sending site prints both".to_owned()),
    })
}

/// What this site has, as a file that vanishes by itself.
pub(crate) async fn inventory(app: &App, method: Method, headers: HeaderMap) -> Result<Response<Body>, AdminError> {
    let (store, server, folder) = (app.state.store.clone(), app.state.server.0, app.process.data.join("incoming"));
    let failed = |error: std::io::Error| AdminError::Internal(format!("writing an inventory: {error}"));
    let (file, size) = blocking(move || {
        let mut file = tempfile::tempfile_in(folder).map_err(failed)?;
        store.try_read(|tx| inventory::write(tx, server, std::io::BufWriter::new(&mut file)))?;
        file.rewind().map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        Ok((file, size))
    })
    .await?;
    let facts = Facts { tag: format!("\"{}\"", Uuid::new_v4()), modified: Timestamp::now(), size };
    Ok(respond(&method, &headers, file, &facts).map(Body::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_named_as_administrators_name_them() {
        assert_eq!(kinds(None).expect("none"), []);
        assert_eq!(kinds(Some("declines, collections")).expect("known"), [Kind::Collection, Kind::Decline]);
        let with = kinds(Some("deployments,collections")).expect("known");
        let deployments = [
            Kind::UpdateGroup,
            Kind::Collection,
            Kind::EulaAcceptance,
            Kind::UpdateStop,
            Kind::DeploymentTemplate,
            Kind::UpdateSetting,
            Kind::Deployment,
        ];
        assert_eq!(with, deployments);
        let rules = kinds(Some("rules")).expect("known");
        assert_eq!(rules, [Kind::UpdateGroup, Kind::Collection, Kind::Rule, Kind::Phased]);
        assert!(kinds(Some("approvals")).is_err());
    }

    #[test]
    fn keys_and_fingerprints_name_the_same_signer() {
        let key = [7; 32];
        let wanted = key::fingerprint(&key);
        assert_eq!(fingerprint(&BASE64_STANDARD.encode(key)).expect("a key"), wanted);
        let shown = key::shown(wanted);
        assert_eq!(fingerprint(&format!(" {} ", shown.to_uppercase())).expect("a fingerprint"), wanted);
        let spaced: Vec<String> =
            shown.as_bytes().chunks(2).map(|two| String::from_utf8_lossy(two).into_owned()).collect();
        assert_eq!(fingerprint(&spaced.join(":")).expect("with colons"), wanted);
        assert!(fingerprint("abc").is_err());
    }
}
