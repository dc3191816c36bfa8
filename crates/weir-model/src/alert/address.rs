//! Addresses of e-mail, as far as notifications go: one mailbox of ASCII, without a display name, quotes or comments. What
//! fits can stand in a command of SMTP and in a header without escaping (RFC 5321 4.1.2, RFC 5322 3.4.1).

use std::{fmt, str::FromStr};

/// A mailbox such as `admins@example.org`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EmailAddress(String);

/// A text that is no such mailbox.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is no address such as admins@example.org")]
pub struct EmailError(String);

impl EmailAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl FromStr for EmailAddress {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        let wrong = || EmailError(text.chars().take(80).collect());
        let trimmed = text.trim();
        let (local, domain) = trimmed.rsplit_once('@').ok_or_else(wrong)?;
        // RFC 5322 atext
        let atom = |atom: &str| {
            !atom.is_empty()
                && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
        };
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let fits =
            local.len() <= 64 && domain.len() <= 253 && local.split('.').all(atom) && domain.split('.').all(label);
        if fits { Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase()))) } else { Err(wrong()) }
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_mailboxes_are_taken() {
        for good in ["a@b", "first.last+tag@Mail.Example.ORG", "o'neil@example.org", "x@xn--mnchen-3ya.de"] {
            assert!(good.parse::<EmailAddress>().is_ok(), "{good}");
        }
        let address: EmailAddress = " A@Example.ORG ".parse().expect("trimmed");
        assert_eq!((address.as_str(), address.domain()), ("A@example.org", "example.org"));
    }

    #[test]
    fn what_could_end_a_header_or_name_a_second_receiver_is_not() {
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a@b\r\nBcc: c@d",
            "a@b, c@d",
            "a@b;c@d",
            "<a@b>",
            "A B <a@b>",
            "\"a b\"@c",
            "a..b@c",
            ".a@b",
            "a@-b",
            "a@b..c",
            "a@[127.0.0.1]",
            "ä@b",
            "a@b\0",
            "a@b c",
        ] {
            assert!(bad.parse::<EmailAddress>().is_err(), "{bad:?}");
        }
        assert!(format!("{}@b", "a".repeat(65)).parse::<EmailAddress>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_taken_is_printable_ascii_with_one_at(text in any::<String>()) {
            if let Ok(address) = text.parse::<EmailAddress>() {
                prop_assert!(address.as_str().bytes().all(|byte| (0x21..0x7f).contains(&byte) && !b"<>,;:\"".contains(&byte)));
                prop_assert_eq!(address.as_str().matches('@').count(), 1);
            }
        }
    }
}
