//! What a client makes of what it is shown, in words, with what to do.

use jiff::{Timestamp, Unit};

use super::{CertificateFacts, Fit, Key, Minimum, Observation, Signature, Stage, TABLE, Trust, days_left};

/// How much a finding matters, the worst first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Grade {
    /// Clients do not connect.
    Error,
    /// Some clients do not connect, or soon none will.
    Warning,
    /// Worth knowing.
    Note,
    /// As it should be.
    Good,
}

impl Grade {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Good => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// How much it matters.
    pub grade: Grade,
    /// Stable, for programs.
    pub code: &'static str,
    /// What was found.
    pub text: String,
    /// What to do, where something is to be done.
    pub next_step: Option<String>,
}

/// How to make computers trust a root.
const BY_POLICY: &str = "in a Group Policy object: Computer Configuration, Policies, Windows Settings, Security Settings, Public Key \
                         Policies, Trusted Root Certification Authorities, Import";

/// Judges what was seen. Nothing is left out: what is good is said, too. Worst first.
pub fn check(seen: &Observation) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(failure) = &seen.failure {
        add(
            &mut found,
            Grade::Error,
            "handshake",
            format!("no client can connect: {failure}"),
            Some("see the server's log, and weir tls show".to_owned()),
        );
    }
    if seen.foreign_port {
        add(
            &mut found,
            Grade::Note,
            "port",
            "no listener of this server has the port of the address; whether something forwards it cannot be seen from here"
                .to_owned(),
            Some("try the address from a computer, too".to_owned()),
        );
    }
    if let Some(leaf) = seen.chain.first() {
        names(&mut found, seen, leaf);
        validity(&mut found, seen);
        chain(&mut found, seen, leaf);
        trust(&mut found, seen, leaf);
        key(&mut found, seen, leaf);
        signatures(&mut found, seen);
        usage(&mut found, leaf);
        revocation(&mut found, seen);
    } else if seen.failure.is_none() {
        add(&mut found, Grade::Error, "handshake", "no certificate was shown".to_owned(), None);
    }
    protocols(&mut found, seen);
    found.sort_by_key(|finding| finding.grade);
    found
}

fn add(found: &mut Vec<Finding>, grade: Grade, code: &'static str, text: String, next_step: Option<String>) {
    found.push(Finding { grade, code, text, next_step });
}

fn names(found: &mut Vec<Finding>, seen: &Observation, leaf: &CertificateFacts) {
    let own = leaf.names.iter().cloned().chain(leaf.addresses.iter().map(ToString::to_string)).collect::<Vec<_>>();
    let shown = if own.is_empty() { "no name at all".to_owned() } else { own.join(", ") };
    let step = "with a certificate of your own: one for that name; with the server's own: weir settings set server.name NAME, or \
                tls.names in weir.toml";
    if leaf.covers(&seen.host) {
        add(found, Grade::Good, "name", format!("the certificate is for {}", seen.host), None);
    } else {
        let text = format!("the certificate is not for {}; it is for {shown}", seen.host);
        add(found, Grade::Error, "name", text, Some(step.to_owned()));
    }
    if !seen.for_computers {
        return;
    }
    let others = seen.policy_hosts.iter().filter(|host| **host != seen.host && !leaf.covers(host));
    let mut others: Vec<&str> = others.map(String::as_str).collect();
    others.dedup();
    if !others.is_empty() {
        let text = format!("computers may be told {}, which the certificate is not for", others.join(", "));
        add(found, Grade::Warning, "policy_name", text, Some(step.to_owned()));
    }
}

fn validity(found: &mut Vec<Finding>, seen: &Observation) {
    for certificate in &seen.chain {
        let who = &certificate.subject;
        if certificate.not_before > seen.now {
            add(
                found,
                Grade::Error,
                "not_yet_valid",
                format!(
                    "{who} is valid only from {}; this server's clock says {}",
                    day(certificate.not_before),
                    day(seen.now)
                ),
                Some("check the clocks of this server and of the authority".to_owned()),
            );
        }
        let left = days_left(certificate.not_after, seen.now);
        match Stage::of(certificate.not_after, seen.now) {
            Stage::Fine => {}
            Stage::Within(_) => add(
                found,
                Grade::Warning,
                "expiring",
                format!("{who} ends on {}, in {left} days", day(certificate.not_after)),
                Some("renew it; the files are read again by themselves".to_owned()),
            ),
            Stage::Over => add(
                found,
                Grade::Error,
                "expired",
                format!("{who} ended on {}", day(certificate.not_after)),
                Some("renew it, and see weir tls show for why it was not read, if it was renewed".to_owned()),
            ),
        }
    }
    if let Some(leaf) = seen.chain.first()
        && !found.iter().any(|finding| matches!(finding.code, "expired" | "expiring" | "not_yet_valid"))
    {
        let text = format!(
            "the certificates are valid; the server's ends on {}. The clock of this server says {}: computers whose clocks are \
             far from that may see it otherwise",
            day(leaf.not_after),
            seen.now.round(Unit::Minute).unwrap_or(seen.now)
        );
        add(found, Grade::Good, "validity", text, None);
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

fn chain(found: &mut Vec<Finding>, seen: &Observation, leaf: &CertificateFacts) {
    let wrong = seen.chain.iter().find(|certificate| certificate.issued_by_next == Some(false));
    if let Some(wrong) = wrong {
        let text = format!("the certificate behind {} is not of its issuer ({})", wrong.subject, wrong.issuer);
        let step = "put the server's certificate first, then the one that signed it, and so on; leave out what does not belong";
        add(found, Grade::Warning, "order", text, Some(step.to_owned()));
    }
    let broken = matches!(seen.trust, Trust::Broken(_));
    let followed = matches!(seen.trust, Trust::Given | Trust::Own | Trust::System | Trust::Shown);
    if leaf.self_issued {
        let text =
            "the certificate is signed by itself: every computer must trust this very one, and a new one after it ends";
        let step = "use the server's own certificate (leave out tls.certificate), or one of an authority";
        add(found, Grade::Warning, "self_signed", text.to_owned(), Some(step.to_owned()));
    } else if wrong.is_none() && !broken && (seen.chain.len() > 1 || followed) {
        let text = format!("{} shown, each signed by the next", count(seen.chain.len()));
        add(found, Grade::Good, "chain", text, None);
    }
}

fn count(certificates: usize) -> String {
    if certificates == 1 { "1 certificate is".to_owned() } else { format!("{certificates} certificates are") }
}

fn trust(found: &mut Vec<Finding>, seen: &Observation, leaf: &CertificateFacts) {
    let last = seen.chain.last().unwrap_or(leaf);
    let incomplete =
        "the tls.certificate file should hold the server's certificate and every one between it and the root";
    match &seen.trust {
        Trust::Broken(why) => {
            add(
                found,
                Grade::Error,
                "trust",
                format!("the chain cannot be followed: {why}"),
                Some(incomplete.to_owned()),
            );
        }
        Trust::Given => add(found, Grade::Good, "trust", "the chain ends in the root that was given".to_owned(), None),
        Trust::NotGiven => add(
            found,
            Grade::Error,
            "missing_intermediate",
            format!(
                "the chain does not lead to the root that was given: the last certificate shown is signed by {}, which is not \
                 shown",
                last.issuer
            ),
            Some(format!("{incomplete}; or another root was meant")),
        ),
        Trust::Own => add(
            found,
            Grade::Note,
            "trust",
            "the chain ends in this server's own authority, which nobody trusts by itself".to_owned(),
            Some(format!("make computers trust tls/ca.pem of the data folder, {BY_POLICY}")),
        ),
        Trust::Shown => add(
            found,
            Grade::Note,
            "trust",
            format!("the chain ends in the root {}, which this server's system does not know", last.subject),
            Some(format!("make sure that computers trust that root; if they do not, {BY_POLICY}")),
        ),
        Trust::System => add(
            found,
            Grade::Good,
            "trust",
            "the chain ends in a root that this server's system knows; Windows knows the usual public ones, too"
                .to_owned(),
            None,
        ),
        Trust::Unknown if seen.chain.len() == 1 && !leaf.self_issued => add(
            found,
            Grade::Warning,
            "missing_intermediate",
            format!(
                "the server's certificate is shown alone. It is signed by {}: unless computers trust that as a root, the \
                 certificate between is missing, and they do not connect",
                last.issuer
            ),
            Some(format!(
                "{incomplete}; to be sure, name the root that computers trust: weir tls check --root FILE.pem"
            )),
        ),
        Trust::Unknown => add(
            found,
            Grade::Note,
            "trust",
            format!("computers must trust the root {}, which this server's system does not know", last.issuer),
            Some(format!(
                "if they do not, {BY_POLICY}; to be sure that the chain leads to it: weir tls check --root FILE.pem"
            )),
        ),
    }
}

fn key(found: &mut Vec<Finding>, seen: &Observation, leaf: &CertificateFacts) {
    if let Key::Rsa(bits) = leaf.key
        && bits < 2_048
    {
        let text = format!("the key has {bits} bits; Windows refuses RSA keys of less than 2048 bits for servers");
        add(found, Grade::Error, "weak_key", text, Some("use an ECDSA P-256 key".to_owned()));
    }
    if !seen.for_computers {
        add(found, Grade::Good, "key", format!("the key is {}", leaf.key), None);
        return;
    }
    let fits: Vec<_> = TABLE.iter().map(|windows| (windows.name, windows.fit(leaf.key, seen.minimum))).collect();
    let without: Vec<&str> = fits.iter().filter(|(_, fit)| matches!(fit, Fit::No(_))).map(|(name, _)| *name).collect();
    let why = fits.iter().find_map(|(_, fit)| if let Fit::No(why) = fit { Some(*why) } else { None });
    match why {
        Some(why) => {
            let grade = if without.len() == TABLE.len() { Grade::Error } else { Grade::Warning };
            let text = format!("the key is {}; computers cannot connect with {}: {why}", leaf.key, without.join("; "));
            let step = "use an ECDSA P-256 certificate, which all of them take, or leave such computers on HTTP";
            add(found, grade, "windows", text, Some(step.to_owned()));
        }
        None => {
            add(
                found,
                Grade::Good,
                "windows",
                format!("the key is {}, which every Windows version takes", leaf.key),
                None,
            );
        }
    }
    let expected = fits.iter().any(|(name, fit)| *name == OLD && !matches!(fit, Fit::No(_)));
    if expected && !seen.old_windows && seen.failure.is_none() {
        let text = format!("a handshake with what {OLD} offers failed, although it should not");
        add(found, Grade::Warning, "old_handshake", text, Some("see the server's log".to_owned()));
    }
    let prepared = fits.iter().find_map(|(_, fit)| if let Fit::Prepared(how) = fit { Some(*how) } else { None });
    if let Some(how) = prepared {
        let text = format!("Windows 7, 8, Server 2008 R2 and 2012: {how}");
        add(found, Grade::Note, "old_windows", text, None);
    }
}

/// The family whose handshake is tried.
const OLD: &str = "Windows 8.1, Server 2012 R2";

fn signatures(found: &mut Vec<Finding>, seen: &Observation) {
    // nobody looks at the signature of a root
    for certificate in seen.chain.iter().filter(|certificate| !certificate.self_issued) {
        let problem = match certificate.signature {
            Signature::Sha2 => continue,
            Signature::Weak => (Grade::Warning, "which Windows distrusts"),
            Signature::Pss => (Grade::Warning, "which Windows 8.1, Server 2012 R2 and older do not take"),
            Signature::Ed25519 | Signature::Other => (Grade::Error, "which Windows does not take"),
        };
        let text = format!("{} is signed with {}, {}", certificate.subject, certificate.signature, problem.1);
        let step = "have it signed with ECDSA, or RSA with PKCS #1 v1.5, over SHA-256";
        add(found, problem.0, "signature", text, Some(step.to_owned()));
    }
}

fn usage(found: &mut Vec<Finding>, leaf: &CertificateFacts) {
    if !leaf.for_servers {
        let text = "the certificate may not be used by servers (extended key usage without server authentication)";
        let step = "have it made from a template for web servers";
        add(found, Grade::Error, "usage", text.to_owned(), Some(step.to_owned()));
    }
    if leaf.authority {
        let text = "the server's certificate is one of an authority: whoever takes its key can make others";
        add(found, Grade::Warning, "usage", text.to_owned(), Some("have one signed by it".to_owned()));
    }
}

fn revocation(found: &mut Vec<Finding>, seen: &Observation) {
    let mut places: Vec<&str> =
        seen.chain.iter().flat_map(|certificate| &certificate.revocation).map(String::as_str).collect();
    places.sort_unstable();
    places.dedup();
    if places.is_empty() {
        let text = "the certificates name no place that tells what was revoked: clients ask nobody";
        add(found, Grade::Good, "revocation", text.to_owned(), None);
    } else {
        let text = format!("clients may ask whether they were revoked at {}", places.join(", "));
        let step = "these must be reachable from the computers; where they are not, a scan may wait for them or fail";
        add(found, Grade::Note, "revocation", text, Some(step.to_owned()));
    }
}

fn protocols(found: &mut Vec<Finding>, seen: &Observation) {
    if seen.failure.is_some() {
        return;
    }
    if seen.tls11 {
        let text = "TLS 1.1, which is broken, is spoken";
        add(
            found,
            Grade::Error,
            "protocol",
            text.to_owned(),
            Some("something in front of this server speaks it".to_owned()),
        );
    }
    let spoken: Vec<&str> = [(seen.tls12, "TLS 1.2"), (seen.tls13, "TLS 1.3")]
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, name)| name)
        .collect();
    match (seen.minimum, seen.tls12) {
        (Minimum::Tls13, false) => {
            let text = "only TLS 1.3 is spoken (tls.minimum): only Windows 11, Server 2022 and later connect";
            add(
                found,
                Grade::Warning,
                "protocol",
                text.to_owned(),
                Some("for others set tls.minimum to 1.2".to_owned()),
            );
        }
        _ => add(found, Grade::Good, "protocol", format!("{} spoken, nothing older", verb(&spoken)), None),
    }
}

fn verb(spoken: &[&str]) -> String {
    match spoken {
        [] => "no version of TLS is".to_owned(),
        [one] => format!("{one} is"),
        more => format!("{} are", more.join(", ")),
    }
}
