//! Enrolment as the new server sees it: at its start, before it listens.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use weir_api::Problem;
use weir_model::{
    enrolment::EnrolmentCode,
    ids::{CollectionId, Sha256Digest},
    message::SITE_JOINED,
    site::{MOST_SITES, SiteTree},
};
use weir_store::{ReadTx, StoreError, WriteTx, sites::SiteParentRow};

use super::{
    PATH,
    follow::{self, LinkError},
    link::{Enrol, Enrolled},
    tree::{self, forget_tree},
};
use crate::{
    admin::{AdminError, App, Caller},
    config,
    intent::{self, Kind, Object, Origin},
    start::LINK_PROTOCOL,
    sync::outbound::{self, ClientTerms, Identity, OutboundError, Purpose, Trust},
};

/// Clocks further apart than this are mentioned.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

/// Why this server did not enrol.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Our own side.
    #[error(transparent)]
    Here(#[from] AdminError),
    /// Decisions that were made here would be lost.
    #[error(
        "enrolling below a parent replaces what was decided here, and this server has {0}; to lose that, add --force, \
         else enrol an empty data folder"
    )]
    Loses(String),
    /// No key could be made.
    #[error("no key can be made for the site link: {0}")]
    Key(String),
    /// No address answered as it should.
    #[error("enrolling below the parent failed")]
    Link(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nothing says how to enrol.
    #[error(
        "--parent {0} is given, but this server is not enrolled below it; make a code there with `weir sites enrol NAME` \
         and start once with --enrol CODE"
    )]
    NoCode(String),
    /// No client can be made from the settings.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The code is of another parent.
    #[error("the code is of the parent at {code}, not of {given}; leave --parent away, or get a code from that parent")]
    OtherParent {
        /// The addresses in the code.
        code: String,
        /// The address given.
        given: String,
    },
    /// The server has others below it.
    #[error(
        "this server has sites below it ({0}); a server with a tree of its own cannot become part of another. Remove them \
         (below a top that is lost: weir sites leave --force, then start with --enrol again), or enrol an empty data folder"
    )]
    HasChildren(String),
    /// The parent refused.
    #[error("the parent refused: {}; {}", .0.detail, .0.next_step.as_deref().unwrap_or("see its log"))]
    Refused(Box<Problem>),
}

/// Enrols this server below a parent, unless it has with this very code.
pub(crate) async fn join(app: &App, how: &config::Enrol) -> Result<(), JoinError> {
    let before = app.read(|tx| tx.sites_parent()).await?;
    let Some(code) = &how.code else {
        let given = how.parent.clone().unwrap_or_default();
        return match before {
            Some(parent) if same(&parent.urls, &given) => Ok(()),
            Some(parent) => Err(JoinError::OtherParent { code: parent.urls.join(", "), given }),
            None => Err(JoinError::NoCode(given)),
        };
    };
    let code_hash = Sha256Digest(Sha256::digest(code.secret).into());
    if before.as_ref().is_some_and(|parent| parent.code_hash == code_hash) {
        tracing::info!("this server enrolled with this code before; the code is ignored");
        return Ok(());
    }
    if let Some(given) = how.parent.as_ref().filter(|given| !same(&code.addresses, given)) {
        return Err(JoinError::OtherParent { code: code.addresses.join(", "), given: given.clone() });
    }
    let own = app.state.server.0;
    let (children, lost) = app.read(move |tx| Ok((children(tx, own)?, lost(tx, before.as_ref())?))).await?;
    if let Some(children) = children {
        return Err(JoinError::HasChildren(children));
    }
    if let Some(lost) = lost.filter(|_| !how.force) {
        return Err(JoinError::Loses(lost));
    }

    let (certificate, private_key) = identity(&own.to_string())?;
    let key = PrivateKeyDer::try_from(private_key.clone()).map_err(|error| JoinError::Key(error.to_string()))?;
    let terms = ClientTerms {
        purpose: Purpose::Link,
        trust: Trust::Fingerprint(code.fingerprint),
        identity: Some(Identity { chain: vec![CertificateDer::from(certificate.clone())], key: Arc::new(key) }),
        alpn: vec![LINK_PROTOCOL.to_vec()],
    };
    let client = outbound::client(app, terms).await?;
    let (url, enrolled) = ask(&client, code, own).await?;
    let apart = enrolled.now.duration_since(Timestamp::now());
    if apart.abs() > CLOCKS {
        tracing::warn!(seconds = apart.as_secs(), "the parent's clock is far from this server's; set both right");
    }
    let others = code.addresses.iter().filter(|address| **address != url).cloned();
    let urls: Vec<String> = std::iter::once(url.clone()).chain(others).collect();
    let parent = SiteParentRow {
        urls,
        name: enrolled.parent.name.clone(),
        server_id: enrolled.parent.server_id,
        fingerprint: Sha256Digest(code.fingerprint),
        authority: enrolled.authority.clone(),
        certificate,
        private_key,
        code_hash,
        enrolled_at: Timestamp::now(),
        feed_since: 0,
        feed_at: None,
        refused: None,
        done_version: 0,
        done_at: None,
    };
    let caller = Caller::system("enrolment");
    let name = parent.name.clone();
    app.write(&caller, move |tx| keep(tx, &parent, &enrolled)).await?;
    app.reload_settings().await?;
    app.publish().await?;
    tracing::info!(parent = name, "this server is enrolled");
    Ok(())
}

/// Whether an address is one of those known, without regard to case and a slash at the end.
fn same(known: &[String], given: &str) -> bool {
    let plain = |text: &str| text.trim_end_matches('/').to_lowercase();
    known.iter().any(|url| plain(url) == plain(given))
}

/// The sites below this server, if there are any.
fn children(tx: &ReadTx<'_>, own: uuid::Uuid) -> Result<Option<String>, StoreError> {
    let tree = tree::read(tx)?;
    let here = tx.sites_here()?.site.unwrap_or(own);
    // definitions alone can be made again at the new top
    let enrolled: Vec<uuid::Uuid> = tx.sites_enrolments()?.into_iter().map(|row| row.site).collect();
    let names = tree.children(here).filter(|child| enrolled.contains(&child.id)).map(|child| child.name.as_str());
    let names: Vec<&str> = names.collect();
    // a server that enrols anew keeps its place and what is below it
    let again = tx.sites_parent()?.is_some();
    Ok((!names.is_empty() && !again).then(|| names.join(", ")))
}

/// What was decided here and not above, in words.
fn lost(tx: &ReadTx<'_>, before: Option<&SiteParentRow>) -> Result<Option<String>, StoreError> {
    if before.is_some() {
        // enrolled before: nothing could be decided here
        return Ok(None);
    }
    let mut counts = BTreeMap::<Kind, usize>::new();
    for object in decisions(tx)? {
        let Ok(kind) = object.kind.parse::<Kind>() else { continue };
        let entries = object.body.get("values").and_then(|values| values.as_array()).map(Vec::len);
        let built_in = kind == Kind::Collection && is_built_in(&object);
        *counts.entry(kind).or_default() += if built_in { 0 } else { entries.unwrap_or(1) };
    }
    let mut words = String::new();
    for (kind, count) in counts {
        let (one, many) = match kind {
            Kind::ClientSettings => ("set of client settings", "sets of client settings"),
            Kind::Collection => ("collection", "collections"),
            Kind::Criterion => ("criterion", "criteria"),
            Kind::Decline => ("declined update", "declined updates"),
            Kind::Deployment => ("deployment", "deployments"),
            Kind::MaintenanceWindow => ("maintenance window", "maintenance windows"),
            Kind::DeploymentTemplate => ("template of deployments", "templates of deployments"),
            Kind::SavedSearch => ("saved search", "saved searches"),
            Kind::Selection => {
                ("selected product, classification or language", "selected products, classifications and languages")
            }
            Kind::UpdateGroup => ("update group", "update groups"),
            Kind::Phased => ("phased deployment", "phased deployments"),
            Kind::Rule => ("automatic deployment rule", "automatic deployment rules"),
            Kind::UpdateStop => ("stopped update", "stopped updates"),
            Kind::UpdateSetting => ("update with a run time or severity", "updates with a run time or severity"),
            // an accepted licence is accepted, and settings have their defaults again
            Kind::EulaAcceptance | Kind::Setting => continue,
        };
        if count > 0 {
            let comma = if words.is_empty() { "" } else { ", " };
            let _ = write!(words, "{comma}{count} {}", if count == 1 { one } else { many });
        }
    }
    Ok((!words.is_empty()).then_some(words))
}

/// Everything that was decided here.
fn decisions(tx: &ReadTx<'_>) -> Result<Vec<Object>, StoreError> {
    let (mut objects, mut since) = (Vec::new(), 0);
    loop {
        let page = intent::export_since(tx, &Kind::ALL, since)?;
        objects.extend(page.objects.into_iter().filter(|object| !object.deleted));
        if !page.more || page.upto <= since {
            return Ok(objects);
        }
        since = page.upto;
    }
}

/// All Computers and Unassigned Computers are on every server.
fn is_built_in(object: &Object) -> bool {
    [CollectionId::ALL_COMPUTERS, CollectionId::UNASSIGNED_COMPUTERS].iter().any(|id| id.to_string() == object.id)
}

/// A key of this server's own and a certificate that carries it; nobody reads anything else in it.
fn identity(name: &str) -> Result<(Vec<u8>, Vec<u8>), JoinError> {
    let failed = |error: rcgen::Error| JoinError::Key(error.to_string());
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, name);
    let certificate = params.self_signed(&pair).map_err(failed)?;
    Ok((certificate.der().to_vec(), pair.serialize_der()))
}

/// Sends the secret to the first address where the right server answers.
async fn ask(
    client: &reqwest::Client,
    code: &EnrolmentCode,
    server_id: uuid::Uuid,
) -> Result<(String, Enrolled), JoinError> {
    let secret = Sha256Digest(code.secret).to_hex();
    let body = Enrol { secret, server_id, version: env!("CARGO_PKG_VERSION").to_owned(), now: Timestamp::now() };
    let mut failed = Vec::new();
    for url in &code.addresses {
        let request = client.post(format!("{url}{PATH}/enrolment")).json(&body);
        match follow::answer::<Enrolled>(request).await {
            Ok(enrolled) => return Ok((url.clone(), enrolled)),
            Err(LinkError::Refused(problem)) => return Err(JoinError::Refused(problem)),
            Err(error) => failed.push((url.clone(), error)),
        }
    }
    // the last address is often one that only the parent's own machine has: the first says more
    let error = failed.into_iter().next().map_or(LinkError::NoAddress, |(_, error)| error);
    Err(JoinError::Link(Box::new(error)))
}

/// Replaces what was decided here by a place in the parent's tree.
fn keep(tx: &WriteTx<'_>, parent: &SiteParentRow, enrolled: &Enrolled) -> Result<(), AdminError> {
    let again = tx.sites_parent()?.is_some() && tx.sites_here()?.site == Some(enrolled.site);
    if !again {
        if !tx.sites_enrolments()?.is_empty() {
            return Err(AdminError::Conflict {
                code: "in_use",
                detail: "servers are enrolled below this one, which would lose their place".to_owned(),
                next_step: Some("have them leave first (weir sites leave, on each of them), or let them go: weir sites leave --force, here"
                        .to_owned()),
            });
        }
        let gone: Vec<Object> = decisions(tx)?
            .into_iter()
            .filter(|object| !is_built_in(object))
            .map(|object| Object { deleted: true, body: serde_json::Value::Null, ..object })
            .collect();
        let applied = intent::apply(tx, &gone, Origin::Parent)?;
        for refused in applied.refused {
            tracing::warn!(kind = refused.kind, id = refused.id, reason = refused.reason, "it stays here");
        }
        forget_tree(tx)?;
        if enrolled.chain.len() > MOST_SITES {
            return Err(AdminError::Invalid {
                code: "answer",
                detail: "the parent's answer is endless".into(),
                next_step: None,
            });
        }
        let chain = SiteTree::new(enrolled.chain.iter().cloned());
        if chain.site(enrolled.site).is_none() {
            let detail = "the parent's answer does not say which site this server is".to_owned();
            return Err(AdminError::Invalid { code: "answer", detail, next_step: None });
        }
        for node in chain.nodes() {
            tx.sites_put(node)?;
        }
        tx.sites_here_set(Some(enrolled.site))?;
        tx.sites_catalogue_set(0)?;
    }
    tx.sites_parent_put(parent)?;
    tx.alert_close(super::REFUSED, "parent")?;
    let after = json!({ "parent": parent.name, "urls": parent.urls, "server": parent.server_id });
    tx.status_message(&SITE_JOINED, &[("site", parent.name.clone())], Some(("site", &parent.name)))?;
    tx.audit("site.join", &enrolled.site.to_string(), None, Some(&after))?;
    Ok(())
}
