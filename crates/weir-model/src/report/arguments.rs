//! What somebody asks of a report, checked against its parameters.

use std::collections::BTreeMap;

use super::{Parameter, ParameterKind, Report};
use crate::{
    ids::{ComputerId, UpdateId},
    nearest::nearest,
};

/// Characters of a value.
pub const LONGEST_VALUE: usize = 300;

/// A value that fits its parameter. Whether there is such a collection or deployment the server knows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Argument {
    /// One of the words of the parameter.
    Choice(&'static str),
    /// An HRESULT.
    Code(i32),
    /// A computer.
    Computer(ComputerId),
    /// A number within its bounds.
    Count(u32),
    /// A name, or a text; never empty.
    Text(String),
    /// An update.
    Update(UpdateId),
}

/// Why a report cannot be asked so.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ParameterError {
    /// A parameter that must be given is absent.
    #[error("the report {report} needs the parameter {name}: {description}")]
    Missing {
        /// The report.
        report: &'static str,
        /// The parameter.
        name: &'static str,
        /// What it means.
        description: &'static str,
    },
    /// A parameter is given twice.
    #[error("the parameter {0} is given twice")]
    Twice(&'static str),
    /// The report has no such parameter.
    #[error("the report {report} has no parameter {name:?}{}", did_you_mean(nearest.as_deref()))]
    Unknown {
        /// The report.
        report: &'static str,
        /// As given.
        name: String,
        /// The one that looks most like it.
        nearest: Option<String>,
    },
    /// A value that the parameter does not take.
    #[error("the parameter {name} is {value:?}; it must be {wanted}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// As given, shortened.
        value: String,
        /// What it takes.
        wanted: String,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

/// Everything that a report is asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Arguments {
    report: &'static Report,
    values: BTreeMap<&'static str, Argument>,
    shown: Vec<(&'static str, String)>,
}

impl Arguments {
    /// Reads what was given, by name. Defaults fill in; an empty value is none.
    pub fn read<'g>(
        report: &'static Report,
        given: impl IntoIterator<Item = (&'g str, &'g str)>,
    ) -> Result<Self, ParameterError> {
        let mut texts: BTreeMap<&'static str, &str> = BTreeMap::new();
        for (name, value) in given {
            let Some(parameter) = report.parameter(name) else {
                return Err(ParameterError::Unknown {
                    report: report.id,
                    name: name.chars().take(80).collect(),
                    nearest: nearest(name, report.parameters.iter().map(|parameter| parameter.name)),
                });
            };
            if value.trim().is_empty() {
                continue;
            }
            if texts.insert(parameter.name, value.trim()).is_some() {
                return Err(ParameterError::Twice(parameter.name));
            }
        }
        let (mut values, mut shown) = (BTreeMap::new(), Vec::new());
        for parameter in report.parameters {
            let Some(text) = texts.get(parameter.name).copied().or(parameter.default) else {
                if parameter.required {
                    let (name, description) = (parameter.name, parameter.description);
                    return Err(ParameterError::Missing { report: report.id, name, description });
                }
                continue;
            };
            values.insert(parameter.name, value(parameter, text)?);
            shown.push((parameter.name, text.to_owned()));
        }
        Ok(Self { report, values, shown })
    }

    /// Of which report.
    pub fn report(&self) -> &'static Report {
        self.report
    }

    /// What is asked, defaults included, in the order of the parameters.
    pub fn shown(&self) -> &[(&'static str, String)] {
        &self.shown
    }

    /// A name or a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.values.get(name) {
            Some(Argument::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A number.
    pub fn count(&self, name: &str) -> Option<u32> {
        match self.values.get(name) {
            Some(Argument::Count(count)) => Some(*count),
            _ => None,
        }
    }

    /// A word.
    pub fn choice(&self, name: &str) -> Option<&'static str> {
        match self.values.get(name) {
            Some(Argument::Choice(word)) => Some(word),
            _ => None,
        }
    }

    /// An error code.
    pub fn code(&self, name: &str) -> Option<i32> {
        match self.values.get(name) {
            Some(Argument::Code(code)) => Some(*code),
            _ => None,
        }
    }

    /// A computer.
    pub fn computer(&self, name: &str) -> Option<&ComputerId> {
        match self.values.get(name) {
            Some(Argument::Computer(id)) => Some(id),
            _ => None,
        }
    }

    /// An update.
    pub fn update(&self, name: &str) -> Option<UpdateId> {
        match self.values.get(name) {
            Some(Argument::Update(id)) => Some(*id),
            _ => None,
        }
    }
}

fn value(parameter: &'static Parameter, text: &str) -> Result<Argument, ParameterError> {
    let wrong =
        |wanted: String| ParameterError::Value { name: parameter.name, value: text.chars().take(80).collect(), wanted };
    if text.chars().nth(LONGEST_VALUE).is_some() || text.chars().any(char::is_control) {
        return Err(wrong(format!("at most {LONGEST_VALUE} characters in one line")));
    }
    match parameter.kind {
        ParameterKind::Choice(words) => {
            let word = words.iter().find(|word| word.eq_ignore_ascii_case(text));
            word.map(|word| Argument::Choice(word)).ok_or_else(|| wrong(format!("one of {}", words.join(", "))))
        }
        ParameterKind::Code => {
            code(text).map(Argument::Code).ok_or_else(|| wrong("an error code such as 0x80240022".to_owned()))
        }
        ParameterKind::Computer => text
            .parse()
            .map(Argument::Computer)
            .map_err(|_| wrong("the id of a computer; weir computers list shows them".to_owned())),
        ParameterKind::Count(least, most) => {
            let count = text.parse().ok().filter(|count| (least..=most).contains(count));
            count.map(Argument::Count).ok_or_else(|| wrong(format!("a whole number from {least} to {most}")))
        }
        ParameterKind::Update => text
            .parse()
            .map(Argument::Update)
            .map_err(|_| wrong("the id of an update; weir updates list shows them".to_owned())),
        ParameterKind::Collection
        | ParameterKind::Deployment
        | ParameterKind::Group
        | ParameterKind::Site
        | ParameterKind::Text => Ok(Argument::Text(text.to_owned())),
    }
}

/// An HRESULT: eight hexadecimal digits after `0x`, or a signed number.
fn code(text: &str) -> Option<i32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok().map(u32::cast_signed),
        None => text.parse().ok(),
    }
}
