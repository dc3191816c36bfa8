//! Certificates (DER): any bytes are one or refused, and what is said of one is short and plain.

use weir_server::decoders::certificates;

/// Characters of a text of a certificate.
const LONGEST: usize = 300;

pub(super) fn run(data: &[u8]) -> bool {
    let Ok(facts) = certificates(&[data]) else { return false };
    let [facts] = facts.as_slice() else { panic!("one certificate has one set of facts") };
    let texts = [&facts.subject, &facts.issuer].into_iter().chain(&facts.names).chain(&facts.revocation);
    for text in texts {
        assert!(text.chars().count() <= LONGEST && !text.chars().any(char::is_control), "{text:?}");
    }
    assert_eq!(facts.fingerprint.len(), 64);
    // as the second of a chain it says the same
    let chain = certificates(&[data, data]).expect("the same certificate twice");
    assert_eq!(chain.get(1), Some(facts));
    true
}
