//! Whether the upstream server has content itself, and where.

use reqwest::Url;
use weir_store::{ReadTx, StoreError};

use crate::{
    admin::{
        App,
        setting::{Current, SOURCE},
    },
    sync::peer::{PeerError, Upstream},
};

/// Whether the upstream server holds the files of its updates (CatalogOnlySync of its configuration is false,
/// MS-WSUSSS 3.2.4.4); false until it was synchronized from.
pub(crate) fn serves(tx: &ReadTx<'_>) -> Result<bool, StoreError> {
    if !is_set(tx)? {
        return Ok(false);
    }
    let configuration = tx.sync_source()?.and_then(|source| source.configuration);
    let catalog_only = configuration.and_then(|configuration| configuration.get("catalog_only")?.as_bool());
    Ok(catalog_only == Some(false))
}

/// The upstream server, if it holds content.
pub(crate) async fn load(app: &App) -> Result<Option<Upstream>, PeerError> {
    if !app.read(serves).await? {
        return Ok(None);
    }
    Upstream::load(app).await
}

/// The root of content addresses that computers are given for files that stay with the upstream server.
pub(crate) fn address(tx: &ReadTx<'_>) -> Result<Option<String>, StoreError> {
    if !serves(tx)? {
        return Ok(None);
    }
    let parent = tx.sites_parent()?.and_then(|parent| parent.urls.into_iter().next());
    let base = parent.unwrap_or(Current::read(tx)?.text(SOURCE));
    Ok(base.parse().ok().as_ref().and_then(plain_root))
}

/// The root for computers, which fetch content over plain HTTP and verify it (MS-WUSP 2.1).
fn plain_root(base: &Url) -> Option<String> {
    roots(base).into_iter().find(|root| root.starts_with("http://"))
}

/// The roots below which an upstream server has its content, most likely first. Observed: the address of its web services
/// itself, also for a port other than 80, though MS-WSUSSS 3.2.4.4 derives port 80 for HTTP; for HTTPS on N plain HTTP on
/// N - 1 (443: 80).
pub(crate) fn roots(base: &Url) -> Vec<String> {
    let Some(host) = base.host_str() else { return Vec::new() };
    let port = base.port_or_known_default().unwrap_or(80);
    let mut roots = vec![format!("{}://{host}:{port}", base.scheme())];
    match (base.scheme(), port) {
        ("https", 443) => roots.push(format!("http://{host}:80")),
        ("https", port) if port > 1 => roots.push(format!("http://{host}:{}", port - 1)),
        ("http", port) if port != 80 => roots.push(format!("http://{host}:80")),
        _ => {}
    }
    roots
}

fn is_set(tx: &ReadTx<'_>) -> Result<bool, StoreError> {
    Ok(tx.sites_parent()?.is_some() || !matches!(Current::read(tx)?.text(SOURCE).as_str(), "" | "none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(base: &str) -> Vec<String> {
        roots(&base.parse().expect("a URL"))
    }

    #[test]
    fn computers_get_the_plain_address_of_the_services() {
        let of = |base: &str| plain_root(&base.parse().expect("a URL")).expect("a root");
        assert_eq!(of("http://up.example:8530"), "http://up.example:8530");
        assert_eq!(of("http://up.example"), "http://up.example:80");
        assert_eq!(of("https://up.example"), "http://up.example:80");
        assert_eq!(of("https://up.example:8531"), "http://up.example:8530");
    }

    #[test]
    fn content_is_looked_for_at_the_address_of_the_services_first() {
        assert_eq!(of("http://up.example:8530"), ["http://up.example:8530", "http://up.example:80"]);
        assert_eq!(of("http://up.example"), ["http://up.example:80"]);
        assert_eq!(of("https://up.example"), ["https://up.example:443", "http://up.example:80"]);
        assert_eq!(of("https://up.example:8531/"), ["https://up.example:8531", "http://up.example:8530"]);
        assert_eq!(of("http://[2001:db8::1]:8530"), ["http://[2001:db8::1]:8530", "http://[2001:db8::1]:80"]);
    }
}
