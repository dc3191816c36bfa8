//! What a path of the client plane or the server plane names. Case does not matter (the agent itself changes it), nor do
//! doubled slashes (WSUS servers send them).

use std::{
    borrow::Cow,
    path::{Component, Path, PathBuf},
};

use weir_model::ids::ContentDigest;
use weir_wire::{wsss, wusp::Service};

/// Paths longer than this name nothing.
const PATH_LIMIT: usize = 1_024;

/// What a path names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// A content file: `/Content/<HH>/<SHA1>.<ext>`. The extension does not matter.
    Content(ContentDigest),
    /// Nothing.
    Nothing,
    /// A service for downstream servers; that for roll-ups is the same as [`Service::Reporting`].
    Server(wsss::Service),
    /// A file of self-update, below the administrator's folder.
    SelfUpdate(PathBuf),
    /// A SOAP service.
    Soap(Service),
}

/// Reads a path as it came (percent signs are not decoded: no path of the protocol has any).
pub fn target(path: &str) -> Target {
    if path.len() > PATH_LIMIT {
        return Target::Nothing;
    }
    let Some(inside) = path.strip_prefix('/') else { return Target::Nothing };
    let path = single(inside);
    let Some((first, rest)) = path.split_once('/') else { return Target::Nothing };
    let is = |text: &str, name: &str| text.eq_ignore_ascii_case(name);
    let service = match first.to_ascii_lowercase().as_str() {
        "clientwebservice" => is(rest, "client.asmx").then_some(Service::Client),
        "dssauthwebservice" if is(rest, "dssauthwebservice.asmx") => return Target::Server(wsss::Service::DssAuth),
        "serversyncwebservice" if is(rest, "serversyncwebservice.asmx") => {
            return Target::Server(wsss::Service::ServerSync);
        }
        "content" => return content(rest),
        "reportingwebservice" => {
            (is(rest, "reportingwebservice.asmx") || is(rest, "webservice.asmx")).then_some(Service::Reporting)
        }
        "selfupdate" => return self_update(rest),
        "simpleauthwebservice" => is(rest, "simpleauth.asmx").then_some(Service::SimpleAuth),
        _ => None,
    };
    service.map_or(Target::Nothing, Target::Soap)
}

/// The path with every run of slashes as one.
fn single(path: &str) -> Cow<'_, str> {
    if !path.starts_with('/') && !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let mut out = String::with_capacity(path.len());
    for character in path.trim_start_matches('/').chars() {
        if character != '/' || !out.ends_with('/') {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// `<HH>/<SHA1>[.ext]`, where HH is the last byte of the digest (MS-WUSP 2.2.2.5).
fn content(rest: &str) -> Target {
    let digest = || {
        let (folder, name) = rest.split_once('/')?;
        let digits = name.split_once('.').map_or(name, |(digits, _)| digits);
        let digest = ContentDigest::from_hex(digits).ok()?;
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
        (plain && digits.get(38..)?.eq_ignore_ascii_case(folder)).then_some(digest)
    };
    digest().map_or(Target::Nothing, Target::Content)
}

/// Only plain names below the folder: nothing that a file system could read as another place.
fn self_update(rest: &str) -> Target {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/');
    if rest.is_empty() || !rest.bytes().all(plain) {
        return Target::Nothing;
    }
    let path = Path::new(rest);
    let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    if inside { Target::SelfUpdate(path.to_owned()) } else { Target::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "86542C97261C46D5B379A43EC895F97EAF409BA2";

    #[test]
    fn services_are_found_in_any_case() {
        let cases = [
            ("/ClientWebService/client.asmx", Service::Client),
            ("/clientwebservice/CLIENT.ASMX", Service::Client),
            ("/SimpleAuthWebService/SimpleAuth.asmx", Service::SimpleAuth),
            ("/ReportingWebService/ReportingWebService.asmx", Service::Reporting),
            ("/reportingwebservice/webservice.asmx", Service::Reporting),
        ];
        for (path, service) in cases {
            assert_eq!(target(path), Target::Soap(service), "{path}");
        }
        for path in ["//ClientWebService//client.asmx", "///ClientWebService/client.asmx"] {
            assert_eq!(target(path), Target::Soap(Service::Client), "{path}");
        }
        for path in ["", "/", "/x", "/ClientWebService", "/ClientWebService/", "/ClientWebService/client.asmx/x"] {
            assert_eq!(target(path), Target::Nothing, "{path}");
        }
    }

    #[test]
    fn services_for_servers_are_found_in_any_case_and_with_doubled_slashes() {
        for service in [wsss::Service::DssAuth, wsss::Service::ServerSync] {
            let path = service.path();
            for path in [path.to_owned(), path.to_lowercase(), path.to_uppercase(), path.replace('/', "//")] {
                assert_eq!(target(&path), Target::Server(service), "{path}");
            }
        }
        let doubled = wsss::Service::Reporting.path().replace('/', "//");
        assert_eq!(target(&doubled), Target::Soap(Service::Reporting));
        for path in ["/ServerSyncWebService/ServerSyncProxy.asmx", "/DssAuthWebService/", "/DssAuthWebService/x"] {
            assert_eq!(target(path), Target::Nothing, "{path}");
        }
    }

    #[test]
    fn content_is_named_by_its_digest_alone() {
        let digest = ContentDigest::from_hex(HEX).expect("digest");
        for path in [
            format!("/Content/A2/{HEX}.exe"),
            format!("/content/a2/{}.cab", HEX.to_lowercase()),
            format!("//Content//A2//{HEX}.exe"),
        ] {
            assert_eq!(target(&path), Target::Content(digest), "{path}");
        }
        assert_eq!(target(&format!("/Content/A2/{HEX}")), Target::Content(digest));
        for path in [
            format!("/Content/A3/{HEX}.exe"),
            format!("/Content/A2/{HEX}.exe/x"),
            format!("/Content/A2/../A2/{HEX}.exe"),
            format!("/Content/A2/{HEX}.%2e%2e"),
            format!("/Content/A2/{}.exe", &HEX[1..]),
            format!("/Content/{HEX}.exe"),
            "/Content/../../etc/passwd".to_owned(),
        ] {
            assert_eq!(target(&path), Target::Nothing, "{path}");
        }
    }

    #[test]
    fn self_update_stays_in_its_folder() {
        assert_eq!(target("/SelfUpdate/wuident.cab"), Target::SelfUpdate("wuident.cab".into()));
        assert_eq!(target("/selfupdate/AU/x86/en/wusetup.cab"), Target::SelfUpdate("AU/x86/en/wusetup.cab".into()));
        assert_eq!(target("/SelfUpdate//etc/passwd"), Target::SelfUpdate("etc/passwd".into()));
        for path in ["../x", "a/../../x", "a\\..\\x", "C:/x", "a/%2e%2e/x", "", "a\0b", ".."] {
            assert_eq!(target(&format!("/SelfUpdate/{path}")), Target::Nothing, "{path}");
        }
    }
}
