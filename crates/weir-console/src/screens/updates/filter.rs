//! The filter of the list: a view, facets and words of the address, as one expression for REST.

use crate::address::Address;

/// Views: a choice that most people make first. Each is the value of `view` in the address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum View {
    /// What can be deployed and makes sense to deploy.
    Current,
    /// What computers need.
    Needed,
    /// What failed on computers.
    Failed,
    /// What was declined.
    Declined,
    /// Everything, categories and detectoids included.
    All,
}

impl View {
    /// All, in their order.
    pub(super) const EACH: [Self; 5] = [Self::Current, Self::Needed, Self::Failed, Self::Declined, Self::All];

    /// The view of an address.
    pub(super) fn of(address: &Address) -> Self {
        let value = address.value("view").unwrap_or_default();
        Self::EACH.into_iter().find(|view| view.key() == value).unwrap_or(Self::Current)
    }

    /// Its value in the address.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Needed => "needed",
            Self::Failed => "failed",
            Self::Declined => "declined",
            Self::All => "all",
        }
    }

    fn expression(self) -> Option<&'static str> {
        match self {
            Self::Current => {
                Some("type in (software, driver) and deployable and not declined and not expired and not superseded")
            }
            Self::Needed => Some("needed > 0 and not declined and not superseded"),
            Self::Failed => Some("failed > 0"),
            Self::Declined => Some("declined"),
            Self::All => None,
        }
    }
}

/// The expression of an address: the view, what was typed into `filter`, and facets `f=FIELD:VALUE`, of which one of each field
/// must hold.
pub(super) fn expression(address: &Address) -> Option<String> {
    let mut terms: Vec<String> = Vec::new();
    terms.extend(View::of(address).expression().map(str::to_owned));
    terms.extend(address.value("filter").map(|typed| format!("({typed})")));
    let chosen: Vec<(&str, &str)> = address.values("f").filter_map(|facet| facet.split_once(':')).collect();
    let mut fields: Vec<&str> = chosen.iter().map(|(field, _)| *field).collect();
    fields.sort_unstable();
    fields.dedup();
    // names of fields go into the expression as they are: only what can be one
    for field in fields.into_iter().filter(|field| field.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
    {
        let values: Vec<String> =
            chosen.iter().filter(|(known, _)| *known == field).map(|(_, value)| term(field, value)).collect();
        terms.push(if values.len() == 1 { values.join("") } else { format!("({})", values.join(" or ")) });
    }
    (!terms.is_empty()).then(|| terms.join(" and "))
}

fn term(field: &str, value: &str) -> String {
    match value {
        "true" => field.to_owned(),
        "false" => format!("not {field}"),
        "" => format!("{field} is empty"),
        value => format!("{field} = \"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facets_of_a_field_are_alternatives() {
        let address = Address::new("/updates")
            .with("view", "all")
            .and("f", "severity:critical")
            .and("f", "severity:low")
            .and("f", "declined:false")
            .and("f", "product:say \"x\"")
            .and("f", "x) or (y:1")
            .with("filter", "size > 1 GB");
        assert_eq!(
            expression(&address).unwrap(),
            "(size > 1 GB) and not declined and product = \"say \\\"x\\\"\" and (severity = \"critical\" or severity = \"low\")"
        );
        assert_eq!(expression(&Address::new("/updates").with("view", "all")), None);
        assert!(expression(&Address::new("/updates")).unwrap().contains("not superseded"));
    }
}
