use std::net::IpAddr;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn certificate(subject: &str, issuer: &str) -> CertificateFacts {
    CertificateFacts {
        subject: subject.to_owned(),
        issuer: issuer.to_owned(),
        self_issued: subject == issuer,
        issued_by_next: None,
        names: Vec::new(),
        addresses: Vec::new(),
        not_before: at("2031-01-01T00:00:00Z"),
        not_after: at("2032-01-01T00:00:00Z"),
        key: Key::EcP256,
        signature: Signature::Sha2,
        authority: true,
        for_servers: true,
        revocation: Vec::new(),
        fingerprint: String::new(),
    }
}

/// A server's certificate and the one that signed it.
fn good() -> Observation {
    let leaf = CertificateFacts {
        names: vec!["wsus.example.org".to_owned(), "*.updates.example.org".to_owned()],
        addresses: vec![IpAddr::from([192, 0, 2, 7])],
        issued_by_next: Some(true),
        authority: false,
        ..certificate("CN=wsus", "CN=Between")
    };
    Observation {
        host: "wsus.example.org".to_owned(),
        policy_hosts: vec!["wsus.example.org".to_owned()],
        foreign_port: false,
        for_computers: true,
        failure: None,
        chain: vec![leaf, certificate("CN=Between", "CN=Root")],
        tls12: true,
        tls13: true,
        tls11: false,
        old_windows: true,
        minimum: Minimum::Tls12,
        trust: Trust::Given,
        now: at("2031-06-01T00:00:00Z"),
    }
}

/// Codes of what is worse than a note.
fn bad(seen: &Observation) -> Vec<(&'static str, Grade)> {
    let findings = check(seen);
    assert!(findings.is_sorted_by_key(|finding| finding.grade), "worst first");
    let bad = findings.iter().filter(|finding| finding.grade < Grade::Note);
    bad.map(|finding| {
        assert!(finding.next_step.is_some(), "{finding:?}");
        (finding.code, finding.grade)
    })
    .collect()
}

fn with(change: impl FnOnce(&mut Observation)) -> Observation {
    let mut seen = good();
    change(&mut seen);
    seen
}

fn leaf(change: impl FnOnce(&mut CertificateFacts)) -> Observation {
    with(|seen| change(&mut seen.chain[0]))
}

#[test]
fn what_is_good_is_said_to_be() {
    let findings = check(&good());
    assert!(bad(&good()).is_empty());
    for code in ["name", "validity", "chain", "trust", "windows", "revocation", "protocol"] {
        assert!(findings.iter().any(|finding| finding.code == code && finding.grade == Grade::Good), "{code}");
    }
}

#[test]
fn each_fault_is_found() {
    use Grade::{Error, Warning};
    let own = with(|seen| seen.trust = Trust::Own);
    assert!(bad(&own).is_empty(), "nothing is wrong with the own authority");
    assert!(check(&own).iter().any(|finding| finding.next_step.as_ref().is_some_and(|it| it.contains("ca.pem"))));

    let alone = |trust: Trust| {
        with(|seen| {
            seen.chain.truncate(1);
            seen.chain[0].issued_by_next = None;
            seen.trust = trust;
        })
    };
    #[expect(clippy::type_complexity, reason = "a table")]
    let cases: [(&str, Observation, &[(&str, Grade)]); 18] = [
        ("another name", with(|seen| seen.host = "other.example.org".to_owned()), &[("name", Error)]),
        (
            "policy names another",
            with(|seen| seen.policy_hosts.push("weir.example.org".to_owned())),
            &[("policy_name", Warning)],
        ),
        ("over", leaf(|leaf| leaf.not_after = at("2031-05-31T00:00:00Z")), &[("expired", Error)]),
        ("soon over", leaf(|leaf| leaf.not_after = at("2031-06-11T00:00:00Z")), &[("expiring", Warning)]),
        ("not yet", leaf(|leaf| leaf.not_before = at("2031-06-02T00:00:00Z")), &[("not_yet_valid", Error)]),
        ("RSA", leaf(|leaf| leaf.key = Key::Rsa(2_048)), &[("windows", Warning)]),
        ("short RSA", leaf(|leaf| leaf.key = Key::Rsa(1_024)), &[("weak_key", Error), ("windows", Warning)]),
        ("P-521", leaf(|leaf| leaf.key = Key::EcP521), &[("windows", Error)]),
        ("Ed25519", leaf(|leaf| leaf.key = Key::Ed25519), &[("windows", Error)]),
        ("SHA-1", leaf(|leaf| leaf.signature = Signature::Weak), &[("signature", Warning)]),
        ("PSS", leaf(|leaf| leaf.signature = Signature::Pss), &[("signature", Warning)]),
        ("for clients only", leaf(|leaf| leaf.for_servers = false), &[("usage", Error)]),
        ("not of its issuer", leaf(|leaf| leaf.issued_by_next = Some(false)), &[("order", Warning)]),
        ("alone", alone(Trust::Unknown), &[("missing_intermediate", Warning)]),
        ("not to the root", alone(Trust::NotGiven), &[("missing_intermediate", Error)]),
        ("old protocol", with(|seen| seen.tls11 = true), &[("protocol", Error)]),
        ("old handshake", with(|seen| seen.old_windows = false), &[("old_handshake", Warning)]),
        ("broken", with(|seen| seen.trust = Trust::Broken("why".to_owned())), &[("trust", Error)]),
    ];
    for (what, seen, expected) in cases {
        assert_eq!(bad(&seen), expected, "{what}");
    }
}

#[test]
fn with_tls_1_3_alone_most_windows_versions_are_left_out() {
    let seen = with(|seen| {
        seen.minimum = Minimum::Tls13;
        seen.tls12 = false;
        seen.old_windows = false;
    });
    assert_eq!(bad(&seen), [("windows", Grade::Warning), ("protocol", Grade::Warning)]);
}

#[test]
fn what_does_not_shake_hands_is_said_alone() {
    let seen = with(|seen| {
        seen.failure = Some("connection refused".to_owned());
        seen.chain.clear();
    });
    assert_eq!(bad(&seen), [("handshake", Grade::Error)]);
}

#[test]
fn the_planes_of_administrators_are_not_for_computers() {
    let seen = with(|seen| {
        seen.for_computers = false;
        seen.chain[0].key = Key::Rsa(2_048);
        seen.policy_hosts.push("weir.example.org".to_owned());
    });
    assert!(bad(&seen).is_empty());
}

#[test]
fn names_are_compared_label_by_label() {
    let leaf = good().chain.remove(0);
    for yes in ["wsus.example.org", "WSUS.Example.ORG.", "a.updates.example.org", "192.0.2.7"] {
        assert!(leaf.covers(yes), "{yes}");
    }
    for no in ["example.org", "a.b.updates.example.org", "updates.example.org", ".updates.example.org", "192.0.2.8", ""]
    {
        assert!(!leaf.covers(no), "{no}");
    }
}

#[test]
fn every_windows_version_takes_p256_and_only_newer_ones_rsa() {
    for windows in TABLE {
        assert!(!matches!(windows.fit(Key::EcP256, Minimum::Tls12), Fit::No(_)), "{}", windows.name);
        assert!(windows.source.starts_with("https://learn.microsoft.com/"));
    }
    let rsa: Vec<bool> =
        TABLE.iter().map(|windows| !matches!(windows.fit(Key::Rsa(2_048), Minimum::Tls12), Fit::No(_))).collect();
    assert_eq!(rsa, [false, false, false, true, true]);
    assert!(matches!(TABLE[0].fit(Key::EcP256, Minimum::Tls12), Fit::Prepared(_)));
    assert!(matches!(TABLE[3].fit(Key::EcP256, Minimum::Tls13), Fit::No(_)));
}

#[test]
fn the_end_comes_in_stages() {
    let end = at("2031-06-30T00:00:00Z");
    let stage = |now: &str| Stage::of(end, at(now));
    assert_eq!(stage("2031-05-30T23:59:59Z"), Stage::Fine);
    assert_eq!(stage("2031-05-31T00:00:00Z"), Stage::Within(30));
    assert_eq!(stage("2031-06-15T23:59:59Z"), Stage::Within(30));
    assert_eq!(stage("2031-06-16T00:00:00Z"), Stage::Within(14));
    assert_eq!(stage("2031-06-27T00:00:00Z"), Stage::Within(3));
    assert_eq!(stage("2031-06-30T00:00:00Z"), Stage::Over);
    assert_eq!(days_left(end, at("2031-06-27T12:00:00Z")), 2);
    assert_eq!(days_left(end, at("2031-06-30T12:00:00Z")), -1);
}

#[test]
fn words_are_read_back() {
    for word in ClientHttps::WORDS {
        assert_eq!(ClientHttps::read(word).word(), word);
    }
    assert_eq!(ClientHttps::read("nonsense"), ClientHttps::On);
    assert_eq!(Minimum::read(" 1.3 "), Some(Minimum::Tls13));
    assert_eq!(Minimum::read("1.1"), None);
}
