//! Addresses: where a page is, with every filter, order and column in its query.

use std::fmt;

/// A path with a query of pairs. A name may occur several times.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Address {
    path: String,
    pairs: Vec<(String, String)>,
}

impl Address {
    /// A path, already encoded, without a query.
    pub(crate) fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), pairs: Vec::new() }
    }

    /// The address of a request. What cannot be read of the query is left out.
    pub(crate) fn of(uri: &http::Uri) -> Self {
        let pairs = uri.query().and_then(|query| serde_urlencoded::from_str(query).ok()).unwrap_or_default();
        Self { path: uri.path().to_owned(), pairs }
    }

    /// The path.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The first value of a name that is not empty.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// All values of a name.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.pairs.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The pairs of the query, for the hidden fields of a form.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// With this value in the place of all others of the name.
    pub(crate) fn with(&self, name: &str, value: impl fmt::Display) -> Self {
        self.without(name).and(name, value)
    }

    /// With one more value of the name.
    pub(crate) fn and(&self, name: &str, value: impl fmt::Display) -> Self {
        let mut address = self.clone();
        address.pairs.push((name.to_owned(), value.to_string()));
        address
    }

    /// Without this name.
    pub(crate) fn without(&self, name: &str) -> Self {
        let mut address = self.clone();
        address.pairs.retain(|(known, _)| known != name);
        address
    }

    /// Without this value of the name.
    pub(crate) fn without_value(&self, name: &str, value: &str) -> Self {
        let mut address = self.clone();
        address.pairs.retain(|(known, other)| known != name || other != value);
        address
    }

    /// The first page of the list.
    pub(crate) fn first(&self) -> Self {
        self.without("cursor")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.pairs.is_empty() {
            return Ok(());
        }
        let query = serde_urlencoded::to_string(&self.pairs).map_err(|_| fmt::Error)?;
        write!(f, "?{query}")
    }
}

/// A path of segments, each encoded: `path(&["updates", id])` is `/updates/...`. For pages and for REST.
pub(crate) fn path(segments: &[&str]) -> String {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let mut out = String::new();
    for segment in segments {
        out.push('/');
        for byte in segment.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~@".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push('%');
                out.extend([HEX.get(usize::from(byte >> 4)), HEX.get(usize::from(byte & 15))].into_iter().flatten());
            }
        }
    }
    out
}

/// An address that a form or a link asks to go back to, if it is one of this server: never `//host` or `/\host`.
pub(crate) fn local(wanted: Option<&str>) -> String {
    let wanted = wanted.unwrap_or("/");
    let inside = wanted.starts_with('/')
        && !wanted.starts_with("//")
        && wanted.len() <= 2000
        && wanted.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if inside { wanted.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_stays_in_the_address() {
        let address = Address::of(&"/updates?f=severity%3Acritical&f=type:software&cursor=x&broken".parse().unwrap());
        assert_eq!(address.values("f").collect::<Vec<_>>(), ["severity:critical", "type:software"]);
        let sorted = address.first().with("sort", "title:asc").without_value("f", "type:software");
        assert_eq!(sorted.to_string(), "/updates?f=severity%3Acritical&broken=&sort=title%3Aasc");
    }

    #[test]
    fn segments_are_encoded() {
        assert_eq!(path(&["collections", "a/b ü?"]), "/collections/a%2Fb%20%C3%BC%3F");
    }

    #[test]
    fn one_only_goes_back_to_this_server() {
        for foreign in ["//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb", "javascript:x", ""] {
            assert_eq!(local(Some(foreign)), "/", "{foreign}");
        }
        assert_eq!(local(Some("/updates?f=a%20b")), "/updates?f=a%20b");
    }
}
