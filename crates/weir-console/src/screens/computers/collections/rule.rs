//! A rule as rows: conditions in groups, of which all or any must hold. What rows cannot say stays text.
//!
//! REST reads and judges the text; rows are only a way to write it.

use super::parse;

/// How conditions are joined.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Join {
    /// Every one holds.
    #[default]
    All,
    /// One at least holds.
    Any,
}

impl Join {
    /// Its value in forms.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
        }
    }

    /// The way of a value of a form.
    pub(super) fn of(key: &str) -> Self {
        if key == "any" { Self::Any } else { Self::All }
    }

    fn word(self) -> &'static str {
        match self {
            Self::All => " and ",
            Self::Any => " or ",
        }
    }
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Operator {
    /// `=`.
    #[default]
    Equal,
    /// `!=`.
    Other,
    /// `~`.
    Contains,
    /// `!~`.
    Lacks,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `in`.
    In,
    /// `not in`.
    NotIn,
    /// `is empty`.
    Empty,
    /// `is not empty`.
    NotEmpty,
    /// A flag that is set.
    Yes,
    /// A flag that is not.
    No,
}

impl Operator {
    /// All, in the order in which they are offered.
    pub(super) const ALL: [Self; 14] = [
        Self::Equal,
        Self::Other,
        Self::Contains,
        Self::Lacks,
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::In,
        Self::NotIn,
        Self::Empty,
        Self::NotEmpty,
        Self::Yes,
        Self::No,
    ];

    /// Its value in forms, and its word among the texts.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Other => "not_equal",
            Self::Contains => "contains",
            Self::Lacks => "lacks",
            Self::Less => "less",
            Self::LessOrEqual => "less_or_equal",
            Self::Greater => "greater",
            Self::GreaterOrEqual => "greater_or_equal",
            Self::In => "in",
            Self::NotIn => "not_in",
            Self::Empty => "empty",
            Self::NotEmpty => "not_empty",
            Self::Yes => "yes",
            Self::No => "no",
        }
    }

    /// The operator of a value of a form.
    pub(super) fn of(key: &str) -> Self {
        Self::ALL.into_iter().find(|operator| operator.key() == key).unwrap_or_default()
    }

    /// Its negation, where negating is the same: what is not known is neither smaller nor larger.
    pub(super) fn negated(self) -> Option<Self> {
        Some(match self {
            Self::Equal => Self::Other,
            Self::Other => Self::Equal,
            Self::Contains => Self::Lacks,
            Self::Lacks => Self::Contains,
            Self::In => Self::NotIn,
            Self::NotIn => Self::In,
            Self::Empty => Self::NotEmpty,
            Self::NotEmpty => Self::Empty,
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => return None,
        })
    }

    /// It stands between a field and a value.
    pub(super) fn takes_value(self) -> bool {
        !matches!(self, Self::Empty | Self::NotEmpty | Self::Yes | Self::No)
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Other => "!=",
            Self::Contains => "~",
            Self::Lacks => "!~",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::NotIn => "not in",
            Self::Empty => "is empty",
            Self::NotEmpty => "is not empty",
            Self::Yes | Self::No => "",
        }
    }
}

/// A condition. Of `In` and `NotIn` the value is a list with commas.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Row {
    pub(super) field: String,
    pub(super) operator: Operator,
    pub(super) value: String,
}

/// Conditions that belong together.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Group {
    pub(super) join: Join,
    pub(super) rows: Vec<Row>,
}

/// A rule.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Rows {
    pub(super) join: Join,
    pub(super) groups: Vec<Group>,
}

impl Rows {
    /// The rows that say the same as a text; none if rows cannot, or the text cannot be read.
    pub(super) fn of(text: &str) -> Option<Self> {
        if text.trim().is_empty() { Some(Self::default()) } else { parse::parse(text).and_then(parse::Node::rows) }
    }

    /// The text. Rows without a field do not count; the error is the number of the first one, from 1, that lacks its value.
    pub(super) fn text(&self) -> Result<String, usize> {
        let mut number = 0_usize;
        let mut groups: Vec<(Join, Vec<String>)> = Vec::new();
        for group in &self.groups {
            let mut terms = Vec::new();
            for row in &group.rows {
                number += 1;
                if !row.field.is_empty() {
                    terms.push(row.text().ok_or(number)?);
                }
            }
            if !terms.is_empty() {
                groups.push((group.join, terms));
            }
        }
        let alone = groups.len() == 1;
        let part = |(join, terms): &(Join, Vec<String>)| {
            let text = terms.join(join.word());
            // "and" binds more tightly than "or"
            let needs = !alone && terms.len() > 1 && *join == Join::Any && self.join == Join::All;
            if needs { format!("({text})") } else { text }
        };
        Ok(groups.iter().map(part).collect::<Vec<_>>().join(self.join.word()))
    }
}

impl Row {
    fn text(&self) -> Option<String> {
        // names of fields go in as they are: only what can be one
        let field: String = self.field.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let sign = self.operator.sign();
        let value = self.value.trim();
        Some(match self.operator {
            Operator::Yes => field,
            Operator::No => format!("not {field}"),
            Operator::Empty | Operator::NotEmpty => format!("{field} {sign}"),
            _ if value.is_empty() => return None,
            Operator::In | Operator::NotIn => {
                let values: Vec<String> = items(value).iter().map(|value| written(value)).collect();
                format!("{field} {sign} ({})", values.join(", "))
            }
            _ => format!("{field} {sign} {}", written(value)),
        })
    }
}

/// The values of a list: between commas, in quotes where a value has one itself.
fn items(list: &str) -> Vec<String> {
    let (mut items, mut item, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for c in list.chars() {
        match c {
            c if escaped => {
                item.push(c);
                escaped = false;
            }
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => items.push(std::mem::take(&mut item)),
            c => item.push(c),
        }
    }
    items.push(item);
    items.into_iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

/// A list as [`items`] reads it.
pub(super) fn listed(values: &[String]) -> String {
    let item = |value: &String| {
        if value.contains([',', '"', '\\']) || value.trim() != value { quoted(value) } else { value.clone() }
    };
    values.iter().map(item).collect::<Vec<_>>().join(", ")
}

/// A value in the expression: as it is if that is read as one word, else in quotes.
fn written(value: &str) -> String {
    const KEYWORDS: [&str; 6] = ["and", "or", "not", "in", "is", "empty"];
    let plain = value.chars().all(|c| c.is_ascii_alphanumeric() || "._:/-".contains(c));
    let age = value.split_once(' ').is_some_and(|(count, unit)| {
        !count.is_empty()
            && count.bytes().all(|byte| byte.is_ascii_digit())
            && ["minutes", "hours", "days", "weeks", "months", "years"].contains(&unit)
    });
    let keyword = KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(value));
    if age || (plain && !keyword && !value.is_empty()) { value.to_owned() } else { quoted(value) }
}

fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(field: &str, operator: Operator, value: &str) -> Row {
        Row { field: field.to_owned(), operator, value: value.to_owned() }
    }

    #[test]
    fn rows_are_written_as_the_language_has_it() {
        let rows = Rows {
            join: Join::All,
            groups: vec![
                Group {
                    join: Join::Any,
                    rows: vec![
                        row("os", Operator::Contains, "server 2022"),
                        row("role", Operator::In, "server, domain_controller"),
                    ],
                },
                Group { join: Join::All, rows: vec![row("ip", Operator::Equal, "10.0.0.0/8"), Row::default()] },
                Group {
                    join: Join::All,
                    rows: vec![row("last_contact", Operator::Less, "30 days"), row("server", Operator::No, "")],
                },
            ],
        };
        let text = rows.text().unwrap();
        assert_eq!(
            text,
            "(os ~ \"server 2022\" or role in (server, domain_controller)) and ip = 10.0.0.0/8 and last_contact < 30 days and not server"
        );
        assert_eq!(Rows::of(&text).unwrap().text().unwrap(), text);
    }

    #[test]
    fn values_cannot_leave_their_place() {
        let rows = Rows {
            join: Join::All,
            groups: vec![Group { join: Join::All, rows: vec![row("name", Operator::Equal, "a\" or server or \"\\")] }],
        };
        let text = rows.text().unwrap();
        assert_eq!(text, "name = \"a\\\" or server or \\\"\\\\\"");
        assert_eq!(Rows::of(&text).unwrap(), rows);
        let hostile = Rows {
            join: Join::All,
            groups: vec![Group { join: Join::All, rows: vec![row("server) or (x", Operator::Yes, "")] }],
        };
        assert_eq!(hostile.text().unwrap(), "serverorx");
        assert_eq!(
            Rows {
                join: Join::All,
                groups: vec![Group { join: Join::All, rows: vec![row("name", Operator::Equal, " ")] }]
            }
            .text(),
            Err(1)
        );
    }

    #[test]
    fn lists_keep_their_commas() {
        let values = ["a, b".to_owned(), "c\"d".to_owned(), "e".to_owned()];
        assert_eq!(items(&listed(&values)), values);
        assert_eq!(items(" a,, b ,"), ["a", "b"]);
    }
}
