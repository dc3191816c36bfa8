//! Fetching a document by its address, through the proxy that synchronization uses.

use std::time::Duration;

use reqwest::{Response, Url, header};
use weir_api::exposure::{Fetch, Imported};

use super::{
    super::{AdminError, App, Caller, chain},
    import::{most_bytes, take},
};
use crate::sync::outbound::{self, Purpose};

/// Addresses that an answer may lead on to.
const REDIRECTS: usize = 5;
/// Time for all of it.
const WHOLE: Duration = Duration::from_secs(300);
/// Characters of an address.
const LONGEST: usize = 2_000;

/// Fetches and stores a document.
pub(crate) async fn fetch(app: &App, caller: &Caller, wanted: Fetch) -> Result<Imported, AdminError> {
    let url = address(&wanted.url, wanted.allow_http)?;
    let client = outbound::client(app, Purpose::Sync).await.map_err(|error| failed(chain(&error)))?;
    let bytes = tokio::time::timeout(WHOLE, get(&client, url.clone(), wanted.allow_http)).await;
    let bytes = bytes.map_err(|_| failed(format!("it did not come to an end within {} s", WHOLE.as_secs())))??;
    let file = take(app, caller, shown(&url), bytes).await?;
    Ok(Imported { files: vec![file] })
}

fn failed(detail: String) -> AdminError {
    AdminError::Upstream {
        detail: format!("the document could not be fetched: {detail}"),
        next_step: Some("fetch it elsewhere and give the file: weir exposure import FILE".to_owned()),
    }
}

/// Checks an address: HTTPS unless plain HTTP is allowed, a host, no user and password.
fn address(text: &str, allow_http: bool) -> Result<Url, AdminError> {
    let wrong = |detail: String, next_step: Option<&str>| AdminError::Invalid {
        code: "url",
        detail,
        next_step: next_step.map(str::to_owned),
    };
    if text.len() > LONGEST {
        return Err(wrong(format!("the address has more than {LONGEST} characters"), None));
    }
    let url: Url = text.trim().parse().map_err(|error| wrong(format!("{text:?} is no address: {error}"), None))?;
    match url.scheme() {
        "https" => {}
        "http" if allow_http => {}
        "http" => {
            let detail = "a document over plain HTTP can be changed on its way".to_owned();
            return Err(wrong(detail, Some("use https://, or allow it with --allow-http")));
        }
        other => return Err(wrong(format!("addresses begin with https://, not {other}:"), None)),
    }
    if url.host_str().is_none_or(str::is_empty) || !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("the address must name a host, and neither user nor password".to_owned(), None));
    }
    Ok(url)
}

/// Follows few redirects, each of which must be as good an address as the first.
async fn get(client: &reqwest::Client, mut url: Url, allow_http: bool) -> Result<Vec<u8>, AdminError> {
    for _ in 0..=REDIRECTS {
        let request = client.get(url.clone()).header(header::ACCEPT, "application/json, application/xml;q=0.9");
        let response = request.send().await.map_err(|error| failed(chain(&error)))?;
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
            let to = to.and_then(|to| url.join(to).ok());
            let to = to.ok_or_else(|| failed(format!("{} answered {status} without an address", shown(&url))))?;
            url = address(to.as_str(), allow_http)?;
            continue;
        }
        if !status.is_success() {
            return Err(failed(format!("{} answered {status}", shown(&url))));
        }
        return body(response, &url).await;
    }
    Err(failed(format!("more than {REDIRECTS} redirects")))
}

async fn body(mut response: Response, url: &Url) -> Result<Vec<u8>, AdminError> {
    let too_large = || failed(format!("{} has more than {} bytes", shown(url), most_bytes()));
    if response.content_length().is_some_and(|length| length > most_bytes() as u64) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(chain(&error)))? {
        if bytes.len() + chunk.len() > most_bytes() {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// An address as it is kept and shown: without its query, which may hold a key.
fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    shown.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_unless_allowed() {
        assert!(address("https://api.example.com/cvrf/v3.0/cvrf/2031-Jan", false).is_ok());
        assert!(address("http://mirror.example.com/kev.json", true).is_ok());
        for (text, part) in [
            ("http://mirror.example.com/kev.json", "plain HTTP"),
            ("file:///etc/passwd", "not file:"),
            ("ftp://example.com/x", "not ftp:"),
            ("kev.json", "no address"),
            ("", "no address"),
            ("https://user:secret@example.com/", "neither user"),
        ] {
            let error = address(text, false).expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(address(&format!("https://example.com/{}", "x".repeat(LONGEST)), false).is_err());
        assert!(address("file:///etc/passwd", true).is_err());
    }

    #[test]
    fn keys_in_addresses_are_not_kept() {
        let url = address("https://example.com/a?api-key=secret#x", false).expect("an address");
        assert_eq!(shown(&url), "https://example.com/a");
    }
}
