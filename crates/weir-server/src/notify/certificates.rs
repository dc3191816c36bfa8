//! Alerts about certificates, and about computers without TLS.

use jiff::Timestamp;
use weir_model::{
    alert::AlertSeverity,
    tls::{CertificateFacts, Stage},
};
use weir_store::{ReadTx, StoreError};

use super::watch::{Holds, settle, settle_here};
use crate::{
    admin::{
        AdminError, App,
        setting::{ALERT_PLAIN, Current},
        tls,
    },
    start::{ADMIN, CLIENT, OWN, Standing},
};

/// A certificate ends soon.
pub(super) const EXPIRING: &str = "tls.expiring";
/// Everybody on the machine can read a key.
pub(super) const EXPOSED: &str = "tls.key_exposed";
/// Many computers come without TLS.
const PLAIN: &str = "tls.plain_http";
/// A new certificate cannot be used.
pub(super) const RELOAD: &str = "tls.reload_failed";

/// Opens what holds of certificates now, and closes what does not.
pub(crate) async fn tell_of_certificates(app: &App) -> Result<(), AdminError> {
    let Some(certificates) = app.certificates() else { return Ok(()) };
    let standing = tls::shown(app)?;
    let authority = certificates.authority().map_err(AdminError::Internal)?;
    settle_here(app, RELOAD, failing(certificates.failures())).await?;
    settle_here(app, EXPOSED, exposed(&standing)).await?;
    settle_here(app, EXPIRING, expiring(&standing, &authority, Timestamp::now())).await
}

/// The same of computers that come without TLS.
pub(super) async fn tell_of_transport(app: &App) -> Result<(), AdminError> {
    let holds = app.read(plain).await?;
    settle(app, PLAIN, holds).await
}

fn failing(failures: Vec<(&'static str, String)>) -> Holds {
    let said = failures.into_iter().map(|(subject, why)| {
        let what = match subject {
            CLIENT => "the new certificate for computers cannot be used; they are shown the one before",
            ADMIN => "the new certificate for administrators cannot be used; they are shown the one before",
            OWN => "the server's own certificate could not be made anew; the one before is shown",
            _ => "what weir.toml says of certificates cannot be read; what it said before goes on",
        };
        (subject.to_owned(), (AlertSeverity::Warning, format!("{what}: {why}. After a change: weir tls reload")))
    });
    said.collect()
}

fn exposed(standing: &[Standing]) -> Holds {
    let open = standing.iter().filter(|one| one.exposed).filter_map(|one| {
        let key = &one.files.as_ref()?.key;
        let message = format!("everybody on the server's machine can read the key {0}: chmod o-r {0}", key.display());
        Some((key.display().to_string(), (AlertSeverity::Warning, message)))
    });
    open.collect()
}

/// What ends soon. The words change with the stages alone, so that each is told once.
fn expiring(standing: &[Standing], authority: &CertificateFacts, now: Timestamp) -> Holds {
    let mut holds = Holds::new();
    for one in standing {
        let (what, next) = match (one.plane, &one.files) {
            (CLIENT, Some(files)) => ("the certificate that computers are shown", Some(files)),
            (ADMIN, Some(files)) => ("the certificate that administrators are shown", Some(files)),
            (OWN, _) => ("the server's own certificate", None),
            _ => continue,
        };
        let next = next.map_or_else(
            || "It could not be renewed: see the server's log".to_owned(),
            |files| format!("Renew {}; it is read again by itself", files.certificate.display()),
        );
        // any of the chain: none is worth more than the first that ends
        let Some(first) = one.chain.iter().min_by_key(|certificate| certificate.not_after) else { continue };
        note(&mut holds, one.plane, what, first, &next, now);
    }
    let next = "It is replaced at the next start; computers must be made to trust the new tls/ca.pem";
    note(&mut holds, "authority", "the server's own authority", authority, next, now);
    holds
}

fn note(holds: &mut Holds, subject: &str, what: &str, certificate: &CertificateFacts, next: &str, now: Timestamp) {
    let day = certificate.not_after.strftime("%Y-%m-%d");
    let (severity, when) = match Stage::of(certificate.not_after, now) {
        Stage::Fine => return,
        Stage::Within(days) => {
            let severity = match days {
                ..=3 => AlertSeverity::Critical,
                4..=14 => AlertSeverity::Warning,
                _ => AlertSeverity::Information,
            };
            (severity, format!("ends within {days} days, on {day}"))
        }
        Stage::Over => (AlertSeverity::Critical, format!("ended on {day}")),
    };
    let message = format!("{what} ({}) {when}. {next}", certificate.subject);
    holds.insert(subject.to_owned(), (severity, message));
}

fn plain(tx: &ReadTx<'_>) -> Result<Holds, StoreError> {
    let most = Current::read(tx)?.number(ALERT_PLAIN);
    if most == 0 {
        return Ok(Holds::new());
    }
    let (all, plain) = tx.computer_transport_share()?;
    if u128::from(plain) * 100 <= u128::from(all) * u128::from(most) {
        return Ok(Holds::new());
    }
    // in whole percent, so that the words do not change with every computer
    let percent = u128::from(plain) * 100 / u128::from(all.max(1));
    let message = format!(
        "{percent} % of the computers that scan here came without TLS last, more than {most} % \
         (alerts.plain_http_percent). See weir tls computers"
    );
    Ok([("computers".to_owned(), (AlertSeverity::Warning, message))].into())
}

#[cfg(test)]
mod tests {
    use weir_model::tls::{Key, Signature};

    use super::*;
    use crate::config::TlsFiles;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn facts(until: &str) -> CertificateFacts {
        CertificateFacts {
            subject: "CN=wsus".to_owned(),
            issuer: "CN=root".to_owned(),
            self_issued: false,
            issued_by_next: None,
            names: Vec::new(),
            addresses: Vec::new(),
            not_before: at("2030-01-01T00:00:00Z"),
            not_after: at(until),
            key: Key::EcP256,
            signature: Signature::Sha2,
            authority: false,
            for_servers: true,
            revocation: Vec::new(),
            fingerprint: String::new(),
        }
    }

    fn standing(plane: &'static str, until: &str, own: bool) -> Standing {
        let files = TlsFiles { certificate: "/etc/c.pem".into(), key: "/etc/k.pem".into() };
        Standing {
            plane,
            files: (!own).then_some(files),
            chain: vec![facts(until), facts("2040-01-01T00:00:00Z")],
            since: at("2031-01-01T00:00:00Z"),
            exposed: !own,
        }
    }

    #[test]
    fn the_end_is_told_in_stages_that_grow_worse() {
        let authority = facts("2040-01-01T00:00:00Z");
        let on = |now: &str| {
            let all = [standing(CLIENT, "2031-06-30T00:00:00Z", false), standing(ADMIN, "2031-06-01T00:00:00Z", true)];
            expiring(&all, &authority, at(now))
        };
        assert!(
            on("2031-05-01T00:00:00Z").is_empty(),
            "administrators are shown the own one, which is listed by itself"
        );
        let stages = [
            ("2031-06-01T00:00:00Z", AlertSeverity::Information, "within 30 days, on 2031-06-30"),
            ("2031-06-20T00:00:00Z", AlertSeverity::Warning, "within 14 days"),
            ("2031-06-28T00:00:00Z", AlertSeverity::Critical, "within 3 days"),
            ("2031-07-01T00:00:00Z", AlertSeverity::Critical, "ended on 2031-06-30"),
        ];
        for (now, severity, says) in stages {
            let (found, message) = on(now).remove(CLIENT).expect("an alert");
            assert_eq!(found, severity, "{now}");
            assert!(message.contains(says) && message.contains("/etc/c.pem"), "{message}");
        }
        assert_eq!(on("2031-06-21T00:00:00Z"), on("2031-06-26T00:00:00Z"), "the words stay within a stage");
        assert!(expiring(&[], &facts("2031-06-30T00:00:00Z"), at("2031-06-29T00:00:00Z")).contains_key("authority"));
    }

    #[test]
    fn keys_of_files_alone_can_be_open_to_others() {
        let all = [standing(CLIENT, "2040-01-01T00:00:00Z", false), standing(OWN, "2040-01-01T00:00:00Z", true)];
        let holds = exposed(&all);
        assert_eq!(holds.len(), 1);
        assert!(holds["/etc/k.pem"].1.contains("chmod o-r /etc/k.pem"));
    }
}
