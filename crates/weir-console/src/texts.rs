//! Every word that people see: [`generated`] has a function for each text of `texts/en`, [`Words`] what it says in one language.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::{Display, Write as _},
    sync::Arc,
};

use toml::{Table, Value};

pub(crate) use crate::{cx::Cx, flash::Flash};

#[allow(clippy::pedantic, reason = "generated")]
mod generated {
    use super::Area;
    include!(concat!(env!("OUT_DIR"), "/texts.rs"));
}
pub(crate) use generated::*;

/// What is put in the place of a name in braces.
pub(crate) type Argument<'a> = &'a dyn Display;

/// The built-in texts of one area.
pub(crate) struct Area {
    name: &'static str,
    en: &'static str,
    nl: &'static str,
}

#[derive(Clone, Debug)]
enum Text {
    Plain(String),
    /// By plural category.
    Counted(BTreeMap<String, String>),
    /// Words by value.
    Table(BTreeMap<String, String>),
}

/// The texts of one language.
#[derive(Debug)]
pub(crate) struct Words {
    /// Its tag, such as `nl`.
    pub(crate) tag: String,
    /// What it calls itself.
    pub(crate) name: String,
    thousands: String,
    decimal: String,
    texts: Vec<Text>,
    numbers: HashMap<&'static str, usize>,
}

/// All languages.
#[derive(Debug)]
pub(crate) struct Catalogue {
    languages: Vec<Arc<Words>>,
}

impl Catalogue {
    /// The built-in languages and others by file: `(tag, text of the file)`. What such a file lacks is said in English; a file
    /// that cannot be read is left out and logged.
    pub(crate) fn new(files: &[(String, String)]) -> Self {
        let built_in = |tag: &str, text: fn(&Area) -> &'static str| -> Table {
            let areas = AREAS.iter().map(|area| {
                let table = text(area).parse::<Table>();
                let table = table.inspect_err(|error| tracing::error!(tag, area = area.name, %error, "texts"));
                (area.name.to_owned(), Value::Table(table.unwrap_or_default()))
            });
            areas.collect()
        };
        let english = Words::new("en", &built_in("en", |area| area.en), None);
        let mut languages = vec![Arc::new(Words::new("nl", &built_in("nl", |area| area.nl), Some(&english)))];
        for (tag, text) in files {
            match text.parse::<Table>() {
                Ok(table) => languages.push(Arc::new(Words::new(tag, &table, Some(&english)))),
                Err(error) => tracing::error!(language = tag, %error, "a file of texts cannot be read"),
            }
        }
        languages.insert(0, Arc::new(english));
        Self { languages }
    }

    /// All languages, English first.
    pub(crate) fn languages(&self) -> &[Arc<Words>] {
        &self.languages
    }

    /// The language that somebody chose, else the first of `Accept-Language` that is here, else English.
    pub(crate) fn choose(&self, chosen: Option<&str>, accepted: Option<&str>) -> Arc<Words> {
        let mut accepted: Vec<(&str, f32)> = accepted
            .unwrap_or_default()
            .split(',')
            .take(20)
            .map(|part| {
                let (tag, quality) = part.split_once(";q=").unwrap_or((part, "1"));
                (tag.trim(), quality.trim().parse().unwrap_or(0.0))
            })
            .collect();
        accepted.sort_by(|a, b| b.1.total_cmp(&a.1));
        chosen
            .into_iter()
            .chain(accepted.into_iter().map(|(tag, _)| tag))
            .find_map(|tag| self.find(tag).or_else(|| self.find(tag.split('-').next()?)))
            .or_else(|| self.languages.first())
            .map_or_else(|| Arc::new(Words::new("en", &Table::new(), None)), Arc::clone)
    }

    fn find(&self, tag: &str) -> Option<&Arc<Words>> {
        self.languages.iter().find(|words| words.tag.eq_ignore_ascii_case(tag))
    }
}

impl Words {
    fn new(tag: &str, areas: &Table, fallback: Option<&Self>) -> Self {
        let texts = KEYS.iter().enumerate().map(|(number, key)| {
            let mut value = None;
            let mut table = Some(areas);
            for part in key.split('.') {
                value = table.and_then(|table| table.get(part));
                table = value.and_then(Value::as_table);
            }
            let other = || fallback.and_then(|words| words.texts.get(number).cloned());
            text(value).or_else(other).unwrap_or_else(|| Text::Plain((*key).to_owned()))
        });
        let mut words = Self {
            tag: tag.to_owned(),
            name: String::new(),
            thousands: String::new(),
            decimal: String::new(),
            texts: texts.collect(),
            numbers: KEYS.iter().enumerate().map(|(number, key)| (*key, number)).collect(),
        };
        let named = |value: &str| {
            words.numbers.get("common.language").map(|number| words.word(*number, value)).unwrap_or_default()
        };
        let (name, thousands, decimal) = (named("name"), named("thousands"), named("decimal"));
        (words.name, words.thousands, words.decimal) = (name, thousands, decimal);
        words
    }

    /// A text without arguments.
    pub(crate) fn plain(&self, number: usize) -> &str {
        match self.texts.get(number) {
            Some(Text::Plain(text)) => text,
            _ => "",
        }
    }

    /// One of a table of words.
    pub(crate) fn word(&self, number: usize, value: &str) -> String {
        match self.texts.get(number) {
            Some(Text::Table(table)) => table.get(value).map_or(value, String::as_str).to_owned(),
            _ => value.to_owned(),
        }
    }

    /// A text with its arguments.
    pub(crate) fn filled(&self, number: usize, count: Option<u64>, arguments: &[(&str, Argument<'_>)]) -> String {
        let form = match (self.texts.get(number), count) {
            (Some(Text::Plain(text)), _) => text.as_str(),
            (Some(Text::Counted(forms)), count) => {
                let category = category(&self.tag, count.unwrap_or_default());
                forms.get(category).or_else(|| forms.get("other")).map_or("", String::as_str)
            }
            _ => "",
        };
        let mut out = String::with_capacity(form.len() + 16);
        let mut rest = form;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            match (arguments.iter().find(|(known, _)| *known == name), count) {
                (Some((_, value)), _) => {
                    let _ = write!(out, "{value}");
                }
                (None, Some(count)) if name == "n" => out.push_str(&self.count(count)),
                _ => out.push_str(name),
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }

    /// The text of a name such as `updates.flash.declined`, for what travels between two pages.
    pub(crate) fn find(&self, key: &str, arguments: &[(&str, Argument<'_>)]) -> Option<String> {
        let count =
            arguments.iter().find(|(name, _)| *name == "n").and_then(|(_, value)| value.to_string().parse().ok());
        let others: Vec<(&str, Argument<'_>)> =
            arguments.iter().filter(|(name, _)| *name != "n" || count.is_none()).copied().collect();
        self.numbers.get(key).map(|number| self.filled(*number, count, &others))
    }

    /// A whole number with separators.
    pub(crate) fn count(&self, number: u64) -> String {
        let digits = number.to_string();
        let mut out = String::with_capacity(digits.len() + digits.len() / 3);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                out.push_str(&self.thousands);
            }
            out.push(digit);
        }
        out
    }

    /// A number with one decimal.
    pub(crate) fn decimal(&self, number: f64) -> String {
        format!("{number:.1}").replace('.', &self.decimal)
    }
}

fn text(value: Option<&Value>) -> Option<Text> {
    match value? {
        Value::String(text) => Some(Text::Plain(text.clone())),
        Value::Table(table) => {
            let entries: BTreeMap<String, String> =
                table.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
            let forms = ["zero", "one", "two", "few", "many", "other"];
            let counted = entries.contains_key("other") && entries.keys().all(|key| forms.contains(&key.as_str()));
            Some(if counted { Text::Counted(entries) } else { Text::Table(entries) })
        }
        _ => None,
    }
}

/// The plural category of a whole number (Unicode CLDR, cardinal rules).
fn category(tag: &str, n: u64) -> &'static str {
    let (ten, hundred) = (n % 10, n % 100);
    match tag.split('-').next().unwrap_or_default() {
        "ja" | "ko" | "zh" | "th" | "vi" | "id" | "ms" => "other",
        "fr" | "pt" if n < 2 => "one",
        "cs" | "sk" if (2..=4).contains(&n) => "few",
        "ru" | "uk" | "be" | "hr" | "sr" | "bs" if ten == 1 && hundred != 11 => "one",
        "ru" | "uk" | "be" | "hr" | "sr" | "bs" | "pl" if (2..=4).contains(&ten) && !(12..=14).contains(&hundred) => {
            "few"
        }
        "ru" | "uk" | "be" => "many",
        "pl" if n != 1 => "many",
        "hr" | "sr" | "bs" => "other",
        _ if n == 1 => "one",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(text: fn(&Area) -> &'static str) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::new();
        for area in AREAS {
            for (key, value) in text(area).parse::<Table>().unwrap() {
                match value {
                    Value::Table(table) if !table.contains_key("other") => {
                        all.extend(
                            table.into_iter().map(|(word, value)| (format!("{}.{key}.{word}", area.name), value)),
                        );
                    }
                    value => drop(all.insert(format!("{}.{key}", area.name), value)),
                }
            }
        }
        all
    }

    fn names(value: &Value) -> Vec<String> {
        let text = value.as_str().or_else(|| value.get("other").and_then(Value::as_str)).unwrap();
        let mut names: Vec<String> =
            text.split('{').skip(1).map(|part| part.split('}').next().unwrap().to_owned()).collect();
        names.sort();
        names.dedup();
        names
    }

    #[test]
    fn english_and_dutch_say_the_same_things() {
        let (english, dutch) = (tables(|area| area.en), tables(|area| area.nl));
        let missing = |a: &BTreeMap<String, Value>, b: &BTreeMap<String, Value>| {
            a.keys().filter(|key| !b.contains_key(*key)).cloned().collect::<Vec<_>>()
        };
        assert_eq!(missing(&english, &dutch), Vec::<String>::new(), "missing in Dutch");
        assert_eq!(missing(&dutch, &english), Vec::<String>::new(), "missing in English");
        for (key, value) in &english {
            assert_eq!(names(value), names(&dutch[key]), "arguments of {key}");
        }
    }

    /// Words of a text outside of names in braces and of what is quoted.
    fn words(text: &str) -> Vec<String> {
        let mut plain = String::new();
        let mut depth = 0_u32;
        for letter in text.chars() {
            match letter {
                '{' | '“' => depth += 1,
                '}' | '”' => depth = depth.saturating_sub(1),
                _ if depth == 0 => plain.push(letter),
                _ => {}
            }
        }
        plain
            .split(|letter: char| !letter.is_alphabetic())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect()
    }

    #[test]
    fn dutch_is_not_left_in_english() {
        /// Words that only English has, `and` and `not` of filters aside.
        const ENGLISH: [&str; 14] = [
            "the", "with", "from", "this", "that", "which", "are", "has", "have", "will", "what", "when", "than", "its",
        ];
        fn said(value: &Value) -> Vec<&str> {
            match value {
                Value::String(text) => vec![text.as_str()],
                Value::Table(forms) => forms.values().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            }
        }
        let (english, dutch) = (tables(|area| area.en), tables(|area| area.nl));
        let mut left = Vec::new();
        for (key, value) in &dutch {
            let (here, there) = (said(value), said(&english[key]));
            for text in &here {
                let words = words(text);
                if words.iter().any(|word| ENGLISH.contains(&word.as_str())) || words.len() > 2 && there.contains(text)
                {
                    left.push(format!("{key}: {text}"));
                }
            }
        }
        assert_eq!(left, Vec::<String>::new());
    }

    #[test]
    fn a_language_by_file_falls_back_to_english() {
        let file = "[common]\nnone = 'Нет'\n[common.language]\nname = 'Русский'\nthousands = ' '\ndecimal = ','\n";
        let catalogue = Catalogue::new(&[("ru".to_owned(), file.to_owned()), ("xx".to_owned(), "= broken".to_owned())]);
        assert_eq!(catalogue.languages().len(), 3);
        let words = catalogue.choose(Some("ru"), None);
        assert_eq!(words.name, "Русский");
        assert_eq!(words.count(1_234_567), "1 234 567");
        assert_eq!(words.find("common.none", &[]).as_deref(), Some("Нет"));
        assert_eq!(words.find("common.search", &[]), catalogue.choose(None, None).find("common.search", &[]));
    }

    #[test]
    fn languages_are_negotiated() {
        let catalogue = Catalogue::new(&[]);
        assert_eq!(catalogue.choose(None, Some("de, nl-BE;q=0.8, en;q=0.5")).tag, "nl");
        assert_eq!(catalogue.choose(Some("en"), Some("nl")).tag, "en");
        assert_eq!(catalogue.choose(Some("tlh"), Some("xx, *;q=0")).tag, "en");
    }

    #[test]
    fn plural_categories_follow_the_language() {
        assert_eq!([category("en", 0), category("en", 1), category("en", 2)], ["other", "one", "other"]);
        assert_eq!(
            [category("fr", 0), category("ja", 1), category("pl", 22), category("pl", 12)],
            ["one", "other", "few", "many"]
        );
        assert_eq!([category("ru", 21), category("ru", 11), category("cs", 3)], ["one", "many", "few"]);
    }
}
