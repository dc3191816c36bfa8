//! Enrolment as the parent sees it: codes are made, and servers that bring one are taken in.

use std::{collections::BTreeSet, net::IpAddr, time::Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use weir_api::{
    Reference,
    site::{EnrolmentCode as CodeAnswer, EnrolmentRequest},
};
use weir_model::{
    enrolment::{EnrolmentCode, LONGEST_ADDRESS, MOST_ADDRESSES},
    ids::Sha256Digest,
    message::SITE_ENROLLED,
    site::{SiteNode, SiteTree},
};
use weir_store::{ReadTx, StoreError, WriteTx};

use super::{
    follow,
    link::{Enrol, Enrolled, plain},
    serve::facts,
    tree,
};
use crate::{
    admin::{AdminError, App, Caller},
    config::Listen,
    start::random,
    state::Connection,
};

/// How long a code is accepted.
const CODE_LIVES: SignedDuration = SignedDuration::from_hours(24);
/// Attempts to enrol that one address may make at once; a quarter of that comes back each second.
const ATTEMPTS: u32 = 8;
/// Clocks further apart than this are mentioned.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

fn hash(secret: &[u8]) -> Sha256Digest {
    Sha256Digest(Sha256::digest(secret).into())
}

/// Makes a code for a site directly below this server. An open one of that site is withdrawn.
pub(crate) async fn invite(
    app: &App,
    caller: &Caller,
    name: String,
    request: EnrolmentRequest,
) -> Result<CodeAnswer, AdminError> {
    let addresses = addresses(app, &request)?;
    let pin = app.hub().pin().ok_or_else(|| AdminError::Unavailable("the server is still starting".to_owned()))?;
    // on a server below the top a new site may be on its way down
    let wanted = name.clone();
    if app.try_read(move |tx| Ok(tree::read(tx)?.find(&wanted).is_none())).await? {
        follow::catch_up(app).await;
    }
    let secret: [u8; 32] = random().map_err(|error| AdminError::Internal(error.to_string()))?;
    let code = EnrolmentCode { addresses: addresses.clone(), fingerprint: pin.fingerprint, secret };
    let now = Timestamp::now();
    let expires_at = now + CODE_LIVES;
    let (site, replaces) = app
        .write(caller, move |tx| {
            let tree = tree::read(tx)?;
            let node = tree.find(&name).ok_or_else(|| AdminError::missing("site", &name, "weir sites list"))?;
            let here = tx.sites_here()?.site;
            below(&tree, node, here)?;
            tx.sites_code_create(hash(&secret), node.id, expires_at)?;
            let replaces = tx.sites_enrolment(node.id)?.is_some();
            let after = json!({ "site": node.name, "expires_at": expires_at, "replaces": replaces });
            tx.audit("site.enrol", &node.id.to_string(), None, Some(&after))?;
            Ok((Reference { id: node.id, name: node.name.clone() }, replaces))
        })
        .await?;
    super::turn_on(app).await;
    app.hub().nudge();
    let code = code.encode();
    let fingerprint = Sha256Digest(pin.fingerprint).to_hex();
    let command = format!("weir serve --enrol {code}");
    Ok(CodeAnswer { site, code, addresses, fingerprint, expires_at, command, replaces })
}

/// A code is made by the server that the new one will stand below.
fn below(tree: &SiteTree, node: &SiteNode, here: Option<Uuid>) -> Result<(), AdminError> {
    if Some(node.id) == here {
        return Err(AdminError::Conflict {
            code: "this_server",
            detail: format!("{} is this server itself", node.name),
            next_step: Some("a code is for a server below this one: weir sites add NAME --kind ...".to_owned()),
        });
    }
    if node.parent.is_some() && node.parent == here {
        return Ok(());
    }
    let above = node.parent.and_then(|parent| tree.site(parent)).map_or("another site", |above| above.name.as_str());
    Err(AdminError::Conflict {
        code: "not_below",
        detail: format!("{} stands below {above}, not directly below this server", node.name),
        next_step: Some(format!(
            "run `weir sites enrol {}` on the server of {above}, once that one is enrolled",
            node.name
        )),
    })
}

/// Where the new server may reach this one: always with TLS.
fn addresses(app: &App, request: &EnrolmentRequest) -> Result<Vec<String>, AdminError> {
    if !request.addresses.is_empty() {
        let checked = request.addresses.iter().map(|text| {
            let text = text.trim().trim_end_matches('/');
            let url = text.parse::<http::Uri>().ok().filter(|url| {
                url.scheme_str() == Some("https")
                    && url.host().is_some_and(|host| !host.is_empty())
                    && matches!(url.path(), "" | "/")
                    && url.query().is_none()
                    && text.len() <= LONGEST_ADDRESS
            });
            url.map(|_| text.to_owned()).ok_or_else(|| AdminError::Invalid {
                code: "address",
                detail: format!("{text:?} is no address for enrolment"),
                next_step: Some("give https://HOST:PORT; a code is never sent over plain HTTP".to_owned()),
            })
        });
        let checked = checked.collect::<Result<Vec<_>, _>>()?;
        if checked.len() > MOST_ADDRESSES {
            return Err(AdminError::invalid("address", format!("give at most {MOST_ADDRESSES} addresses")));
        }
        return Ok(checked);
    }
    let own = app.endpoints.server.as_ref().or(app.endpoints.client_https.as_ref());
    let Some(own) = own else {
        return Err(AdminError::Conflict {
            code: "no_tls",
            detail: "no listener with TLS is on, and enrolment never uses plain HTTP".to_owned(),
            next_step: Some("start the server with --client-https ADDRESS or --server ADDRESS".to_owned()),
        });
    };
    let listen = match app.process.listen.server {
        Some(address) => Some(address),
        None => match app.process.listen.client_https {
            Listen::At(address) => Some(address),
            Listen::Off => None,
        },
    };
    let wildcard = listen.is_some_and(|address| address.ip().is_unspecified());
    if !wildcard {
        return Ok(vec![own.clone()]);
    }
    // it listens everywhere: all that it is known by, what an administrator said first
    let port = own.rsplit(':').next().unwrap_or("8531").to_owned();
    let url = |name: &str| match name.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("https://[{address}]:{port}"),
        _ => format!("https://{name}:{port}"),
    };
    let mut seen = BTreeSet::new();
    let names = app.process.tls_names.iter().cloned().chain(crate::start::machine_name());
    let mut found: Vec<String> =
        names.filter(|name| !name.contains('*') && seen.insert(name.clone())).map(|name| url(&name)).collect();
    found.truncate(MOST_ADDRESSES - 1);
    // last, for a second server on this machine
    found.push(own.clone());
    Ok(found)
}

/// Takes in the server that shows this certificate, if it knows a code's secret.
pub(super) async fn enrol(
    app: &App,
    mut asked: Enrol,
    fingerprint: Sha256Digest,
    connection: Connection,
) -> Result<Enrolled, AdminError> {
    if !app.hub().attempts.take(connection.limit_key(), ATTEMPTS, Instant::now()) {
        return Err(AdminError::TooMany);
    }
    let peer = connection.peer.ip().to_canonical();
    plain(&mut asked.version, 64);
    let Some(secret) = bytes(&asked.secret) else { return Err(unknown_code()) };
    let hash = hash(&secret);
    let (id, own, version, at) = (asked.server_id, app.state.server.0, asked.version.clone(), Timestamp::now());
    let apart = asked.now.duration_since(at);
    let shared = app.clone();
    let caller = Caller { from: Some(peer.to_string()), ..Caller::system("enrolment") };
    let enrolled = app
        .write(&caller, move |tx| {
            let tree = tree::read(tx)?;
            let site = usable(tx, hash, id, fingerprint, at)?;
            let node = tree.site(site).ok_or_else(unknown_code)?;
            identity(tx, &tree, node, id, fingerprint, own)?;
            tx.sites_code_use(hash)?;
            tx.sites_enrol(site, id, fingerprint, &version)?;
            let after = json!({ "server": id, "version": version, "certificate": fingerprint });
            tx.audit("site.enrolled", &site.to_string(), None, Some(&after))?;
            tx.alert_close(super::TWINS, &node.name)?;
            let said = [("peer", peer.to_string()), ("site", node.name.clone())];
            tx.status_message(&SITE_ENROLLED, &said, Some(("site", &node.name)))?;
            let chain = chain(&tree, site);
            Ok(Enrolled {
                site,
                chain,
                parent: facts(&shared, tx)?,
                authority: shared.hub().pin().and_then(|pin| pin.authority),
                now: at,
            })
        })
        .await;
    match &enrolled {
        Ok(enrolled) => {
            app.hub().forget(enrolled.site);
            tracing::info!(site = %enrolled.site, server = %id, %peer, "a server enrolled");
            if apart.abs() > CLOCKS {
                tracing::warn!(%peer, seconds = apart.as_secs(), "the clock of the new server is far from this one's");
            }
        }
        Err(error) => tracing::warn!(%peer, %error, "an enrolment was refused"),
    }
    enrolled
}

/// Bytes of a secret in hexadecimal.
fn bytes(text: &str) -> Option<[u8; 32]> {
    Sha256Digest::from_hex(text).ok().map(|digest| digest.0)
}

/// From the top to a site.
fn chain(tree: &SiteTree, site: Uuid) -> Vec<SiteNode> {
    tree.nodes().iter().filter(|node| tree.is_within(site, node.id)).cloned().collect()
}

const NEW_CODE: &str = "make a new code on the parent with `weir sites enrol NAME` and use that one";

fn refused(code: &'static str, detail: impl Into<String>, next_step: impl Into<String>) -> AdminError {
    AdminError::Conflict { code, detail: detail.into(), next_step: Some(next_step.into()) }
}

fn unknown_code() -> AdminError {
    let detail = "the parent does not know this code: another server made it, or its site was removed since";
    refused("code_unknown", detail, NEW_CODE)
}

/// The site of a code, if it may be used now. A server that did not get the answer may come again with the same
/// certificate.
fn usable(
    tx: &ReadTx<'_>,
    hash: Sha256Digest,
    server: Uuid,
    fingerprint: Sha256Digest,
    now: Timestamp,
) -> Result<Uuid, AdminError> {
    let code = tx.sites_code(hash)?.ok_or_else(unknown_code)?;
    if let Some(used_at) = code.used_at {
        let before = tx.sites_enrolment(code.site)?;
        if before.is_some_and(|row| row.server_id == server && row.fingerprint == fingerprint) {
            return Ok(code.site);
        }
        return Err(refused(
            "code_used",
            format!("the code was used already, at {used_at}; each works once"),
            NEW_CODE,
        ));
    }
    if let Some(withdrawn_at) = code.withdrawn_at {
        let detail = format!("a newer code took the place of this one at {withdrawn_at}");
        return Err(refused(
            "code_withdrawn",
            detail,
            "use the newest code of the site, or make another on the parent",
        ));
    }
    if code.expires_at <= now {
        let detail = format!("the code expired at {} by the parent's clock, which says {now}", code.expires_at);
        return Err(refused("code_expired", detail, NEW_CODE));
    }
    Ok(code.site)
}

/// One identity, one server: a copied data folder is found out.
fn identity(
    tx: &WriteTx<'_>,
    tree: &SiteTree,
    node: &SiteNode,
    server: Uuid,
    fingerprint: Sha256Digest,
    own: Uuid,
) -> Result<(), AdminError> {
    let way_out = |name: &str| {
        format!(
            "start the new server with an empty data folder; if {name} no longer runs, remove it first: weir sites remove {name}"
        )
    };
    let copied = |what: String, next: String| Err(refused("same_identity", what, next));
    if server == own {
        return copied(
            "the new server has the identity of this parent itself: its data folder is a copy of the parent's"
                .to_owned(),
            "start the new server with an empty data folder".to_owned(),
        );
    }
    let known = |site: Uuid| tree.site(site).map_or_else(|| site.to_string(), |node| node.name.clone());
    let same = [tx.sites_enrolment_of_server(server)?, tx.sites_enrolment_of_certificate(fingerprint)?];
    if let Some(row) = same.into_iter().flatten().find(|row| row.site != node.id) {
        let name = known(row.site);
        return copied(
            format!("a server with the same identity is enrolled as {name} already: its data folder was copied"),
            way_out(&name),
        );
    }
    for (site, status, _) in tx.sites_status_list()? {
        if site != node.id && status.get("server_id").and_then(|id| id.as_str()) == Some(&server.to_string()) {
            let name = known(site);
            return copied(
                format!("a server with the same identity runs as {name} in this tree: its data folder was copied"),
                way_out(&name),
            );
        }
    }
    Ok(())
}

/// Whether a server may enrol below this one, now or ever.
pub(super) fn is_expected(tx: &ReadTx<'_>) -> Result<bool, StoreError> {
    let Some(here) = tx.sites_here()?.site else { return Ok(false) };
    if !tx.sites_enrolments()?.is_empty() {
        return Ok(true);
    }
    for row in tx.sites_list()? {
        if row.node.parent == Some(here) && tx.sites_code_open(row.node.id, Timestamp::now())?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
