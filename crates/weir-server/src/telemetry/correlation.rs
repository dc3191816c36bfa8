//! The correlation vector of a request, by which an agent's own log names it.
//!
//! `MS-CV: me4WAo5lqUCG/53V.1.0.0.2.5`: a base that is drawn once for an activity, then a number for each step of it
//! (Correlation Vector 1.0 and 2.0: a base of 16 or 22 characters of base64, at most 63 or 127 characters in all; `!` at the end
//! says that it must not be extended). It says nothing that is acted upon: it goes into the log as it came, if it has that
//! form, and is ignored otherwise. The answer has none, as recorded (captures of a WSUS: nine requests with it, no answer).

use http::{HeaderMap, HeaderName, HeaderValue};

const HEADER: HeaderName = HeaderName::from_static("ms-cv");
/// Characters of the base: of version 1 and 2.
const BASES: [usize; 2] = [16, 22];
/// Characters in all.
const LONGEST: usize = 127;
/// Digits of a step: they are counted with 32 bits.
const DIGITS: usize = 10;

/// A correlation vector. Never trusted: only its form is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Correlation(HeaderValue);

impl Correlation {
    /// That of a request, if it has one that looks like one.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(HEADER)?;
        // a header value shares the bytes that were received
        is_vector(value.as_bytes()).then(|| Self(value.clone()))
    }

    /// As it came.
    pub(crate) fn as_str(&self) -> &str {
        // it has letters, digits and a few signs of ASCII
        self.0.to_str().unwrap_or_default()
    }
}

fn is_vector(text: &[u8]) -> bool {
    if text.len() > LONGEST {
        return false;
    }
    let text = text.strip_suffix(b"!").unwrap_or(text);
    let mut parts = text.split(|byte| *byte == b'.');
    let base = parts.next().unwrap_or_default();
    let is_base = BASES.contains(&base.len())
        && base.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    is_base && parts.all(|step| (1..=DIGITS).contains(&step.len()) && step.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let headers = HeaderMap::from_iter([(HEADER, HeaderValue::from_str(text).expect("a header"))]);
        Correlation::of(&headers).map(|vector| vector.as_str().to_owned())
    }

    #[test]
    fn what_agents_send_is_kept_as_it_is() {
        for text in [
            "me4WAo5lqUCG/53V.1.0.0.2.5",
            "me4WAo5lqUCG/53V",
            "tul4NUsfs9Cl7mOfhAAAAA.0",
            "tul4NUsfs9Cl7mOfhAAAAA.4294967295.1!",
        ] {
            assert_eq!(read(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn whatever_else_is_sent_is_no_vector() {
        let long = format!("me4WAo5lqUCG/53V{}", ".1".repeat(56));
        for text in [
            "",
            ".1",
            "!",
            "short.1",
            "me4WAo5lqUCG/53V.",
            "me4WAo5lqUCG/53V.1..2",
            "me4WAo5lqUCG/53V.x",
            "me4WAo5lqUCG/53V.12345678901",
            "me4WAo5lqUCG/53V.1 level=error",
            "me4WAo5lqUCG\"53V.1",
            "me4WAo5lqUCG/53V.1!!",
            long.as_str(),
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
        assert_eq!(Correlation::of(&HeaderMap::new()), None);
        let strange = HeaderMap::from_iter([(HEADER, HeaderValue::from_bytes(b"\xff\xfe").expect("bytes"))]);
        assert_eq!(Correlation::of(&strange), None);
    }
}
