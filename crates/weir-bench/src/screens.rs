//! Which screens the console has: its routes, and which of them an address belongs to.

/// Every route of the console that answers GET. A test compares this with its source.
pub(crate) const ROUTES: [&str; 151] = [
    "/",
    "/about",
    "/alerts",
    "/alerts/{id}",
    "/assets/{name}",
    "/computers",
    "/computers/collections",
    "/computers/collections/new",
    "/computers/collections/{name}",
    "/computers/collections/{name}/delete",
    "/computers/collections/{name}/edit",
    "/computers/duplicates",
    "/computers/duplicates/new-id.ps1",
    "/computers/errors",
    "/computers/errors/{code}",
    "/computers/stale",
    "/computers/{id}",
    "/deployments",
    "/deployments/new",
    "/deployments/phased",
    "/deployments/phased/new",
    "/deployments/phased/{name}",
    "/deployments/phased/{name}/delete",
    "/deployments/phased/{name}/edit",
    "/deployments/phased/{name}/{act}",
    "/deployments/rules",
    "/deployments/rules/new",
    "/deployments/rules/templates",
    "/deployments/rules/templates/{name}/delete",
    "/deployments/rules/{name}",
    "/deployments/rules/{name}/delete",
    "/deployments/rules/{name}/edit",
    "/deployments/rules/{name}/run",
    "/deployments/rules/{name}/runs/{no}",
    "/deployments/stops",
    "/deployments/stops/new",
    "/deployments/stops/{id}",
    "/deployments/stops/{id}/resume",
    "/deployments/templates",
    "/deployments/templates/new",
    "/deployments/templates/{name}",
    "/deployments/templates/{name}/delete",
    "/deployments/windows",
    "/deployments/windows/new",
    "/deployments/windows/{id}",
    "/deployments/windows/{id}/delete",
    "/deployments/windows/{id}/edit",
    "/deployments/{id}",
    "/deployments/{id}/edit",
    "/help",
    "/help/{*name}",
    "/infrastructure",
    "/infrastructure/backups",
    "/infrastructure/content",
    "/infrastructure/content/jobs/{id}",
    "/infrastructure/downstream",
    "/infrastructure/downstream/{server}",
    "/infrastructure/export",
    "/infrastructure/export/{id}",
    "/infrastructure/export/{id}/end",
    "/infrastructure/export/{id}/files/{name}",
    "/infrastructure/health",
    "/infrastructure/import",
    "/infrastructure/import/bundles/{id}",
    "/infrastructure/import/bundles/{id}/{act}",
    "/infrastructure/import/inventory",
    "/infrastructure/import/signers/{key}/remove",
    "/infrastructure/import/{id}",
    "/infrastructure/leave",
    "/infrastructure/sites/new",
    "/infrastructure/sites/{id}",
    "/infrastructure/sites/{id}/enrolment",
    "/infrastructure/sites/{id}/remove",
    "/infrastructure/synchronization",
    "/infrastructure/synchronization/criteria/{name}",
    "/infrastructure/synchronization/runs/{id}",
    "/jobs",
    "/reports",
    "/reports/exports",
    "/reports/exports/compliance.parquet",
    "/reports/schedules",
    "/reports/schedules/new",
    "/reports/schedules/{id}",
    "/reports/{id}",
    "/reports/{id}/file",
    "/search",
    "/settings",
    "/settings/access",
    "/settings/access/password",
    "/settings/approvals",
    "/settings/approvals/{id}",
    "/settings/audit",
    "/settings/classifications",
    "/settings/client-settings",
    "/settings/client-settings/new",
    "/settings/client-settings/resulting",
    "/settings/client-settings/{set}",
    "/settings/client-settings/{set}/delete",
    "/settings/criteria",
    "/settings/criteria/new",
    "/settings/criteria/{name}",
    "/settings/criteria/{name}/apply",
    "/settings/criteria/{name}/delete",
    "/settings/languages",
    "/settings/notifications",
    "/settings/notifications/new",
    "/settings/notifications/{name}",
    "/settings/notifications/{name}/delete",
    "/settings/notifications/{name}/secret",
    "/settings/oidc",
    "/settings/oidc/remove",
    "/settings/policy",
    "/settings/policy/check",
    "/settings/policy/file",
    "/settings/policy/values",
    "/settings/products",
    "/settings/sessions",
    "/settings/site",
    "/settings/tls",
    "/settings/tls/check",
    "/settings/tls/clients",
    "/settings/tokens",
    "/settings/tokens/new",
    "/settings/tokens/{name}/revoke",
    "/settings/users",
    "/settings/users/new",
    "/settings/users/{name}",
    "/settings/users/{name}/certificates/{fingerprint}/remove",
    "/settings/users/{name}/delete",
    "/settings/users/{name}/password",
    "/settings/users/{name}/switch",
    "/sign-in",
    "/updates",
    "/updates/cleanup",
    "/updates/exposure",
    "/updates/exposure/computers",
    "/updates/exposure/documents",
    "/updates/exposure/exceptions",
    "/updates/exposure/exceptions/new",
    "/updates/exposure/levels",
    "/updates/exposure/{cve}",
    "/updates/fetch",
    "/updates/groups",
    "/updates/groups/new",
    "/updates/groups/{name}",
    "/updates/groups/{name}/add",
    "/updates/groups/{name}/edit",
    "/updates/searches",
    "/updates/searches/new",
    "/updates/searches/{id}/edit",
    "/updates/{id}",
];

/// Routes that are no pages, and pages that a site like this one cannot lead to.
pub(crate) const ELSEWHERE: [&str; 10] = [
    "/assets/{name}",
    "/computers/duplicates/new-id.ps1",
    "/infrastructure/export/{id}/files/{name}",
    "/infrastructure/import/bundles/{id}/{act}",
    "/infrastructure/import/inventory",
    "/infrastructure/leave",
    "/reports/exports/compliance.parquet",
    "/reports/{id}/file",
    "/settings/policy/file",
    "/sign-in",
];

/// Parameters whose value chooses another screen at the same path.
const CHOOSE: [&str; 3] = ["tab", "view", "kind"];
/// Routes of which each address is a screen of its own.
const EACH: [&str; 2] = ["/reports/{id}", "/help/{*name}"];

/// Whether a route answers a path.
fn fits(route: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    for own in route.split('/') {
        if own.starts_with("{*") {
            // all that follows
            return parts.next().is_some_and(|part| !part.is_empty());
        }
        match parts.next() {
            Some(part) if part == own || (own.starts_with('{') && !part.is_empty()) => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}

/// The route that answers a path; a literal part goes before one that is anything.
pub(crate) fn route(path: &str) -> Option<&'static str> {
    let fitting = ROUTES.into_iter().filter(|route| fits(route, path));
    fitting.min_by_key(|route| route.split('/').map(|part| part.starts_with('{')).collect::<Vec<bool>>())
}

/// What addresses of one screen have in common: the route, and the parameters that choose a screen.
pub(crate) fn shape(address: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let route = match route(path) {
        Some(route) if !EACH.contains(&route) => route,
        _ => path,
    };
    let chosen =
        |pair: &&str| pair.split_once('=').is_some_and(|(name, value)| CHOOSE.contains(&name) && !value.is_empty());
    let chosen: Vec<&str> = query.split('&').filter(chosen).collect();
    format!("{route}?{}", chosen.join("&"))
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fs,
        path::{Path, PathBuf},
    };

    use super::*;

    fn sources(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                found.insert(path, text);
            }
        }
    }

    /// What a call is given, up to the parenthesis that ends it.
    fn up_to_end(text: &str) -> &str {
        let mut depth = 1;
        for (at, letter) in text.char_indices() {
            depth += i32::from(letter == '(') - i32::from(letter == ')');
            if depth == 0 {
                return &text[..at];
            }
        }
        text
    }

    /// The value of a constant of a file, if it has it.
    fn constant<'t>(text: &'t str, name: &str) -> Option<&'t str> {
        let (_, rest) = text.split_once(&format!("const {name}: &"))?;
        let (_, rest) = rest.split_once('"')?;
        rest.split_once('"').map(|(value, _)| value)
    }

    /// The path that a route is written with: a text, or a constant of this file or of the nearest module of that name.
    fn written(all: &BTreeMap<PathBuf, String>, file: &Path, word: &str) -> String {
        if let Some(text) = word.strip_prefix('"') {
            return text.trim_end_matches('"').to_owned();
        }
        let (module, name) = word
            .rsplit_once("::")
            .map_or((None, word), |(module, name)| (Some(module.rsplit("::").next().unwrap_or(module)), name));
        let is_meant = |path: &&PathBuf| match module {
            None => path.as_path() == file,
            Some(module) => path.ends_with(format!("{module}.rs")) || path.ends_with(format!("{module}/mod.rs")),
        };
        let shared = |path: &Path| path.components().zip(file.components()).take_while(|(a, b)| a == b).count();
        let found = all.keys().filter(is_meant).filter_map(|path| Some((shared(path), constant(&all[path], name)?)));
        found
            .max_by_key(|(near, _)| *near)
            .unwrap_or_else(|| panic!("{}: what is {word}?", file.display()))
            .1
            .to_owned()
    }

    #[test]
    fn every_route_of_the_console_is_known() {
        let mut all = BTreeMap::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../weir-console/src"), &mut all);
        let mut found = BTreeSet::new();
        for (file, text) in &all {
            for rest in text.split(".route(").skip(1) {
                let Some((word, handlers)) = rest.trim_start().split_once(',') else { continue };
                let word = word.trim();
                // what is no path is a route of something else
                let is_path = word.starts_with("\"/")
                    || word.chars().all(|letter| letter.is_alphanumeric() || "_:".contains(letter));
                if is_path && up_to_end(handlers).contains("get(") {
                    found.insert(written(&all, file, word));
                }
            }
        }
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ROUTES);
    }

    #[test]
    fn what_is_elsewhere_is_a_route() {
        assert!(ELSEWHERE.iter().all(|each| ROUTES.contains(each)));
    }

    #[test]
    fn addresses_of_one_screen_have_one_shape() {
        assert_eq!(shape("/updates/5eed0000-0000-4000?tab=files&sort=name"), shape("/updates/1-2?tab=files"));
        assert_ne!(shape("/updates/1-2?tab=files"), shape("/updates/1-2?tab=raw"));
        assert_eq!(shape("/computers/collections/Ring%201"), shape("/computers/collections/Whole"));
        assert_ne!(shape("/computers/collections"), shape("/computers/duplicates"));
        assert_ne!(shape("/reports/clients-silent"), shape("/reports/compliance-overall"));
        assert_eq!(shape("/computers?f=a:b&tab="), "/computers?");
    }

    #[test]
    fn a_literal_part_goes_before_one_that_is_anything() {
        assert_eq!(route("/updates/groups"), Some("/updates/groups"));
        assert_eq!(route("/updates/5"), Some("/updates/{id}"));
        assert_eq!(route("/updates/groups/new"), Some("/updates/groups/new"));
        assert_eq!(route("/updates/exposure/CVE-2026-1"), Some("/updates/exposure/{cve}"));
        assert_eq!(route("/help/first-day/1.md"), Some("/help/{*name}"));
        assert_eq!((route("/nowhere"), route("/updates/")), (None, None));
    }
}
