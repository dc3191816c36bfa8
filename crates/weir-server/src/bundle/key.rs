//! The key that this site signs with, and whether a signature holds.

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use weir_model::ids::Sha256Digest;
use weir_store::{Store, StoreError, bundle::BundleKey};
use weir_wire::bundle::{Signature, signed};

use crate::admin::AdminError;

/// What a public key is known by.
pub(crate) fn fingerprint(public: &[u8; 32]) -> Sha256Digest {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(digest(&SHA256, public).as_ref()) {
        *to = *from;
    }
    Sha256Digest(bytes)
}

/// As people see it: 64 lower-case digits.
pub(crate) fn shown(fingerprint: Sha256Digest) -> String {
    crate::export::package::hex(&fingerprint.0)
}

/// The site's key; made at the first call.
pub(crate) fn own(store: &Store, actor: &weir_store::Actor) -> Result<BundleKey, AdminError> {
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "a method is not general over the transaction's lifetime"
    )]
    if let Some(key) = store.read(|tx| tx.bundle_key())? {
        return Ok(key);
    }
    let unusable = |_| AdminError::Internal("no signing key can be made".to_owned());
    let pair = Ed25519KeyPair::generate().map_err(unusable)?;
    let secret = pair.to_pkcs8v1().map_err(unusable)?;
    let public = public(&pair)?;
    Ok(store.write(actor, |tx| {
        let key = tx.bundle_key_create(secret.as_ref(), public)?;
        tx.audit("bundle.key", &shown(fingerprint(&key.public)), None, None)?;
        Ok::<_, StoreError>(key)
    })?)
}

fn public(pair: &Ed25519KeyPair) -> Result<[u8; 32], AdminError> {
    let bytes = pair.public_key().as_ref();
    bytes.try_into().map_err(|_| AdminError::Internal("the signing key has a wrong length".to_owned()))
}

/// Signs a manifest.
pub(crate) fn sign(key: &BundleKey, manifest: &[u8]) -> Result<Signature, AdminError> {
    let pair = Ed25519KeyPair::from_pkcs8(&key.secret)
        .map_err(|_| AdminError::Internal("the signing key in the database cannot be used".to_owned()))?;
    let signature = pair.sign(&signed(manifest));
    let signature =
        signature.as_ref().try_into().map_err(|_| AdminError::Internal("a signature has a wrong length".to_owned()))?;
    Ok(Signature { key: public(&pair)?, signature })
}

/// Whether a signature is that of its key over a manifest.
pub(crate) fn holds(signature: &Signature, manifest: &[u8]) -> bool {
    let key = UnparsedPublicKey::new(&ED25519, signature.key);
    key.verify(&signed(manifest), &signature.signature).is_ok()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use weir_store::{Actor, Options};

    use super::*;

    #[test]
    fn a_signature_holds_for_its_manifest_and_key_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = weir_testkit::engine::database(folder.path());
        let options = Options { database, ..Options::default() };
        let store = Store::open(folder.path(), &options).expect("opens");
        let actor = Actor::system("test", Timestamp::UNIX_EPOCH);
        let key = own(&store, &actor).expect("made");
        assert_eq!(own(&store, &actor).expect("there"), key);
        let signature = sign(&key, b"manifest").expect("signed");
        assert_eq!(signature.key, key.public);
        assert!(holds(&signature, b"manifest"));
        assert!(!holds(&signature, b"Manifest"));
        let bytes = signature.to_bytes();
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            let same_key = Signature::parse(&changed)
                .is_ok_and(|changed| changed.key == key.public && holds(&changed, b"manifest"));
            assert!(!same_key, "bit {at}");
        }
    }

    #[test]
    fn fingerprints_are_digests_of_the_key() {
        let empty = fingerprint(&[0; 32]);
        assert_eq!(shown(empty), "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925");
    }
}
