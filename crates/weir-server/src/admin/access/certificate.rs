//! Certificates by which users are known, where the admin listener asks for them (`admin.client_ca` of `weir.toml`).

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use weir_api::{
    List,
    list::ListQuery,
    user::{CertificateAdd, UserCertificate},
};
use weir_model::ids::Sha256Digest;
use weir_store::user::CertificateRow;

use super::{Caller, Proof, user};
use crate::admin::{AdminError, App, list};

/// Characters of a subject that are kept.
const LONGEST_SUBJECT: usize = 500;

/// The caller of a connection that showed a certificate; none if it is registered for nobody, or if its user may not sign in.
/// That an authority of `admin.client_ca` signed it, and that the other side has its key, the listener has checked.
pub(crate) async fn find(
    app: &App,
    fingerprint: Sha256Digest,
    from: Option<String>,
) -> Result<Option<Caller>, AdminError> {
    let now = Timestamp::now();
    let found = app
        .read(move |tx| {
            let row = tx.user_certificate_find(fingerprint)?.filter(|row| row.ends_at > now);
            let Some(row) = row else { return Ok(None) };
            let user = tx.user_show(row.user)?.filter(|user| user.user.enabled);
            Ok(user.map(|user| (user, row.ends_at)))
        })
        .await?;
    Ok(found.map(|(user, ends)| Caller { expires_at: Some(ends), ..Caller::user(&user, Proof::Certificate, from) }))
}

fn shown(row: CertificateRow) -> UserCertificate {
    UserCertificate {
        fingerprint: row.fingerprint.to_string(),
        subject: row.subject,
        ends_at: row.ends_at,
        created_at: row.created_at,
        created_by: row.created_by,
    }
}

/// The certificates of a user, oldest first.
pub(crate) async fn list(app: &App, name: String, query: ListQuery) -> Result<List<UserCertificate>, AdminError> {
    let limit = list::limit(query.limit)?;
    app.try_read(move |tx| {
        let rows = tx.user_certificate_list(user::find(tx, &name)?.no)?;
        let page = list::page(rows, |row| row.fingerprint.to_string(), query.cursor.as_deref(), limit)?;
        Ok(List { items: page.items.into_iter().map(shown).collect(), next: page.next })
    })
    .await
}

/// What is kept of a certificate.
struct Read {
    fingerprint: Sha256Digest,
    subject: String,
    ends_at: Timestamp,
}

fn read(pem: &str) -> Result<Read, AdminError> {
    let wrong = |why: String| AdminError::Invalid {
        code: "pem",
        detail: format!("pem holds no certificate that can be used: {why}"),
        next_step: Some("give the certificate of the user alone, as PEM, without its key".to_owned()),
    };
    if pem.contains("PRIVATE KEY") {
        return Err(wrong("it holds a private key, which belongs to its user alone".to_owned()));
    }
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| wrong(error.to_string()))?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&der).map_err(|error| wrong(error.to_string()))?;
    if parsed.is_ca() {
        return Err(wrong("it is that of an authority".to_owned()));
    }
    let ends_at = Timestamp::from_second(parsed.validity().not_after.timestamp());
    Ok(Read {
        fingerprint: Sha256Digest(Sha256::digest(&der).into()),
        subject: parsed.subject().to_string().chars().filter(|c| !c.is_control()).take(LONGEST_SUBJECT).collect(),
        ends_at: ends_at.map_err(|error| wrong(error.to_string()))?,
    })
}

/// Registers a certificate of a user.
pub(crate) async fn add(
    app: &App,
    caller: &Caller,
    name: String,
    add: CertificateAdd,
) -> Result<UserCertificate, AdminError> {
    let certificate = read(&add.pem)?;
    app.write(caller, move |tx| {
        let row = user::find(tx, &name)?;
        let Read { fingerprint, subject, ends_at } = certificate;
        if ends_at <= tx.actor().at {
            return Err(AdminError::invalid("pem", format!("the certificate ended at {ends_at}")));
        }
        if tx.user_certificate_find(fingerprint)?.is_some() {
            return Err(AdminError::Conflict {
                code: "exists",
                detail: "this certificate is registered already".to_owned(),
                next_step: Some("see whose: weir users certificate list NAME".to_owned()),
            });
        }
        tx.user_certificate_create(row.no, fingerprint, &subject, ends_at)?;
        let after = json!({ "fingerprint": fingerprint.to_string(), "subject": subject, "ends_at": ends_at });
        tx.audit("user.certificate.add", &row.user.name, None, Some(&after))?;
        let row = tx.user_certificate_find(fingerprint)?;
        row.map(shown).ok_or_else(|| AdminError::Internal("a certificate vanished while it was stored".to_owned()))
    })
    .await
}

/// Forgets a certificate of a user.
pub(crate) async fn remove(app: &App, caller: &Caller, name: String, fingerprint: String) -> Result<(), AdminError> {
    app.write(caller, move |tx| {
        let row = user::find(tx, &name)?;
        let wanted = Sha256Digest::from_hex(fingerprint.trim()).ok();
        let known = tx.user_certificate_list(row.no)?.into_iter().find(|one| Some(one.fingerprint) == wanted);
        let known = known.ok_or_else(|| {
            AdminError::missing("certificate", format!("{fingerprint:?}"), "weir users certificate list NAME")
        })?;
        tx.user_certificate_delete(row.no, known.fingerprint)?;
        let before = json!({ "fingerprint": known.fingerprint.to_string(), "subject": known.subject });
        tx.audit("user.certificate.remove", &row.user.name, Some(&before), None)?;
        Ok(())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_certificate_of_a_user_is_taken() {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("key");
        let mut params = rcgen::CertificateParams::new(Vec::new()).expect("params");
        params.distinguished_name.push(rcgen::DnType::CommonName, "Alice");
        let own = params.self_signed(&key).expect("certificate");
        let kept = read(&own.pem()).expect("taken");
        assert!(kept.subject.contains("CN=Alice"), "{}", kept.subject);
        assert_eq!(kept.fingerprint, Sha256Digest(Sha256::digest(own.der()).into()));
        assert!(read(&format!("{}{}", own.pem(), key.serialize_pem())).is_err(), "with a key");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        assert!(read(&params.self_signed(&key).expect("certificate").pem()).is_err(), "an authority");
        assert!(read("nothing").is_err());
    }
}
