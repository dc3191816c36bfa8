//! Which server this one synchronizes from.

use reqwest::Url;
use weir_wire::wsss::Service;

use super::PeerError;
use crate::{
    admin::{
        App,
        setting::{Current, SOURCE, SYNC_MICROSOFT_URL},
    },
    sites,
    sync::outbound::{ClientTerms, Purpose},
};

/// The server that this one synchronizes from.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// What its anchors belong to: when this changes, what was fetched from the old one and not yet stored is dropped.
    pub identity: String,
    /// Its root, to which the paths of the services are joined.
    pub base: Url,
    /// How it is reached and trusted.
    pub terms: ClientTerms,
    /// This server mirrors it (groups, deployments, declines), rather than choosing for itself.
    pub replica: bool,
    /// It is the parent site, which tells by the site link what this protocol has no words for.
    pub enrolled: bool,
}

impl Upstream {
    /// The parent that this server is enrolled at, else what the setting `source` names; none for `none`.
    pub async fn load(app: &App) -> Result<Option<Self>, PeerError> {
        if let Some(parent) = sites::parent(app).await? {
            let (base, terms) = (parse(parent.url())?, parent.terms(Purpose::Sync));
            return Ok(Some(Self {
                identity: format!("site {}", parent.server_id),
                base,
                terms,
                replica: true,
                enrolled: true,
            }));
        }
        let (source, microsoft, replica) = app
            .read(|tx| {
                let current = Current::read(tx)?;
                Ok((current.text(SOURCE), current.text(SYNC_MICROSOFT_URL), sites::is_replica(tx)?))
            })
            .await?;
        let url = match source.as_str() {
            "" | "none" => return Ok(None),
            "microsoft" => &microsoft,
            url => url,
        };
        Ok(Some(Self { replica, ..Self::at(url)? }))
    }

    /// A server that is no parent site, by its address.
    pub fn at(url: &str) -> Result<Self, PeerError> {
        let base = parse(url)?;
        let identity = base.as_str().trim_end_matches('/').to_owned();
        Ok(Self { identity, base, terms: Purpose::Sync.into(), replica: false, enrolled: false })
    }

    /// The address of a service.
    pub fn service(&self, service: Service) -> Url {
        join(&self.base, service.path())
    }

    /// The address of a path that the server gave relative to its root.
    pub(super) fn relative(&self, path: &str) -> Result<Url, PeerError> {
        let unusable = |why: &str| PeerError::Authorization(format!("the address {path:?} {why}"));
        if path.len() > 1_024 || path.chars().any(char::is_control) {
            return Err(unusable("is no address"));
        }
        // an address elsewhere would receive what identifies this server
        if path.contains("://") || path.starts_with("//") || path.contains(['\\', '?', '#']) {
            return Err(unusable("is not relative to the server"));
        }
        if path.split('/').any(|part| matches!(part, "." | "..")) || path.trim_matches('/').is_empty() {
            return Err(unusable("leaves the server's folder"));
        }
        Ok(join(&self.base, path))
    }
}

fn parse(text: &str) -> Result<Url, PeerError> {
    let wrong = || PeerError::Address(text.chars().take(200).collect());
    let mut url: Url = text.trim().parse().map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(wrong());
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// Base and path with single slashes between.
fn join(base: &Url, path: &str) -> Url {
    let parts = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let mut url = base.clone();
    let all: Vec<String> = parts(base.path()).into_iter().chain(parts(path)).collect();
    url.set_path(&all.join("/"));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> Upstream {
        Upstream::at(url).expect("an address")
    }

    #[test]
    fn services_are_joined_to_the_base_with_single_slashes() {
        let sync = |base| at(base).service(Service::ServerSync).to_string();
        let path = "/ServerSyncWebService/ServerSyncWebService.asmx";
        assert_eq!(sync("http://up.example:8530"), format!("http://up.example:8530{path}"));
        assert_eq!(sync("http://up.example:8530//"), format!("http://up.example:8530{path}"));
        assert_eq!(sync("https://up.example/a//b/"), format!("https://up.example/a/b{path}"));
        let plug_in = "DssAuthWebService/DssAuthWebService.asmx";
        let joined = at("http://up.example").relative(plug_in).expect("relative");
        assert_eq!(joined.as_str(), format!("http://up.example/{plug_in}"));
    }

    #[test]
    fn the_plug_in_stays_on_the_server() {
        for path in ["http://evil.example/x", "//evil.example/x", "../x", "a/../../b", "", "/", "x?y", "a\\b"] {
            assert!(at("http://up.example").relative(path).is_err(), "{path}");
        }
    }

    #[test]
    fn the_identity_is_the_address_in_one_form() {
        assert_eq!(at("HTTP://Up.Example:80/").identity, "http://up.example");
        assert_eq!(at("http://up.example:8530").identity, at("http://up.example:8530/").identity);
        for wrong in ["ftp://up.example", "up.example", "http://", ""] {
            assert!(matches!(Upstream::at(wrong), Err(PeerError::Address(_))), "{wrong}");
        }
    }
}
