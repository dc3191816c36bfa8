//! What of a policy keeps a computer from scanning at a site, or makes it scan elsewhere (features 26.8).

mod automatic;
mod places;
mod server;
mod sources;
mod view;

use super::{address::Address, registry::Entry};
use crate::client_settings::Resultant;

use view::View;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// The computer does not scan here.
    Error,
    /// Something does not work as it seems, or works against an administrator's intent.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Note => "note",
            Self::Warning => "warning",
        }
    }
}

/// Something that is not as it should be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Stable, for programs, such as `server.other`.
    pub code: &'static str,
    /// The key, from its predefined key on.
    pub key: String,
    /// Name of the value; empty if it is about a key.
    pub value: String,
    /// What it is; none if it is absent.
    pub found: Option<String>,
    /// What it breaks.
    pub breaks: String,
    /// What to do.
    pub next_step: String,
}

/// A site, as far as a policy has to agree with it.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Where computers reach it; none if that is not known, so that addresses cannot be compared.
    pub addresses: Vec<Address>,
    /// Computers choose their collections themselves (`targeting` is `client`).
    pub client_targeting: bool,
    /// Names of its collections.
    pub collections: Vec<String>,
}

impl Site {
    /// The address to use: the first with TLS, else the first.
    pub fn preferred(&self) -> Option<&Address> {
        self.addresses.iter().find(|address| address.tls()).or_else(|| self.addresses.first())
    }
}

/// Looks at values that were found on a computer, or in a file that is meant for some. What matters most comes first.
pub fn check(entries: &[Entry], site: &Site, settings: &Resultant) -> Vec<Finding> {
    let view = View::new(entries);
    let mut findings = Vec::new();
    places::check(entries, &view, &mut findings);
    if view.is_empty() {
        findings.push(Finding {
            severity: Severity::Error,
            code: "nothing",
            key: view::UPDATE_KEY.to_owned(),
            value: String::new(),
            found: None,
            breaks: "no policy of updates for the computer is in it, so that Windows Update is scanned".to_owned(),
            next_step: "render one: weir policy render --output policy.reg".to_owned(),
        });
    } else {
        server::check(&view, site, &mut findings);
        sources::check(&view, &mut findings);
        automatic::check(&view, settings, &mut findings);
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}
