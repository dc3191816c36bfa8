//! E-mail as text on the wire: headers (RFC 5322), words of other scripts in headers (RFC 2047), two alternatives of a body
//! (RFC 2046). Everything is ASCII when it leaves here, lines are short, and nothing that is put in can end a header:
//! addresses were checked ([`weir_model::alert::address`]), and words lose their control characters or are encoded.
//!
//! It is written here, and not with the builder of the library that sends it: that one needs a crate under a licence that is
//! not among those of `deny.toml`, and so the text is a function of its parts, without a clock or random numbers.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{Timestamp, fmt::rfc2822, tz::TimeZone};
use uuid::Uuid;
use weir_model::{alert::address::EmailAddress, message::tidy};

/// Bytes of text in an encoded word: with its frame it has 64 characters of 75 that are allowed (RFC 2047, 2), so that it
/// fits a line together with the name of its header.
const WORD: usize = 39;
/// Characters of a line of a body.
const LINE: usize = 76;
/// Characters of a subject.
const SUBJECT: usize = 120;

/// An e-mail.
pub(super) struct Mail<'m> {
    /// Who sends it.
    pub(super) from: &'m EmailAddress,
    /// The name shown beside that.
    pub(super) from_name: &'m str,
    /// Who gets it.
    pub(super) to: &'m [EmailAddress],
    /// What it is about.
    pub(super) subject: &'m str,
    /// When it was made.
    pub(super) at: Timestamp,
    /// Its id: makes the `Message-ID` and what separates its parts.
    pub(super) id: Uuid,
    /// The part of an id behind the `@`.
    pub(super) domain: &'m str,
    /// What makes the id of the first message of its thread, for those of an alert.
    pub(super) thread: Option<Thread>,
    /// The body as text.
    pub(super) text: &'m str,
    /// The body as HTML.
    pub(super) html: &'m str,
    /// A file that comes with it.
    pub(super) enclosure: Option<&'m Enclosure<'m>>,
}

/// A file that comes with an e-mail. Name and media type are ours: plain, without quotes.
pub(crate) struct Enclosure<'e> {
    /// What it is called.
    pub(crate) name: &'e str,
    /// Its media type.
    pub(crate) media: &'e str,
    /// What it holds.
    pub(crate) bytes: &'e [u8],
}

/// The thread of an alert in one subscription.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Thread {
    pub(super) alert: i64,
    pub(super) subscription: Uuid,
    /// This message begins it.
    pub(super) begins: bool,
}

impl Mail<'_> {
    /// The whole message.
    pub(super) fn written(&self) -> String {
        let mut out = String::new();
        let from = if self.from_name.is_empty() {
            self.from.to_string()
        } else {
            format!("{}\r\n <{}>", phrase(self.from_name), self.from)
        };
        header(&mut out, "From", &from);
        let to: Vec<&str> = self.to.iter().map(EmailAddress::as_str).collect();
        header(&mut out, "To", &to.join(",\r\n "));
        header(&mut out, "Subject", &words(&tidy(self.subject, SUBJECT)));
        let date = rfc2822::to_string(&self.at.to_zoned(TimeZone::UTC));
        header(&mut out, "Date", &date.unwrap_or_else(|_| "Thu, 1 Jan 1970 00:00:00 +0000".to_owned()));
        let own = format!("<{}@{}>", self.id, self.domain);
        match self.thread {
            Some(thread) => {
                let first = format!("<alert-{}.{}@{}>", thread.alert, thread.subscription, self.domain);
                if thread.begins {
                    header(&mut out, "Message-ID", &first);
                } else {
                    header(&mut out, "Message-ID", &own);
                    header(&mut out, "In-Reply-To", &first);
                    header(&mut out, "References", &first);
                }
            }
            None => header(&mut out, "Message-ID", &own),
        }
        // no answer of a machine to a machine (RFC 3834)
        header(&mut out, "Auto-Submitted", "auto-generated");
        header(&mut out, "X-Auto-Response-Suppress", "All");
        header(&mut out, "MIME-Version", "1.0");
        // bodies are base64, which has no hyphen: no body can hold it
        let boundary = format!("=_weir-{}", self.id.simple());
        let Some(enclosure) = self.enclosure else {
            self.alternatives(&mut out, &boundary);
            return out;
        };
        let outer = format!("=_weir-outer-{}", self.id.simple());
        header(&mut out, "Content-Type", &format!("multipart/mixed;\r\n boundary=\"{outer}\""));
        let _ = write!(out, "\r\n--{outer}\r\n");
        self.alternatives(&mut out, &boundary);
        let _ = write!(out, "--{outer}\r\n");
        header(&mut out, "Content-Type", enclosure.media);
        header(&mut out, "Content-Transfer-Encoding", "base64");
        let name: String = enclosure.name.chars().filter(|c| c.is_ascii_graphic() && !"\"\\".contains(*c)).collect();
        header(&mut out, "Content-Disposition", &format!("attachment;\r\n filename=\"{name}\""));
        out.push_str("\r\n");
        encoded_lines(&mut out, enclosure.bytes);
        let _ = write!(out, "--{outer}--\r\n");
        out
    }

    /// The two forms of the body.
    fn alternatives(&self, out: &mut String, boundary: &str) {
        header(out, "Content-Type", &format!("multipart/alternative;\r\n boundary=\"{boundary}\""));
        out.push_str("\r\n");
        for (kind, body) in [("plain", self.text), ("html", self.html)] {
            let _ = write!(
                out,
                "--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            );
            encoded_lines(out, body.as_bytes());
        }
        let _ = write!(out, "--{boundary}--\r\n");
    }
}

/// Bytes as base64 in lines.
fn encoded_lines(out: &mut String, bytes: &[u8]) {
    let encoded = STANDARD.encode(bytes);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
        out.push_str(line);
        out.push_str("\r\n");
        rest = after;
    }
}

fn header(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, "{name}: {value}\r\n");
}

/// Words of an unstructured header: as they are if they are plain and short, else encoded.
fn words(text: &str) -> String {
    let plain = text.len() <= 60
        && !text.is_empty()
        && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
        && !text.contains("=?");
    if plain { text.to_owned() } else { encoded(text) }
}

/// A name in front of an address.
fn phrase(text: &str) -> String {
    let text = tidy(text, 60);
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -_".contains(&byte)) && !text.is_empty();
    if plain { format!("\"{text}\"") } else { encoded(&text) }
}

fn encoded(text: &str) -> String {
    let mut found = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        if word.len() + character.len_utf8() > WORD {
            found.push(std::mem::take(&mut word));
        }
        word.push(character);
    }
    found.push(word);
    let framed: Vec<String> = found.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect();
    framed.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Splits a message and undoes folding: headers in order, and the rest.
    fn parsed(message: &str) -> (Vec<(String, String)>, String) {
        let (head, body) = message.split_once("\r\n\r\n").expect("an empty line");
        let unfolded = head.replace("\r\n ", " ");
        let headers = unfolded.split("\r\n").map(|line| {
            let (name, value) = line.split_once(": ").expect("a header");
            (name.to_owned(), value.to_owned())
        });
        (headers.collect(), body.to_owned())
    }

    fn decoded(value: &str) -> String {
        if !value.contains("=?") {
            return value.to_owned();
        }
        let words = value.split(' ').map(|word| {
            let inner = word.strip_prefix("=?utf-8?B?").and_then(|rest| rest.strip_suffix("?=")).expect("a word");
            String::from_utf8(STANDARD.decode(inner).expect("base64")).expect("UTF-8")
        });
        words.collect()
    }

    fn written(subject: &str, name: &str, text: &str, thread: Option<Thread>) -> String {
        let to = ["a@example.org".parse().expect("address"), "b@example.org".parse().expect("address")];
        let from = "weir@example.org".parse().expect("address");
        let mail = Mail {
            from: &from,
            from_name: name,
            to: &to,
            subject,
            at: "2026-03-01T12:00:00Z".parse().expect("time"),
            id: Uuid::from_u128(7),
            domain: "weir.example.org",
            thread,
            text,
            html: "<p>x</p>",
            enclosure: None,
        };
        mail.written()
    }

    fn value<'h>(headers: &'h [(String, String)], name: &str) -> &'h str {
        let mut found = headers.iter().filter(|(known, _)| known == name);
        let value = &found.next().unwrap_or_else(|| panic!("no {name}")).1;
        assert!(found.next().is_none(), "{name} twice");
        value
    }

    #[test]
    fn a_message_has_what_mail_servers_want() {
        let (headers, body) = parsed(&written("Synchronization failed", "Weir PRI1", "Gr\u{fc}\u{df}e", None));
        assert_eq!(value(&headers, "From"), "\"Weir PRI1\" <weir@example.org>");
        assert_eq!(value(&headers, "To"), "a@example.org, b@example.org");
        assert_eq!(value(&headers, "Subject"), "Synchronization failed");
        assert_eq!(value(&headers, "Date"), "Sun, 1 Mar 2026 12:00:00 +0000");
        assert_eq!(value(&headers, "Message-ID"), "<00000000-0000-0000-0000-000000000007@weir.example.org>");
        assert_eq!(value(&headers, "Auto-Submitted"), "auto-generated");
        let parts: Vec<&str> = body.split("--=_weir-00000000000000000000000000000007").collect();
        assert_eq!(parts.len(), 4, "{body}");
        let (_, text) = parts[1].split_once("\r\n\r\n").expect("a body");
        assert_eq!(STANDARD.decode(text.trim()).expect("base64"), "Gr\u{fc}\u{df}e".as_bytes());
        assert_eq!(parts[3], "--\r\n");
    }

    #[test]
    fn messages_of_an_alert_are_a_thread() {
        let thread = |begins| Some(Thread { alert: 12, subscription: Uuid::from_u128(1), begins });
        let root = "<alert-12.00000000-0000-0000-0000-000000000001@weir.example.org>";
        let (first, _) = parsed(&written("x", "", "y", thread(true)));
        assert_eq!(value(&first, "Message-ID"), root);
        assert!(first.iter().all(|(name, _)| name != "References"));
        let (next, _) = parsed(&written("x", "", "y", thread(false)));
        assert_eq!((value(&next, "References"), value(&next, "In-Reply-To")), (root, root));
        assert_ne!(value(&next, "Message-ID"), root);
    }

    #[test]
    fn a_file_comes_with_a_message() {
        let bytes = "Gr\u{fc}\u{df}e,1\r\n".repeat(30);
        let enclosure =
            Enclosure { name: "weekly-\r\n\"00000007.csv", media: "text/csv; charset=utf-8", bytes: bytes.as_bytes() };
        let to = ["a@example.org".parse().expect("address")];
        let from = "weir@example.org".parse().expect("address");
        let mail = Mail {
            from: &from,
            from_name: "Weir",
            to: &to,
            subject: "Report",
            at: "2026-03-01T12:00:00Z".parse().expect("time"),
            id: Uuid::from_u128(7),
            domain: "weir.example.org",
            thread: None,
            text: "see",
            html: "<p>see</p>",
            enclosure: Some(&enclosure),
        };
        let message = mail.written();
        let (headers, body) = parsed(&message);
        assert!(value(&headers, "Content-Type").starts_with("multipart/mixed; boundary="), "{headers:?}");
        let parts: Vec<&str> = body.split("--=_weir-outer-00000000000000000000000000000007").collect();
        assert_eq!((parts.len(), parts[3]), (4, "--\r\n"), "{body}");
        let (inner, _) = parsed(parts[1].trim_start());
        assert!(value(&inner, "Content-Type").starts_with("multipart/alternative;"), "{inner:?}");
        let (inner, file) = parsed(parts[2].trim_start());
        assert_eq!(value(&inner, "Content-Disposition"), "attachment; filename=\"weekly-00000007.csv\"");
        let file: String = file.split("\r\n").collect();
        assert_eq!(STANDARD.decode(file).expect("base64"), bytes.as_bytes());
        assert!(message.split("\r\n").all(|line| line.len() <= 78), "{message}");
    }

    #[test]
    fn names_cannot_add_headers() {
        let evil = "x\r\nBcc: spy@example.org\r\n\r\nbody\0";
        let message = written(evil, evil, evil, None);
        let (headers, _) = parsed(&message);
        assert!(headers.iter().all(|(name, _)| name != "Bcc"), "{headers:?}");
        assert_eq!(decoded(value(&headers, "Subject")), "x  Bcc: spy@example.org    body");
        assert!(!message.contains("\r\nBcc"));
    }

    proptest! {
        #[test]
        fn whatever_is_said_is_ascii_in_short_lines_and_comes_back(subject in any::<String>(), text in any::<String>()) {
            let message = written(&subject, &subject, &text, None);
            prop_assert!(message.is_ascii());
            for line in message.split("\r\n") {
                prop_assert!(line.len() <= 78 && !line.contains('\r') && !line.contains('\n'), "{line:?}");
                prop_assert!(!line.starts_with('.'));
            }
            let (headers, _) = parsed(&message);
            prop_assert_eq!(headers.len(), 9);
            let shown = decoded(value(&headers, "Subject"));
            prop_assert_eq!(shown.trim(), tidy(&subject, SUBJECT));
        }
    }
}
