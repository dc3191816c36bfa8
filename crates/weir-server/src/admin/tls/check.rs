//! What a client sees that connects to this server. Only the server's own listeners are called, whatever address is given: it is the
//! name that is asked for there.

use std::net::SocketAddr;

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use weir_api::tls::{TlsCheck, TlsChecked, TlsCheckedAddress, TlsFinding, TlsWindows};
use weir_model::{
    policy::Address,
    tls::{self, Finding, Fit, Grade, Key, Minimum, Observation, TABLE, Trust},
};

use super::{
    certificate,
    probe::{Known, Probed, probe, trust},
};
use crate::{
    admin::{
        AdminError, App, blocking,
        setting::{Current, SERVER_NAME},
    },
    start::{ADMIN, CLIENT, Certificates, facts, machine_name},
};

/// Bytes of roots that are given.
const MOST_BYTES: usize = 1 << 20;
/// Roots that are given.
const MOST_ROOTS: usize = 100;
/// The listener of servers, if it is one of its own.
const SERVER: &str = "server";

/// What is tried.
struct Target {
    address: Address,
    plane: &'static str,
    listener: SocketAddr,
    /// No listener has the port of the address.
    foreign_port: bool,
    /// This server is not known by the host of the address.
    alias: bool,
}

/// Connects as a client would, and judges what it sees.
pub(crate) async fn run(app: &App, check: TlsCheck) -> Result<TlsChecked, AdminError> {
    let certificates =
        app.certificates().ok_or_else(|| AdminError::Unavailable("the server is still starting".to_owned()))?;
    let given = check.root.as_deref().map(roots).transpose()?;
    let shared = app.clone();
    let (told, name) = app
        .try_read(move |tx| Ok((crate::sites::client_addresses(&shared, tx)?, Current::read(tx)?.text(SERVER_NAME))))
        .await?;
    let told: Vec<Address> = told.into_iter().filter(Address::tls).collect();
    let targets = match check.url.as_deref() {
        Some(url) => vec![named(app, url, &told)?],
        None => all(app, &certificates, &told, &name),
    };
    if targets.is_empty() {
        return Err(AdminError::Internal("no listener speaks TLS, not even that of administrators".to_owned()));
    }
    // what policy names by itself
    let hosts: Vec<String> = told.first().map(|address| address.host().to_owned()).into_iter().collect();
    let now = Timestamp::now();
    let mut addresses = Vec::with_capacity(targets.len());
    for target in targets {
        let known = Known {
            // administrators are shown what computers need not trust
            given: given.clone().filter(|_| target.plane != ADMIN),
            own: certificates.authority_der().map_err(|error| AdminError::Internal(error.to_string()))?,
        };
        addresses.push(looked_at(target, known, hosts.clone(), certificates.minimum(), now).await?);
    }
    let count = |grade: Grade| {
        let findings = addresses.iter().flat_map(|address| &address.findings);
        findings.filter(|finding| finding.severity == grade.word()).count() as u64
    };
    Ok(TlsChecked { errors: count(Grade::Error), warnings: count(Grade::Warning), addresses, as_of: now })
}

fn roots(pem: &str) -> Result<Vec<CertificateDer<'static>>, AdminError> {
    let wrong = |why: String| AdminError::Invalid {
        code: "root",
        detail: format!("root: {why}"),
        next_step: Some("give a PEM file with the root that computers trust (\"BEGIN CERTIFICATE\")".to_owned()),
    };
    if pem.len() > MOST_BYTES {
        return Err(wrong(format!("it has more than {MOST_BYTES} bytes")));
    }
    let found = CertificateDer::pem_slice_iter(pem.as_bytes()).take(MOST_ROOTS).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| wrong(format!("it is no PEM file of certificates ({error})")))?;
    if found.is_empty() {
        return Err(wrong("it holds no certificate".to_owned()));
    }
    facts(&found).map_err(wrong)?;
    Ok(found)
}

/// Where this machine reaches a listener, from the form of `endpoints.json`.
fn listener(url: Option<&String>) -> Option<SocketAddr> {
    url?.strip_prefix("https://")?.parse().ok()
}

/// The listeners with TLS.
fn listeners(app: &App) -> Vec<(&'static str, SocketAddr)> {
    let own = app.process.listen.server.and(app.endpoints.server.as_ref());
    let all = [(CLIENT, app.endpoints.client_https.as_ref()), (SERVER, own), (ADMIN, app.endpoints.admin.as_ref())];
    all.into_iter().filter_map(|(plane, url)| Some((plane, listener(url)?))).collect()
}

/// One address that an administrator names.
fn named(app: &App, url: &str, told: &[Address]) -> Result<Target, AdminError> {
    let invalid = |detail: String| AdminError::Invalid {
        code: "url",
        detail,
        next_step: Some("give https://HOST:PORT, as the policy of computers does".to_owned()),
    };
    let address = url.trim().parse::<Address>().map_err(|error| {
        let shown = url.chars().take(200).collect::<String>();
        invalid(format!("url: {shown:?} is no address of a server: {error}"))
    })?;
    if !address.tls() {
        return Err(invalid(format!("url: {address} is without TLS, so that there is nothing to check")));
    }
    let listeners = listeners(app);
    let same = listeners.iter().find(|(_, listener)| listener.port() == address.port());
    let (plane, found) = match same.or_else(|| listeners.iter().find(|(plane, _)| *plane == CLIENT)) {
        Some(found) => *found,
        None => {
            return Err(AdminError::Conflict {
                code: "no_tls",
                detail: format!("no listener has the port {}, and none with TLS is on for computers", address.port()),
                next_step: Some("start the server with --client-https ADDRESS".to_owned()),
            });
        }
    };
    let host = address.host();
    let known = told.iter().any(|one| one.host() == host)
        || app.process.tls_names.iter().any(|name| name.eq_ignore_ascii_case(host))
        || machine_name().is_some_and(|name| name == host)
        || address.is_loopback();
    Ok(Target { plane, listener: found, foreign_port: same.is_none(), alias: !known, address })
}

/// The addresses of all listeners, by the names that clients use.
fn all(app: &App, certificates: &Certificates, told: &[Address], name: &str) -> Vec<Target> {
    let mut targets = Vec::new();
    let mut add = |plane, host: &str, listener: SocketAddr| {
        if let Ok(address) = Address::new(true, host, listener.port()) {
            targets.push(Target { address, plane, listener, foreign_port: false, alias: false });
        }
    };
    for (plane, listener) in listeners(app) {
        let itself = listener.ip().to_string();
        if plane != ADMIN {
            add(plane, told.first().map_or(itself.as_str(), Address::host), listener);
            continue;
        }
        add(plane, &itself, listener);
        // who comes by a name is shown another certificate
        let own = certificates.standing().unwrap_or_default();
        if own.iter().any(|standing| standing.plane == ADMIN && standing.files.is_some()) {
            let machine = machine_name().unwrap_or_default();
            add(plane, if name.is_empty() { machine.as_str() } else { name }, listener);
        }
    }
    targets
}

async fn looked_at(
    target: Target,
    known: Known,
    hosts: Vec<String>,
    minimum: Minimum,
    now: Timestamp,
) -> Result<TlsCheckedAddress, AdminError> {
    let Target { address, plane, listener, foreign_port, alias } = target;
    let Probed { mut failure, chain, tls11, tls12, tls13, old_windows } = probe(listener, address.host()).await;
    let shown = facts(&chain).unwrap_or_else(|why| {
        failure = Some(why);
        Vec::new()
    });
    // the system's roots are read from files
    let trust = blocking(move || Ok::<Trust, AdminError>(trust(&chain, &known))).await?;
    let for_computers = plane == CLIENT;
    let seen = Observation {
        host: address.host().to_owned(),
        policy_hosts: hosts,
        foreign_port,
        for_computers,
        failure,
        chain: shown,
        tls12,
        tls13,
        tls11,
        old_windows,
        minimum,
        trust,
        now,
    };
    let mut findings = tls::check(&seen);
    if alias {
        findings.push(Finding {
            grade: Grade::Note,
            code: "alias",
            text: format!(
                "{} is none of the names that this server is known by; its own listener was asked for it, nothing else was called",
                seen.host
            ),
            next_step: Some("if computers use that name: weir settings set server.name NAME".to_owned()),
        });
        findings.sort_by_key(|finding| finding.grade);
    }
    let key = seen.chain.first().map(|leaf| leaf.key).filter(|_| for_computers);
    Ok(TlsCheckedAddress {
        url: address.to_string(),
        plane: plane.to_owned(),
        connected_to: listener.to_string(),
        chain: seen.chain.iter().map(|one| certificate(one, now)).collect(),
        findings: findings.into_iter().map(told_of).collect(),
        windows: key.map(|key| windows(key, minimum)).unwrap_or_default(),
    })
}

fn told_of(finding: Finding) -> TlsFinding {
    TlsFinding {
        severity: finding.grade.word().to_owned(),
        code: finding.code.to_owned(),
        text: finding.text,
        next_step: finding.next_step,
    }
}

fn windows(key: Key, minimum: Minimum) -> Vec<TlsWindows> {
    let rows = TABLE.iter().map(|windows| {
        let (fits, why) = match windows.fit(key, minimum) {
            Fit::Yes => ("yes", None),
            Fit::Prepared(how) => ("prepared", Some(how.to_owned())),
            Fit::No(why) => ("no", Some(why.to_owned())),
        };
        TlsWindows { name: windows.name.to_owned(), fits: fits.to_owned(), why, source: windows.source.to_owned() }
    });
    rows.collect()
}
