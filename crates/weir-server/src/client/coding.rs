//! Which content coding an answer gets.

use http::{HeaderMap, header};

/// How the bytes of an answer are coded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Coding {
    /// As they are.
    Identity,
    /// `Content-Encoding: xpress` (MS-WUSP 2.1.1).
    Xpress,
}

impl Coding {
    /// Xpress if the request lists it with a weight above zero.
    pub fn of(headers: &HeaderMap) -> Self {
        let lists = |value: &str| {
            value.split(',').any(|entry| {
                let (coding, parameters) = entry.split_once(';').unwrap_or((entry, ""));
                coding.trim().eq_ignore_ascii_case("xpress") && !refused(parameters)
            })
        };
        let values = headers.get_all(header::ACCEPT_ENCODING);
        let wanted = values.iter().filter_map(|value| value.to_str().ok()).any(lists);
        if wanted { Self::Xpress } else { Self::Identity }
    }
}

/// `q=0` in any of its forms.
fn refused(parameters: &str) -> bool {
    parameters.split(';').any(|parameter| {
        let weight = parameter.trim().split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
        weight.and_then(|(_, value)| value.trim().parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xpress_is_used_only_when_asked_for() {
        let coding = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, value.parse().expect("value"));
            Coding::of(&headers)
        };
        for text in ["xpress", "XPRESS", "gzip, xpress", "gzip;q=1, xpress;q=0.5"] {
            assert_eq!(coding(text), Coding::Xpress, "{text}");
        }
        for text in ["gzip", "*", "", "xpress;q=0", "xpress; Q=0.000", "xpress2", "x-xpress"] {
            assert_eq!(coding(text), Coding::Identity, "{text}");
        }
        assert_eq!(Coding::of(&HeaderMap::new()), Coding::Identity);
    }
}
