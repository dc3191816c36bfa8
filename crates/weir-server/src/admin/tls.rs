//! Certificates of the listeners, as administrators see them.

pub(super) mod check;
mod probe;

use jiff::Timestamp;
use weir_api::tls::{TlsCertificate, TlsFailure, TlsReloaded, TlsShown, TlsStatus};
use weir_model::tls::{CertificateFacts, Fit, Minimum, Stage, TABLE, days_left};

use super::{
    AdminError, App, Caller, blocking,
    setting::{Current, SERVER_NAME},
    tally,
};
use crate::{
    notify,
    start::{CLIENT, Looked, OWN, Standing, suites},
};

/// Looks at everything that certificates are made of, shows what is new, and tells of what fails.
pub(crate) async fn look(app: &App, urgent: bool) -> Result<Looked, AdminError> {
    let Some(certificates) = app.certificates() else { return Ok(Looked::default()) };
    let name = app.read(|tx| Ok(Current::read(tx)?.text(SERVER_NAME))).await?;
    let looking = certificates.clone();
    let looked = blocking(move || {
        let environment = |name: &str| std::env::var(name).ok();
        Ok(looking.look(&name, &environment, Timestamp::now(), urgent))
    })
    .await?;
    if !looked.changed.is_empty() {
        // codes that are given from now on name what is shown now
        let pin = certificates.pin().map_err(|error| AdminError::Internal(error.to_string()))?;
        app.hub().set_pin(pin);
    }
    for (result, planes) in [("done", &looked.changed), ("failed", &looked.failed)] {
        for plane in planes {
            metrics::counter!("weir_tls_reloads_total", "certificate" => *plane, "result" => result).increment(1);
        }
    }
    if looked.turned || !looked.changed.is_empty() {
        notify::tell_of_certificates(app).await?;
    }
    Ok(looked)
}

/// Sets the metrics of certificates.
pub(crate) fn measure(app: &App) {
    let now = Timestamp::now();
    for standing in shown(app).unwrap_or_default() {
        if let Some(leaf) = standing.chain.first() {
            let left = leaf.not_after.duration_since(now).as_secs();
            metrics::gauge!("weir_tls_certificate_expiry_seconds", "certificate" => standing.plane).set(left as f64);
        }
    }
}

/// What is shown; an error if there are no listeners.
pub(crate) fn shown(app: &App) -> Result<Vec<Standing>, AdminError> {
    let certificates = app.certificates();
    let certificates =
        certificates.ok_or_else(|| AdminError::Unavailable("the server is still starting".to_owned()))?;
    certificates.standing().map_err(AdminError::Internal)
}

/// What is shown, and how computers come.
pub(crate) async fn show(app: &App) -> Result<TlsStatus, AdminError> {
    let now = Timestamp::now();
    let standing = shown(app)?;
    let certificates =
        app.certificates().ok_or_else(|| AdminError::Unavailable("the server is still starting".to_owned()))?;
    let (https, (computers, plain)) =
        app.read(|tx| Ok((Current::read(tx)?.clients_https(), tx.computer_transport_share()?))).await?;
    let minimum = certificates.minimum();
    Ok(TlsStatus {
        clients: https.word().to_owned(),
        minimum: minimum.word().to_owned(),
        suites: suites(minimum),
        certificates: standing.into_iter().map(|one| described(one, minimum, now)).collect(),
        authority: certificate(&certificates.authority().map_err(AdminError::Internal)?, now),
        failures: failures(certificates.failures()),
        computers,
        computers_plain_http: plain,
        plain_http_percent: tally::percent(plain, computers),
        as_of: now,
    })
}

/// Reads everything again, at once.
pub(crate) async fn reload(app: &App, caller: &Caller) -> Result<TlsReloaded, AdminError> {
    let looked = look(app, true).await?;
    if !looked.changed.is_empty() {
        let changed = serde_json::json!(looked.changed);
        app.write(caller, move |tx| Ok(tx.audit("tls.reload", "certificates", None, Some(&changed))?)).await?;
    }
    let failed = app.certificates().map(|certificates| certificates.failures()).unwrap_or_default();
    Ok(TlsReloaded { changed: looked.changed.into_iter().map(str::to_owned).collect(), failures: failures(failed) })
}

fn failures(failures: Vec<(&'static str, String)>) -> Vec<TlsFailure> {
    failures.into_iter().map(|(subject, reason)| TlsFailure { subject: subject.to_owned(), reason }).collect()
}

fn described(standing: Standing, minimum: Minimum, now: Timestamp) -> TlsShown {
    let warnings = warnings(&standing, minimum, now);
    TlsShown {
        plane: standing.plane.to_owned(),
        file: standing.files.map(|files| files.certificate.display().to_string()),
        since: standing.since,
        key_exposed: standing.exposed,
        chain: standing.chain.iter().map(|one| certificate(one, now)).collect(),
        warnings,
    }
}

/// What can be said without trying: the rest is for a check.
fn warnings(standing: &Standing, minimum: Minimum, now: Timestamp) -> Vec<String> {
    let mut warnings = Vec::new();
    let Some(leaf) = standing.chain.first() else { return warnings };
    match Stage::of(leaf.not_after, now) {
        Stage::Fine => {}
        Stage::Within(days) => warnings.push(format!("it ends within {days} days")),
        Stage::Over => warnings.push("it has ended".to_owned()),
    }
    if standing.exposed && standing.plane != OWN {
        warnings.push("everybody on this machine can read its key".to_owned());
    }
    if standing.plane == CLIENT {
        let without = TABLE.iter().filter(|windows| matches!(windows.fit(leaf.key, minimum), Fit::No(_)));
        let without: Vec<&str> = without.map(|windows| windows.name).collect();
        if !without.is_empty() {
            let names = without.join("; ");
            warnings.push(format!("with a key of {} these cannot connect: {names}. See weir tls check", leaf.key));
        }
    }
    warnings
}

/// A certificate as it is told of.
pub(super) fn certificate(facts: &CertificateFacts, now: Timestamp) -> TlsCertificate {
    let names = facts.names.iter().cloned().chain(facts.addresses.iter().map(ToString::to_string));
    TlsCertificate {
        subject: facts.subject.clone(),
        issuer: facts.issuer.clone(),
        names: names.collect(),
        not_before: facts.not_before,
        not_after: facts.not_after,
        days_left: days_left(facts.not_after, now),
        key: facts.key.to_string(),
        signature: facts.signature.to_string(),
        fingerprint: facts.fingerprint.clone(),
    }
}
