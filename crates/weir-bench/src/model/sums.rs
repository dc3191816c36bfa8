//! Sums that show their arithmetic: in words, in numbers, and what comes out.

use serde::Serialize;

use super::units::Named;
use crate::budgets::short;

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// What comes out.
    pub what: &'static str,
    /// The arithmetic in words.
    pub words: String,
    /// The same in numbers; none if one of them is not known.
    pub numbers: Option<String>,
    /// What it comes to; none if a number is not known.
    pub value: Option<f64>,
    /// In which unit; empty if it is a mere number.
    pub unit: &'static str,
    /// Which numbers are not known.
    pub missing: Vec<&'static str>,
}

impl Line {
    /// In two lines, for people.
    pub fn text(&self) -> [String; 2] {
        let value = self.value.map_or_else(
            || "not measured".to_owned(),
            |value| [short(value).as_str(), self.unit].join(" ").trim_end().to_owned(),
        );
        let how = match &self.numbers {
            Some(numbers) => format!("{} = {numbers}", self.words),
            None => format!("{}; missing: {}", self.words, self.missing.join(", ")),
        };
        [format!("{}: {value}", self.what), format!("    {how}")]
    }
}

/// Steps, each of which may use what those before it came to.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) lines: Vec<Line>,
}

impl Sums {
    /// Adds a step. `form` has `_` in place of each number; `of` is the same as a function.
    pub(super) fn line<const N: usize>(
        &mut self,
        what: &'static str,
        unit: &'static str,
        form: &str,
        inputs: [Named; N],
        of: impl FnOnce([f64; N]) -> f64,
    ) -> Named {
        let missing: Vec<&'static str> =
            inputs.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
        let numbers = inputs.map(|(_, value)| value.unwrap_or_default());
        let value = missing.is_empty().then(|| of(numbers)).filter(|value| value.is_finite());
        self.lines.push(Line {
            what,
            words: filled(form, inputs.iter().map(|(name, _)| (*name).to_owned())),
            numbers: value.map(|_| filled(form, numbers.iter().map(|number| short(*number)))),
            value,
            unit,
            missing,
        });
        (what, value)
    }
}

/// A form with each `_` replaced in turn.
fn filled(form: &str, mut with: impl Iterator<Item = String>) -> String {
    let mut parts = form.split('_');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(&with.next().unwrap_or_default());
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_shows_its_arithmetic() {
        let mut sums = Sums::default();
        let rate = sums.line("rate", "/s", "_ x _ / 60", [("a", Some(30.0)), ("b", Some(4.0))], |[a, b]| a * b / 60.0);
        assert_eq!(rate, ("rate", Some(2.0)));
        let none = sums.line("none", "", "_ + _", [rate, ("gap", None)], |[rate, gap]| rate + gap);
        assert_eq!(none, ("none", None));
        let texts: Vec<String> = sums.lines.iter().flat_map(Line::text).collect();
        assert_eq!(
            texts,
            ["rate: 2 /s", "    a x b / 60 = 30 x 4 / 60", "none: not measured", "    rate + gap; missing: gap"]
        );
    }

    #[test]
    fn a_division_by_nothing_is_no_figure() {
        let line = Sums::default().line("x", "", "_ / _", [("a", Some(1.0)), ("b", Some(0.0))], |[a, b]| a / b);
        assert_eq!(line, ("x", None));
    }
}
