//! How a setting is filled in, from the words in which REST says what it takes; and what a form of settings changes.

use maud::{Markup, html};
use serde_json::Value;

use crate::{cx::Cx, texts::settings as t};

/// What a setting takes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Yes or no.
    Flag,
    /// One of these words.
    Choice(Vec<String>),
    /// Some of these words.
    Words(Vec<String>),
    /// A whole number, both ends included, with what it counts.
    Number { least: String, most: String, unit: String },
    /// What is never shown.
    Secret,
    /// All else.
    Text,
}

impl Kind {
    /// Reads what REST says of the values. What it does not know is a text, which REST judges.
    pub(super) fn of(values: &str, default: &Value) -> Self {
        if default.is_boolean() {
            return Self::Flag;
        }
        if values.starts_with("a secret") {
            return Self::Secret;
        }
        if let Some((words, _)) = values.strip_prefix("some of ").and_then(|rest| rest.split_once(", separated")) {
            return Self::Words(words.split(", ").map(str::to_owned).collect());
        }
        if let (true, Some((least, rest))) = (default.is_number(), values.split_once(" to ")) {
            let (most, unit) = rest.split_once(' ').unwrap_or((rest, ""));
            if [least, most].iter().all(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())) {
                return Self::Number { least: least.to_owned(), most: most.to_owned(), unit: unit.to_owned() };
            }
        }
        let word = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        };
        let words: Vec<&str> = values.split(", ").collect();
        if words.len() > 1 && words.iter().all(|text| word(text)) {
            return Self::Choice(words.into_iter().map(str::to_owned).collect());
        }
        Self::Text
    }
}

/// A value in its text form.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A value for people: flags as words, an empty text as a dash.
pub(super) fn shown(cx: &Cx, value: &Value) -> Markup {
    match value {
        Value::Bool(flag) => html! { (t::flags(cx, if *flag { "true" } else { "false" })) },
        Value::Null => crate::ui::none(cx),
        Value::String(text) if text.is_empty() => html! { span.quiet { (t::empty_value(cx)) } },
        other => html! { code { (plain(other)) } },
    }
}

/// A setting as a row of a form.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    /// Its name, and that of its field.
    pub(super) key: &'a str,
    /// What it does, in the words of REST.
    pub(super) meaning: &'a str,
    /// Which values there are, in the words of REST.
    pub(super) values: &'a str,
    /// What holds when nobody sets it.
    pub(super) default: &'a Value,
    /// What the form was made with.
    pub(super) was: String,
    /// What is in the field.
    pub(super) value: String,
    /// What its number counts.
    pub(super) unit: Option<String>,
    /// What is said of a field that may stay empty.
    pub(super) blank: Option<String>,
    /// Why it was refused.
    pub(super) error: Option<&'a str>,
    /// What else there is to say.
    pub(super) more: Markup,
    /// It may be changed.
    pub(super) open: bool,
}

impl Row<'_> {
    /// Makes it.
    pub(super) fn show(&self, cx: &Cx) -> Markup {
        let kind = Kind::of(self.values, self.default);
        let (help, wrong) = (format!("h-{}", self.key), format!("e-{}", self.key));
        let described = if self.error.is_some() { format!("{help} {wrong}") } else { help.clone() };
        let own = match &kind {
            Kind::Number { unit, .. } if !unit.is_empty() => Some(unit.clone()),
            _ => None,
        };
        html! {
            div.field.setting.wrong[self.error.is_some()] {
                div {
                    @if matches!(kind, Kind::Words(_)) { span.name { code { (self.key) } } }
                    @else { label.name for={ "f-" (self.key) } { code { (self.key) } } }
                    p.help id=(help) lang="en" { (self.meaning) }
                    (self.more)
                }
                div {
                    @if self.open {
                        input type="hidden" name={ "was:" (self.key) } value=(self.was);
                        div.input {
                            (self.input(cx, &kind, &described))
                            @if let Some(unit) = self.unit.clone().or(own) { span.unit { (unit) } }
                        }
                        @if kind == Kind::Secret && self.was == "set" {
                            label.check { input type="checkbox" name={ "clear:" (self.key) } value="1"; (t::secret_clear(cx)) }
                        }
                    } @else if kind == Kind::Flag { p { (t::flags(cx, &self.value)) } }
                    @else { p { (shown(cx, &Value::String(self.value.clone()))) @if let Some(unit) = &self.unit { " " (unit) } } }
                    p.help {
                        @if kind != Kind::Secret { (t::default_value(cx)) " " (shown(cx, self.default)) " · " }
                        span lang="en" { (self.values) }
                    }
                    @if let Some(error) = self.error { p.error id=(wrong) lang="en" { (error) } }
                }
            }
        }
    }

    fn input(&self, cx: &Cx, kind: &Kind, described: &str) -> Markup {
        let id = format!("f-{}", self.key);
        let invalid = self.error.map(|_| "true");
        let blank = self.blank.as_deref();
        match kind {
            Kind::Flag => {
                let words = ["true", "false"].map(|word| (word.to_owned(), t::flags(cx, word)));
                self.select(&id, &words, described)
            }
            Kind::Choice(words) => {
                let words: Vec<(String, String)> = words.iter().map(|word| (word.clone(), word.clone())).collect();
                self.select(&id, &words, described)
            }
            Kind::Words(words) => {
                let on: Vec<&str> = self.value.split(',').map(str::trim).collect();
                html! {
                    div.checks id=(id) role="group" aria-label=(self.key) aria-describedby=(described) {
                        @for word in words {
                            label.check { input type="checkbox" name=(self.key) value=(word) checked[on.contains(&word.as_str())]; (word) }
                        }
                    }
                }
            }
            Kind::Number { least, most, .. } => html! {
                input id=(id) type="number" name=(self.key) value=(self.value) min=(least) max=(most) step="1"
                    required[blank.is_none()] placeholder=[blank] aria-invalid=[invalid] aria-describedby=(described);
            },
            Kind::Secret => html! {
                input id=(id) type="password" name=(self.key) value="" autocomplete="new-password" aria-invalid=[invalid] aria-describedby=(described)
                    placeholder=(t::secrets(cx, &self.was));
            },
            Kind::Text => html! {
                input id=(id) type="text" name=(self.key) value=(self.value) placeholder=[blank] aria-invalid=[invalid] aria-describedby=(described);
            },
        }
    }

    fn select(&self, id: &str, words: &[(String, String)], described: &str) -> Markup {
        html! {
            select id=(id) name=(self.key) aria-invalid=[self.error.map(|_| "true")] aria-describedby=(described) {
                @if let Some(blank) = &self.blank { option value="" selected[self.value.is_empty()] { (blank) } }
                @for (word, name) in words { option value=(word) selected[*word == self.value] { (name) } }
            }
        }
    }
}

/// A setting that a form changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Change {
    /// Its name.
    pub(super) key: String,
    /// What the form was made with.
    pub(super) was: String,
    /// What it is to be.
    pub(super) value: String,
}

/// What a form changes: of the settings that it showed, those that are filled in otherwise than they were.
pub(super) fn changes(pairs: &[(String, String)]) -> Vec<Change> {
    let shown = pairs.iter().filter_map(|(name, was)| Some((name.strip_prefix("was:")?, was)));
    let changed = shown.filter_map(|(key, was)| {
        let cleared = format!("clear:{key}");
        let values: Vec<&str> = pairs.iter().filter(|(name, _)| name == key).map(|(_, value)| value.as_str()).collect();
        let value = values.join(",");
        // a secret is sent only when somebody types one, or takes it away
        let secret = matches!(was.as_str(), "set" | "unset") && value.is_empty();
        if pairs.iter().any(|(name, _)| *name == cleared) {
            return Some(Change { key: key.to_owned(), was: was.clone(), value: String::new() });
        }
        (value != *was && !secret).then(|| Change { key: key.to_owned(), was: was.clone(), value })
    });
    changed.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_follow_from_what_rest_says_of_the_values() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(Kind::of("true, false", &json!(true)), Kind::Flag);
        assert_eq!(Kind::of("true or false", &json!(false)), Kind::Flag);
        assert_eq!(Kind::of("flag, retire-older", &json!("flag")), Kind::Choice(words(&["flag", "retire-older"])));
        let number = |least: &str, most: &str, unit: &str| Kind::Number {
            least: least.to_owned(),
            most: most.to_owned(),
            unit: unit.to_owned(),
        };
        assert_eq!(Kind::of("1 to 1440", &json!(15)), number("1", "1440", ""));
        assert_eq!(Kind::of("1 to 999 hours", &json!(48)), number("1", "999", "hours"));
        assert_eq!(
            Kind::of("a secret of at most 1024 characters, or empty; shown as set or unset", &json!("unset")),
            Kind::Secret
        );
        assert_eq!(
            Kind::of("some of deploy, source, separated by commas, or empty", &json!("")),
            Kind::Words(words(&["deploy", "source"]))
        );
        for text in [
            "microsoft, none, or the http(s) URL of an upstream server",
            "off, immediately, or months:N with N from 1 to 99",
            "off, or a schedule such as every 7 days at 02:00",
            "1 to 23 hours, or 1 to 365 days",
            "text of at most 256 characters",
        ] {
            assert_eq!(Kind::of(text, &json!("x")), Kind::Text, "{text}");
        }
    }

    #[test]
    fn a_form_changes_what_it_showed_and_nothing_else() {
        let pairs = [
            ("was:sync.retries", "3"),
            ("sync.retries", "5"),
            ("was:page.entries", "30"),
            ("page.entries", "30"),
            ("content.mode", "all"),
            ("was:approval.required", "deploy,source"),
            ("approval.required", "deploy"),
            ("was:mail.password", "set"),
            ("mail.password", ""),
            ("was:proxy.password", "set"),
            ("proxy.password", ""),
            ("clear:proxy.password", "1"),
        ];
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let change = |key: &str, was: &str, value: &str| Change {
            key: key.to_owned(),
            was: was.to_owned(),
            value: value.to_owned(),
        };
        assert_eq!(
            changes(&pairs),
            [
                change("sync.retries", "3", "5"),
                change("approval.required", "deploy,source", "deploy"),
                change("proxy.password", "set", ""),
            ]
        );
    }
}
