//! Recorded exchanges, read from the folder of captures and sent again.

use std::collections::BTreeMap;

use anyhow::Result;
use weir_wire::wsss::Operation;

use crate::{
    http::{Answer, Connection},
    shared::{shared, shared_text},
};

/// One recorded exchange.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recorded {
    /// Its number in the recording.
    pub number: u32,
    /// Operation.
    pub operation: String,
    /// Request path.
    pub path: String,
    /// Request headers in recorded order.
    pub request_headers: Vec<(String, String)>,
    /// Request body.
    pub request: String,
    /// Answer's status.
    pub status: u16,
    /// Answer's headers in recorded order.
    pub response_headers: Vec<(String, String)>,
    /// Answer's body, decoded.
    pub response: String,
}

/// What to replace in a recorded request by the present server's values. Absent: left as recorded.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Substitutions {
    /// Expiration and EncryptedData of the cookie, as texts.
    pub cookie: Option<(String, String)>,
    /// CookieData of the authorization cookie, as text.
    pub authorization_cookie: Option<String>,
    /// `Anchor` and `configAnchor` between servers, as text.
    pub anchor: Option<String>,
    /// `lastChange`, as text.
    pub last_change: Option<String>,
    /// `Host` header.
    pub host: Option<String>,
    /// RevisionIDs, recorded to present; ids without counterpart are left.
    pub revisions: BTreeMap<i32, i32>,
}

/// All exchanges of one folder of captures, such as `captures/native-scan`, in order.
///
/// # Panics
///
/// If the captures are absent or not in the form that their README describes.
pub fn recorded(folder: &str) -> Vec<Recorded> {
    let path = shared(folder);
    let entries = std::fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.retain(|name| name.ends_with(".request.xml"));
    names.sort();
    assert!(!names.is_empty(), "no recorded requests in {}", path.display());
    names.iter().map(|name| read(folder, name.trim_end_matches(".request.xml"))).collect()
}

/// The recorded scan of a native agent.
///
/// # Panics
///
/// As [`recorded`].
pub fn native_scan() -> Vec<Recorded> {
    recorded("captures/native-scan")
}

/// The recorded exchanges of a probe with an upstream server. Those that were recorded without request headers have the
/// path and the headers that the probe sent with the others.
///
/// # Panics
///
/// As [`recorded`].
pub fn server_sync() -> Vec<Recorded> {
    let mut exchanges = recorded("captures/server-sync");
    for exchange in &mut exchanges {
        let mut known = Operation::ALL.iter().filter(|operation| operation.name() == exchange.operation);
        let operation = known.next().unwrap_or_else(|| panic!("{} is no operation", exchange.operation));
        if exchange.path.is_empty() {
            operation.service().path().clone_into(&mut exchange.path);
            let header = |name: &str, value: String| (name.to_owned(), value);
            exchange.request_headers = vec![
                header("Host", "127.0.0.1:8530".to_owned()),
                header("Content-Type", "text/xml; charset=utf-8".to_owned()),
                header("SOAPAction", operation.quoted_action()),
                header("Content-Length", exchange.request.len().to_string()),
            ];
        }
    }
    exchanges
}

fn read(folder: &str, stem: &str) -> Recorded {
    let file = |suffix: &str| format!("{folder}/{stem}.{suffix}");
    let (number, operation) = stem.split_once('-').unwrap_or_else(|| panic!("{stem} is not NUMBER-OPERATION"));
    let (start, response_headers) = headers(&file("response.headers"));
    let status = start.split(' ').nth(1).and_then(|code| code.parse().ok());
    // exchanges made by a plain probe were recorded without request headers
    let request_file = file("request.headers");
    let (path, request_headers) = if crate::shared_dir().join(&request_file).exists() {
        let (start, headers) = headers(&request_file);
        (start.split(' ').nth(1).unwrap_or_default().to_owned(), headers)
    } else {
        (String::new(), Vec::new())
    };
    Recorded {
        number: number.parse().unwrap_or_else(|_| panic!("{stem} does not begin with a number")),
        operation: operation.to_owned(),
        path,
        request_headers,
        request: shared_text(&file("request.xml")),
        status: status.unwrap_or_else(|| panic!("{stem}: no status in {start:?}")),
        response_headers,
        response: shared_text(&file("response.xml")),
    }
}

/// Start line and header lines.
fn headers(file: &str) -> (String, Vec<(String, String)>) {
    let text = shared_text(file);
    let mut lines = text.lines();
    let start = lines.next().unwrap_or_default().to_owned();
    let headers = lines
        .take_while(|line| !line.is_empty())
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{file}: no header: {line:?}"));
            (name.to_owned(), value.trim().to_owned())
        })
        .collect();
    (start, headers)
}

impl Recorded {
    /// The request's headers and body with these values replaced; Content-Length fits the new body.
    pub fn request_with(&self, values: &Substitutions) -> (Vec<(String, String)>, String) {
        let mut body = self.request.clone();
        if let Some((expiration, data)) = &values.cookie {
            body = replace_all(&body, "<cookie><Expiration>", "</Expiration>", expiration);
            body = replace_all(&body, "<EncryptedData>", "</EncryptedData>", data);
        }
        if let Some(data) = &values.authorization_cookie {
            body = replace_all(&body, "<CookieData>", "</CookieData>", data);
        }
        if let Some(anchor) = &values.anchor {
            body = replace_all(&body, "<Anchor>", "</Anchor>", anchor);
            body = replace_all(&body, "<configAnchor>", "</configAnchor>", anchor);
        }
        if let Some(moment) = &values.last_change {
            body = replace_all(&body, "<lastChange>", "</lastChange>", moment);
        }
        body = map_revisions(&body, &values.revisions);
        let mut headers = self.request_headers.clone();
        for (name, value) in &mut headers {
            if name.eq_ignore_ascii_case("content-length") {
                *value = body.len().to_string();
            } else if let Some(host) = values.host.as_ref().filter(|_| name.eq_ignore_ascii_case("host")) {
                value.clone_from(host);
            }
        }
        (headers, body)
    }

    /// Sends it over `connection` with these values replaced.
    ///
    /// # Errors
    ///
    /// The connection failed or the answer cannot be decoded.
    pub async fn send(&self, connection: &mut Connection, values: &Substitutions) -> Result<Answer> {
        let (headers, body) = self.request_with(values);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        connection.send("POST", &self.path, &headers, body.as_bytes()).await
    }
}

/// Every `<int>` of these requests is a RevisionID.
fn map_revisions(body: &str, revisions: &BTreeMap<i32, i32>) -> String {
    let mut mapped = String::with_capacity(body.len());
    let mut rest = body;
    while let Some((before, after)) = rest.split_once("<int>") {
        let (number, tail) = after.split_once("</int>").unwrap_or((after, ""));
        let present = number.parse().ok().and_then(|recorded| revisions.get(&recorded));
        let number = present.map_or_else(|| number.to_owned(), i32::to_string);
        mapped.extend([before, "<int>", &number, "</int>"]);
        rest = tail;
    }
    mapped.push_str(rest);
    mapped
}

/// Replaces what stands between `open` and `close`, wherever they occur.
pub(crate) fn replace_all(text: &str, open: &str, close: &str, value: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        let (_, tail) = after.split_once(close).unwrap_or((after, ""));
        replaced.extend([before, open, value, close]);
        rest = tail;
    }
    replaced.push_str(rest);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_substitutions_a_request_is_as_recorded() {
        let scan = native_scan();
        assert_eq!(scan.len(), 10);
        assert_eq!(scan.iter().map(|exchange| exchange.number).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
        for exchange in &scan {
            let (headers, body) = exchange.request_with(&Substitutions::default());
            assert_eq!((headers, body), (exchange.request_headers.clone(), exchange.request.clone()));
            assert_eq!(exchange.status, 200);
            assert!(exchange.path.to_lowercase().contains(".asmx"), "{}", exchange.path);
        }
    }

    #[test]
    fn exchanges_between_servers_are_complete() {
        let exchanges = server_sync();
        assert!(exchanges.len() >= 10);
        for exchange in &exchanges {
            assert!(weir_wire::wsss::Service::of_path(&exchange.path).is_some(), "{}", exchange.path);
            assert!(exchange.request_headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("soapaction")));
            let values = Substitutions { anchor: Some("1,x".into()), ..Substitutions::default() };
            let (_, body) = exchange.request_with(&values);
            assert!(!body.contains("<Anchor>9438") && !body.contains("<configAnchor>9438"), "{body}");
        }
    }

    #[test]
    fn values_are_replaced_and_nothing_else() {
        let exchange = native_scan().remove(6);
        let values = Substitutions {
            cookie: Some(("2030-01-01T00:00:00Z".into(), "QUJD".into())),
            host: Some("127.0.0.1:1".into()),
            revisions: [(108_226, 7)].into(),
            ..Substitutions::default()
        };
        let (headers, body) = exchange.request_with(&values);
        assert!(
            body.contains("<cookie><Expiration>2030-01-01T00:00:00Z</Expiration><EncryptedData>QUJD</EncryptedData>")
        );
        assert!(body.contains("<InstalledNonLeafUpdateIDs><int>7</int></InstalledNonLeafUpdateIDs>"));
        assert!(headers.contains(&("Host".into(), "127.0.0.1:1".into())));
        assert!(headers.contains(&("Content-Length".into(), body.len().to_string())));
        let tail = |text: &str| text.split_once("<SkipSoftwareSync>").map(|(_, tail)| tail.to_owned());
        assert_eq!(tail(&body), tail(&exchange.request));
    }
}
