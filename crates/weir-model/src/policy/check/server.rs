//! Which server is scanned, and what it is told.

use super::{
    super::address::{Address, AddressError},
    Finding, Severity, Site,
    view::View,
};

const RENDER: &str = "render the policy anew: weir policy render";

pub(super) fn check(view: &View<'_>, site: &Site, findings: &mut Vec<Finding>) {
    let wanted = site.preferred().map_or_else(|| "the address of the site".to_owned(), ToString::to_string);
    let server = address(view, site, "WUServer", &wanted, findings);
    let status = address(view, site, "WUStatusServer", &wanted, findings);
    if let (Some(server), Some(status)) = (&server, &status)
        && server != status
    {
        let breaks =
            format!("reports go to another address than {server}, which is scanned: compliance stays unknown there");
        let next = format!("set WUStatusServer to {server}");
        findings.push(view.finding(Severity::Warning, "status.differs", "WUStatusServer", breaks, next));
    }
    if !view.is("UseWUServer", 1) {
        let breaks = "WUServer is not used, so that Windows Update is scanned";
        findings.push(view.finding(Severity::Error, "server.unused", "UseWUServer", breaks, "set UseWUServer to 1"));
    }
    if view.is("SetProxyBehaviorForUpdateDetection", 1) {
        let (severity, breaks) = match &server {
            Some(server) if server.tls() => {
                (Severity::Note, "a user's proxy matters for plain HTTP only, and this server has TLS")
            }
            _ => (Severity::Warning, "a user's proxy can read and change scans over plain HTTP"),
        };
        let next = "prefer HTTPS or a proxy of the system: weir client-settings set scan.user_proxy false";
        let name = "SetProxyBehaviorForUpdateDetection";
        findings.push(view.finding(severity, "proxy.user", name, breaks, next));
    }
    content(view, site, findings);
    groups(view, site, findings);
}

/// One of the two addresses, if it is one.
fn address(
    view: &View<'_>,
    site: &Site,
    name: &'static str,
    wanted: &str,
    findings: &mut Vec<Finding>,
) -> Option<Address> {
    let next = format!("set {name} to {wanted}");
    let Some(data) = view.data(name) else {
        let breaks = if name == "WUServer" {
            "no server is named, so that Windows Update is scanned"
        } else {
            "the policy needs both addresses; without this one it has no effect"
        };
        findings.push(view.finding(Severity::Error, "server.missing", name, breaks, next));
        return None;
    };
    // a value of another kind has its finding
    let text = data.text()?;
    let found = match text.parse::<Address>() {
        Ok(found) => found,
        Err(error) => {
            let code = match error {
                AddressError::NoPort => "server.no_port",
                AddressError::Path => "server.path",
                _ => "server.address",
            };
            findings.push(view.finding(Severity::Error, code, name, error.to_string(), next));
            return None;
        }
    };
    if site.addresses.is_empty() {
        return Some(found);
    }
    let same_host: Vec<&Address> = site.addresses.iter().filter(|known| found.may_be_same_host(known)).collect();
    if same_host.is_empty() {
        let breaks = format!("it is another server than this site, {wanted}");
        findings.push(view.finding(Severity::Error, "server.other", name, breaks, next));
    } else if !same_host.iter().any(|known| known.port() == found.port()) {
        let breaks = "the site's server does not listen at this port";
        findings.push(view.finding(Severity::Error, "server.port", name, breaks, next));
    } else if !same_host.iter().any(|known| known.port() == found.port() && known.tls() == found.tls()) {
        let (is, not) = if found.tls() { ("https", "http") } else { ("http", "https") };
        let breaks = format!("the site's server expects {not} at this port, not {is}");
        findings.push(view.finding(Severity::Error, "server.scheme", name, breaks, next));
    } else {
        if !found.tls() && site.addresses.iter().any(Address::tls) {
            let breaks =
                "scans go over plain HTTP although the site has TLS: they can be read and changed on their way";
            findings.push(view.finding(Severity::Warning, "server.http", name, breaks, next));
        } else if found.tls() && !same_host.iter().any(|known| known.host() == found.host()) {
            let breaks = format!("the server's certificate must also be for {}, or the scan fails", found.host());
            findings.push(view.finding(Severity::Warning, "server.name", name, breaks, next));
        }
    }
    Some(found)
}

fn content(view: &View<'_>, site: &Site, findings: &mut Vec<Finding>) {
    let alternate = view.text("UpdateServiceUrlAlternate").filter(|text| !text.trim().is_empty());
    if view.is("FillEmptyContentUrls", 1) {
        let (severity, breaks) = match alternate {
            None => (Severity::Warning, "it has no effect without UpdateServiceUrlAlternate"),
            Some(_) => (
                Severity::Note,
                "files without an address are fetched from UpdateServiceUrlAlternate; this site names all",
            ),
        };
        let next = "remove FillEmptyContentUrls";
        findings.push(view.finding(severity, "content.fill", "FillEmptyContentUrls", breaks, next));
    }
    if let Some(alternate) = alternate
        && !site.addresses.iter().any(|known| known.to_string() == alternate)
    {
        let breaks = "files are fetched from another server, which has to have them";
        let next = "remove UpdateServiceUrlAlternate unless that server is meant";
        findings.push(view.finding(Severity::Warning, "content.elsewhere", "UpdateServiceUrlAlternate", breaks, next));
    }
}

fn groups(view: &View<'_>, site: &Site, findings: &mut Vec<Finding>) {
    let text = view.text("TargetGroup").unwrap_or_default();
    let names: Vec<&str> = text.split(';').map(str::trim).filter(|name| !name.is_empty()).collect();
    let on = view.is("TargetGroupEnabled", 1);
    if !site.client_targeting {
        if on && !names.is_empty() {
            let breaks = "administrators put computers into collections at this site, so that it has no effect";
            let next = "to use it: weir settings set targeting client; else remove it";
            findings.push(view.finding(Severity::Note, "group.unused", "TargetGroup", breaks, next));
        }
        return;
    }
    if !on || names.is_empty() {
        let breaks = "computers choose their collections at this site, and these choose none: they are unassigned";
        let next = "render with --group NAME";
        findings.push(view.finding(Severity::Warning, "group.none", "TargetGroup", breaks, next));
        return;
    }
    let known = |name: &str| site.collections.iter().any(|known| known.to_lowercase() == name.to_lowercase());
    let unknown: Vec<&str> = names.into_iter().filter(|name| !known(name)).collect();
    if !unknown.is_empty() {
        let listed = unknown.join(", ");
        let breaks = format!("there is no collection {listed} at this site, so that these computers are not in it");
        let next =
            format!("make it: weir collections create {:?}, or correct the name", unknown.first().unwrap_or(&""));
        findings.push(view.finding(Severity::Error, "group.unknown", "TargetGroup", breaks, next));
    }
    if view.is("UseWUServer", 0) {
        findings.push(view.finding(Severity::Note, "group.server", "TargetGroup", "no server is told of it", RENDER));
    }
}
