//! The choices of a policy, which are all in the address: a policy can be sent to a colleague as a link.

use std::collections::BTreeMap;

use weir_api::policy::{PolicyFormat, PolicyRender};

use crate::{
    address::Address,
    screens::settings::{given, lines},
};

/// As they are filled in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Choices {
    /// The field is `for`: `site` is the selector in the top bar.
    pub(super) site: String,
    pub(super) collection: String,
    pub(super) url: String,
    /// `1` with TLS, `0` without, empty: as the site has it.
    pub(super) https: String,
    pub(super) status_url: String,
    pub(super) alternate_url: String,
    pub(super) groups: String,
    pub(super) no_sources: bool,
    pub(super) no_internet: bool,
    pub(super) remove_conflicts: bool,
    pub(super) set: String,
}

impl Choices {
    /// What an address says.
    pub(super) fn of(address: &Address) -> Self {
        let text = |name: &str| address.value(name).unwrap_or_default().to_owned();
        let on = |name: &str| address.value(name) == Some("1");
        Self {
            site: text("for"),
            collection: text("collection"),
            url: text("url"),
            https: text("https"),
            status_url: text("status_url"),
            alternate_url: text("alternate_url"),
            groups: text("groups"),
            no_sources: on("no_sources"),
            no_internet: on("no_internet"),
            remove_conflicts: on("remove_conflicts"),
            set: text("set"),
        }
    }

    /// The request for REST, or the line of the values that cannot be read.
    pub(super) fn request(&self, format: PolicyFormat) -> Result<PolicyRender, String> {
        let mut set = BTreeMap::new();
        for line in lines(&self.set) {
            let Some((name, value)) = line.split_once('=') else { return Err(line) };
            let name = name.trim();
            if name.is_empty() {
                return Err(line);
            }
            set.insert(name.to_owned(), given(value));
        }
        Ok(PolicyRender {
            format,
            site: given(&self.site),
            collection: given(&self.collection),
            url: given(&self.url),
            https: match self.https.as_str() {
                "1" => Some(true),
                "0" => Some(false),
                _ => None,
            },
            status_url: given(&self.status_url),
            alternate_url: given(&self.alternate_url),
            groups: lines(&self.groups),
            no_sources: self.no_sources,
            no_internet: self.no_internet,
            remove_conflicts: self.remove_conflicts,
            set,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_request() {
        let uri = "/settings/policy?site=Elsewhere&for=Utrecht&https=1&groups=Pilot%0D%0ARing+1&no_internet=1&set=AUOptions%3D4%0ANoAutoUpdate%3D";
        let choices = Choices::of(&Address::of(&uri.parse().unwrap()));
        let request = choices.request(PolicyFormat::Reg).unwrap();
        assert_eq!((request.site, request.https, request.no_internet), (Some("Utrecht".to_owned()), Some(true), true));
        assert_eq!(request.groups, ["Pilot", "Ring 1"]);
        let set: Vec<(String, Option<String>)> = request.set.into_iter().collect();
        assert_eq!(set, [("AUOptions".to_owned(), Some("4".to_owned())), ("NoAutoUpdate".to_owned(), None)]);
        let wrong = Choices { set: "AUOptions".to_owned(), ..Choices::default() };
        assert_eq!(wrong.request(PolicyFormat::Reg), Err("AUOptions".to_owned()));
    }
}
