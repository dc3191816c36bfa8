//! What a form was filled in with, or begins with.

use std::collections::BTreeSet;

/// Fields by name, in the order of the form. A switch is there, with `1`, when it is on.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Filled(Vec<(String, String)>);

impl Filled {
    /// What was sent.
    pub(super) fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// All of it.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The value of a field; empty without one.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// The value of a field, trimmed, if there is any.
    pub(super) fn some(&self, name: &str) -> Option<String> {
        let value = self.text(name).trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// All values of a field that are not empty.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.0.iter().filter(move |(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Whether a switch is on.
    pub(super) fn on(&self, name: &str) -> bool {
        self.text(name) == "1"
    }

    /// With this value in the place of all others of the field.
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.into()));
    }

    /// With a switch on or off.
    pub(super) fn switch(&mut self, name: &str, on: bool) {
        self.0.retain(|(known, _)| known != name);
        if on {
            self.0.push((name.to_owned(), "1".to_owned()));
        }
    }

    /// What others say of a field takes the place of what is said here.
    pub(super) fn overlay(&mut self, others: &[(String, String)]) {
        let names: BTreeSet<&str> = others.iter().map(|(name, _)| name.as_str()).collect();
        self.0.retain(|(known, _)| !names.contains(known.as_str()));
        self.0.extend(others.iter().cloned());
    }

    /// The pairs, for hidden fields and addresses, but for what the buttons say.
    pub(super) fn kept(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = |name: &str| !matches!(name, "sure" | "typed" | "act" | "site");
        self.0
            .iter()
            .filter(move |(name, value)| own(name) && !value.is_empty())
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_last_holds() {
        let mut filled = Filled::default();
        filled.set("name", " x ");
        filled.switch("grace", true);
        filled.overlay(&[("name".to_owned(), "y".to_owned()), ("sure".to_owned(), "1".to_owned())]);
        assert_eq!((filled.some("name").as_deref(), filled.on("grace"), filled.on("none")), (Some("y"), true, false));
        filled.switch("grace", false);
        assert_eq!(filled.kept().collect::<Vec<_>>(), [("name", "y")]);
    }
}
