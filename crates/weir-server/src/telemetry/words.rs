//! The words that labels have: few, and none that somebody sent.

macro_rules! words {
    ($($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name {
            $($(#[$meaning])* $variant,)*
        }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As it is written.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    )*};
}

words! {
    /// What answers a request.
    PlaneName {
        /// Administrators.
        Admin = "admin",
        /// Computers.
        Client = "client",
        /// Sites of one tree among themselves.
        Link = "link",
        /// Downstream servers.
        Server = "server",
    }

    /// Why a request is refused before it is answered, or instead.
    Reason {
        /// Too many calls without a cookie from its address.
        Address = "address",
        /// The body broke off.
        BodyBroken = "body_broken",
        /// The body has a coding that is not read.
        BodyCoding = "body_coding",
        /// The body is too large.
        BodyLarge = "body_large",
        /// The body did not arrive in time.
        BodySlow = "body_slow",
        /// Others come first, and it would have waited too long.
        Busy = "busy",
        /// Too many requests for files from its address.
        Files = "files",
        /// The method is none of the resource.
        Method = "method",
        /// Too many computers appeared within an hour.
        NewComputers = "new_computers",
        /// Nothing is at the path.
        NotFound = "not_found",
        /// It came without TLS.
        Plain = "plain",
        /// What computers said could not be stored in time.
        Queue = "queue",
    }

    /// A unit of work of the database.
    Unit {
        /// A view.
        Read = "read",
        /// The one write transaction.
        Write = "write",
    }

    /// What is kept so that it is not made twice.
    Cache {
        /// What computers of a set of collections are asked about.
        Asked = "asked",
        /// Pieces of metadata in the form in which they are sent.
        Fragments = "fragments",
        /// What a filter by categories lets through.
        Related = "related",
        /// What computers of a set of collections are sent.
        Scopes = "scopes",
        /// Addresses in the object store that were signed.
        Signed = "signed",
    }

    /// Work in the background.
    Job {
        /// Makes a backup.
        Backup = "backup",
        /// Applies a bundle.
        Bundle = "bundle",
        /// Looks after certificates.
        Certificates = "certificates",
        /// A run of the clean-up.
        Cleanup = "cleanup",
        /// Removes content that nobody needs.
        ContentGc = "content_gc",
        /// Repairs content.
        ContentRepair = "content_repair",
        /// Reads all content again.
        ContentVerify = "content_verify",
        /// Fetches content.
        Download = "download",
        /// An export.
        Export = "export",
        /// Takes the record of compliance.
        History = "history",
        /// An import.
        Import = "import",
        /// Finds the members of collections that rules define.
        Membership = "membership",
        /// Makes and sends what subscribers are told.
        Notification = "notification",
        /// Moves phased deployments on.
        Phases = "phases",
        /// A scheduled report.
        Report = "report",
        /// Deletes what is old.
        Retention = "retention",
        /// Retires computers.
        Retirement = "retirement",
        /// Tells the server above.
        RollUp = "roll_up",
        /// Runs automatic deployment rules.
        Rules = "rules",
        /// A synchronization.
        Synchronization = "synchronization",
        /// Looks at the conditions of alerts.
        Watch = "watch",
        /// Looks for what fits no maintenance window.
        Windows = "windows",
    }
}

/// Operations of the site link.
pub(crate) const LINK_OPERATIONS: [&str; 5] = ["enrolment", "feed", "notify", "other", "status"];
/// Requests for content files among the operations of computers.
pub(crate) const CONTENT: &str = "Content";
/// Roll-ups that came where computers report.
pub(crate) const ROLL_UP: &str = "roll-up";
/// Requests below `/SelfUpdate`.
pub(crate) const SELF_UPDATE: &str = "SelfUpdate";
/// Requests that could not be read, or were refused by what they ask.
pub(crate) const UNREAD: &str = "fault";

/// Methods of HTTP that are told apart.
pub(crate) const METHODS: [&str; 8] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "other"];

/// The method, in one of a few words.
pub(crate) fn method(method: &http::Method) -> &'static str {
    METHODS.into_iter().find(|known| method.as_str() == *known).unwrap_or("other")
}

/// Classes of answers.
pub(crate) const STATUSES: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "aborted"];

/// The class of a status; none if there was no answer.
pub(crate) fn class(status: Option<http::StatusCode>) -> &'static str {
    match status.map(|status| status.as_u16() / 100) {
        Some(1) => "1xx",
        Some(2) => "2xx",
        Some(3) => "3xx",
        Some(4) => "4xx",
        Some(_) => "5xx",
        None => "aborted",
    }
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};

    use super::*;

    #[test]
    fn whatever_is_sent_becomes_one_of_a_few_words() {
        assert_eq!(method(&Method::PATCH), "PATCH");
        assert_eq!(method(&Method::from_bytes(b"BREW").expect("a method")), "other");
        assert_eq!(class(Some(StatusCode::NOT_FOUND)), "4xx");
        assert_eq!(class(StatusCode::from_u16(999).ok()), "5xx");
        assert_eq!(class(None), "aborted");
        for status in 100..1_000 {
            assert!(STATUSES.contains(&class(StatusCode::from_u16(status).ok())), "{status}");
        }
    }
}
