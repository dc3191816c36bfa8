//! Where files are: GetFileLocations (MS-WUSP 3.1.5.10) and the addresses in other answers.

use weir_model::ids::ContentDigest;
use weir_store::{ReadTx, StoreError, content::ContentStore};
use weir_wire::wusp::{FileLocation, FileLocationsResult, GetFileLocations, GetFileLocationsAnswer};

use super::call::{Call, Refusal, Reply};
use crate::{content, jobs::downloads};

impl Call<'_> {
    /// Where content is: the configured address, else the host that the client itself used with the port of the plain
    /// listener (content stays on plain HTTP: its digests are in the metadata). Without one it is that of the listener with TLS.
    pub(super) fn content_base(&self) -> String {
        if let Some(base) = &self.configuration.settings.content_base {
            return base.trim_end_matches('/').to_owned();
        }
        let host = self.host.and_then(host_name).unwrap_or("localhost");
        let (scheme, usual) = if self.state.content_tls() { ("https", 443) } else { ("http", 80) };
        match self.state.content_port() {
            0 => format!("{scheme}://{host}"),
            port if port == usual => format!("{scheme}://{host}"),
            port => format!("{scheme}://{host}:{port}"),
        }
    }

    /// Where files are for this client.
    pub(super) fn places(&self) -> Places {
        Places { base: self.content_base(), elsewhere: self.configuration.settings.content_elsewhere }
    }

    pub(super) async fn get_file_locations(&self, request: GetFileLocations) -> Result<Reply, Refusal> {
        self.cookie(request.sealed())?;
        let digests = request.validate()?;
        let caller = self.caller(request.sealed()).await?;
        let places = self.places();
        let read = self.state.read(move |tx| {
            let mut found = Vec::with_capacity(digests.len());
            for digest in digests {
                if let Some(name) = tx.file_name(digest)? {
                    found.push(places.of(tx, digest, &name)?);
                }
            }
            Ok(found)
        });
        let file_locations = read.await?;
        let new_cookie = Some(self.wire_cookie(&caller.cookie)?);
        Ok(self.text(&GetFileLocationsAnswer { result: Some(FileLocationsResult { file_locations, new_cookie }) }))
    }
}

/// Where files are.
pub(super) struct Places {
    base: String,
    /// Files of updates are left with Microsoft (`content.mode`).
    elsewhere: bool,
}

impl Places {
    /// Where a file of that name is: with content left elsewhere the address that is recorded for it, else the upstream
    /// server's; licence files, and what has no address elsewhere, here.
    pub(super) fn of(&self, tx: &ReadTx<'_>, digest: ContentDigest, name: &str) -> Result<FileLocation, StoreError> {
        let here = || location(&self.base, digest, name);
        if !self.elsewhere || tx.file_is_licence(digest)? {
            return Ok(here());
        }
        if let Some(source) = tx.file_sources(digest)?.into_iter().next() {
            return Ok(FileLocation::new(digest, source.url));
        }
        let above = content::upstream::address(tx)?;
        Ok(above.map_or_else(here, |root| FileLocation::new(digest, downloads::content_url(&root, digest, name))))
    }
}

/// The location of a file of that name.
fn location(base: &str, digest: ContentDigest, name: &str) -> FileLocation {
    let path = ContentStore::relative_path(digest, &ContentStore::extension(name));
    FileLocation::new(digest, format!("{base}/Content/{path}"))
}

/// The host of a `Host` header, without its port; None if it is not one.
pub(super) fn host_name(header: &str) -> Option<&str> {
    let header = header.trim();
    let (host, port) = match header.find(']') {
        Some(end) if header.starts_with('[') => header.split_at(end + 1),
        _ => header.split_at(header.find(':').unwrap_or(header.len())),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let valid = match inner {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.len() <= 253 && host.bytes().all(plain),
    };
    let port_valid = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    (valid && port_valid).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_taken_without_its_port() {
        assert_eq!(host_name("192.0.2.1:8530"), Some("192.0.2.1"));
        assert_eq!(host_name("wsus.example"), Some("wsus.example"));
        assert_eq!(host_name("[2001:db8::1]:8531"), Some("[2001:db8::1]"));
        for wrong in ["", ":80", "a b", "a/b", "evil\"><x", "[x]:1", "host:port", "host:99999", "a@b"] {
            assert_eq!(host_name(wrong), None, "{wrong}");
        }
    }
}
