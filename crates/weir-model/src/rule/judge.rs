//! What the criteria of a rule say of an update, in few different texts.

use jiff::Timestamp;

use crate::expression::{Facts, Node, UpdateExpression, updates::Field};

/// Characters of a reason.
const LONGEST: usize = 400;

/// Criteria, taken apart for one evaluation at one moment. Texts are made once, not for each update: of an update that is
/// left out the reason is the first part that does not hold, of one that matches each part, and of alternatives the first
/// that holds.
#[derive(Clone, Debug)]
pub struct Judge {
    parts: Vec<Part>,
    now: Timestamp,
}

#[derive(Clone, Debug)]
struct Part {
    node: Node<Field>,
    text: String,
    alternatives: Vec<(Node<Field>, String)>,
}

impl Judge {
    /// `shown` is the same expression as people read it, with names in the place of ids.
    pub fn new(criteria: &UpdateExpression, shown: &UpdateExpression, now: Timestamp) -> Self {
        let bound = criteria.bind(now);
        let single = |root: &Node<Field>| match root {
            Node::All(parts) => parts.clone(),
            other => vec![other.clone()],
        };
        let parts = single(bound.root()).into_iter().zip(single(shown.root())).map(|(node, shown)| {
            let alternatives = match (&node, &shown) {
                (Node::Any(nodes), Node::Any(shown)) => {
                    nodes.iter().cloned().zip(shown.iter().map(|part| text(part, true))).collect()
                }
                _ => Vec::new(),
            };
            Part { node, text: text(&shown, true), alternatives }
        });
        Self { parts: parts.collect(), now }
    }

    /// Whether the criteria hold for an update, and the reason.
    pub fn verdict(&self, facts: &dyn Facts<Field>) -> Result<String, String> {
        let mut reason = String::new();
        for part in &self.parts {
            let text = if part.alternatives.is_empty() {
                if !holds(&part.node, facts, self.now) {
                    return Err(format!("not so: {}", part.text));
                }
                &part.text
            } else {
                match part.alternatives.iter().find(|(node, _)| holds(node, facts, self.now)) {
                    Some((_, text)) => text,
                    None => return Err(format!("not so: {}", part.text)),
                }
            };
            if !reason.is_empty() {
                reason.push_str(" and ");
            }
            reason.push_str(text);
        }
        Ok(cut(reason))
    }
}

fn holds(node: &Node<Field>, facts: &dyn Facts<Field>, now: Timestamp) -> bool {
    match node {
        Node::All(parts) => parts.iter().all(|part| holds(part, facts, now)),
        Node::Any(parts) => parts.iter().any(|part| holds(part, facts, now)),
        Node::Not(inner) => !holds(inner, facts, now),
        Node::Term(term) => term.holds(facts, now),
    }
}

fn text(node: &Node<Field>, inside: bool) -> String {
    let join =
        |parts: &[Node<Field>], word: &str| parts.iter().map(|part| text(part, true)).collect::<Vec<_>>().join(word);
    cut(match node {
        Node::All(parts) => join(parts, " and "),
        Node::Any(parts) if inside => format!("({})", join(parts, " or ")),
        Node::Any(parts) => join(parts, " or "),
        Node::Not(inner) => format!("not ({})", text(inner, false)),
        Node::Term(term) => term.to_string(),
    })
}

fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}\u{2026}", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::expression::{Reference, Words};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn now() -> Timestamp {
        at("2026-11-30T12:00:00Z")
    }

    /// An update that has these values and nothing else.
    #[derive(Default)]
    struct Sample {
        flags: Vec<Field>,
        numbers: Vec<(Field, u64)>,
        released: Option<Timestamp>,
        texts: Vec<(Field, &'static str)>,
        words: Vec<(Field, &'static str)>,
    }

    impl Facts<Field> for Sample {
        fn flag(&self, field: Field) -> bool {
            self.flags.contains(&field)
        }

        fn number(&self, field: Field) -> Option<u64> {
            self.numbers.iter().find(|(known, _)| *known == field).map(|(_, number)| *number)
        }

        fn instant(&self, field: Field) -> Option<Timestamp> {
            self.released.filter(|_| matches!(field, Field::Released | Field::Revised))
        }

        fn any_text(&self, field: Field, each: &mut dyn FnMut(&str) -> bool) -> bool {
            self.texts.iter().filter(|(known, _)| *known == field).any(|(_, text)| each(text))
        }

        fn words(&self, field: Field) -> Words {
            use crate::expression::Field as _;
            let found = self.words.iter().filter(|(known, _)| *known == field);
            found.fold(Words::default(), |words, (_, word)| words.with(Words::of(field.spec().kind, word)))
        }

        fn is(&self, field: Field, thing: &Reference) -> bool {
            let wanted = match thing {
                Reference::Id(id) => id.to_string(),
                Reference::Name(name) => name.folded().to_owned(),
            };
            self.any_text(field, &mut |text| text == wanted)
        }
    }

    fn judge(text: &str) -> Judge {
        let criteria = UpdateExpression::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        Judge::new(&criteria, &criteria, now())
    }

    fn matches(text: &str, sample: &Sample) -> bool {
        judge(text).verdict(sample).is_ok()
    }

    /// Every window that ADR-2 lists, on both sides of its edge.
    #[test]
    fn every_date_window_ends_where_it_says() {
        let hours =
            [1, 2, 3, 4, 8, 12, 16, 20].map(|hours| (format!("{hours} hours"), SignedDuration::from_hours(hours)));
        let days = [1, 2, 3, 4, 5, 6, 7, 14, 21, 28, 30, 60, 90]
            .map(|days| (format!("{days} days"), SignedDuration::from_hours(24 * days)));
        for (window, span) in hours.into_iter().chain(days) {
            let released = |past: SignedDuration| Sample { released: Some(now() - past), ..Sample::default() };
            let (inside, outside) = (span - SignedDuration::from_secs(1), span + SignedDuration::from_secs(1));
            assert!(matches(&format!("released < {window}"), &released(inside)), "last {window}");
            assert!(!matches(&format!("released < {window}"), &released(outside)), "last {window}");
            assert!(matches(&format!("released > {window}"), &released(outside)), "older than {window}");
            assert!(!matches(&format!("released > {window}"), &released(inside)), "older than {window}");
        }
        // months and years are those of the calendar
        for (window, edge) in [
            ("1 month", "2026-10-30T12:00:00Z"),
            ("2 months", "2026-09-30T12:00:00Z"),
            ("3 months", "2026-08-30T12:00:00Z"),
            ("4 months", "2026-07-30T12:00:00Z"),
            ("5 months", "2026-06-30T12:00:00Z"),
            ("6 months", "2026-05-30T12:00:00Z"),
            ("7 months", "2026-04-30T12:00:00Z"),
            ("8 months", "2026-03-30T12:00:00Z"),
            ("9 months", "2026-02-28T12:00:00Z"),
            ("10 months", "2026-01-30T12:00:00Z"),
            ("11 months", "2025-12-30T12:00:00Z"),
            ("12 months", "2025-11-30T12:00:00Z"),
            ("1 year", "2025-11-30T12:00:00Z"),
        ] {
            let second = SignedDuration::from_secs(1);
            let (inside, outside) = (at(edge) + second, at(edge) - second);
            let sample = |released| Sample { released: Some(released), ..Sample::default() };
            assert!(matches(&format!("released < {window}"), &sample(inside)), "last {window}");
            assert!(!matches(&format!("released < {window}"), &sample(outside)), "last {window}");
            assert!(matches(&format!("released > {window}"), &sample(outside)), "older than {window}");
        }
        // what does not say when it was released is in no window
        assert!(!matches("released < 1 year", &Sample::default()));
        assert!(!matches("released > 30 days", &Sample::default()));
    }

    /// Every property that ADR-2 lists can be asked for, and excluded.
    #[test]
    fn every_property_is_there() {
        let sample = Sample {
            flags: vec![Field::Superseded, Field::Deployed],
            numbers: vec![(Field::Size, 5_000_000), (Field::Needed, 7)],
            released: Some(at("2026-11-29T12:00:00Z")),
            texts: vec![
                (Field::Kb, "5005112"),
                (Field::Bulletin, "ms17-010"),
                (Field::Description, "a security issue"),
                (Field::Language, "de"),
                (Field::Product, "windows 11"),
                (Field::Tag, "uup"),
                (Field::Title, "2026-11 cumulative update"),
                (Field::Classification, "security updates"),
                (Field::Vendor, "microsoft"),
            ],
            words: vec![(Field::Architecture, "x64"), (Field::CustomSeverity, "low"), (Field::Severity, "critical")],
        };
        for term in [
            "architecture = x64",
            "kb = KB5005112",
            "bulletin = MS17-010",
            "size < 10 MB",
            "custom_severity = low",
            "released < 2 days",
            "revised < 2 days",
            "deployed",
            "description ~ security",
            "language in (de, en)",
            "product in (\"Windows 11\", \"Windows 10\")",
            "required >= 5",
            "severity >= important",
            "superseded",
            "tag = uup",
            "title ~ cumulative",
            "classification = \"Security Updates\"",
            "vendor = Microsoft",
        ] {
            assert!(matches(term, &sample), "{term}");
            assert!(!matches(&format!("not {term}"), &sample), "not {term}");
        }
    }

    #[test]
    fn the_reason_is_the_part_that_decides() {
        let judge = judge("severity >= important and (title ~ server or title ~ cumulative) and not superseded");
        let mut sample = Sample { words: vec![(Field::Severity, "critical")], ..Sample::default() };
        let rest = "(title ~ \"server\" or title ~ \"cumulative\")";
        assert_eq!(judge.verdict(&sample), Err(format!("not so: {rest}")));
        sample.texts = vec![(Field::Title, "2026-11 cumulative update")];
        let good = "severity >= important and title ~ \"cumulative\" and not superseded";
        assert_eq!(judge.verdict(&sample), Ok(good.to_owned()));
        sample.flags = vec![Field::Superseded];
        assert_eq!(judge.verdict(&sample), Err("not so: not superseded".to_owned()));
        sample.words.clear();
        assert_eq!(judge.verdict(&sample), Err("not so: severity >= important".to_owned()));
    }

    #[test]
    fn templates_are_expressions_that_ask_by_id_only() {
        for template in crate::rule::templates() {
            let criteria = UpdateExpression::parse(template.criteria).expect(template.name);
            for term in criteria.terms() {
                let by_id = match &term.test {
                    crate::expression::Test::In(values) => values
                        .iter()
                        .all(|value| matches!(value, crate::expression::Value::Reference(Reference::Id(_)))),
                    _ => !matches!(term.field, Field::Product | Field::Classification),
                };
                assert!(by_id, "{}: {term}", template.name);
            }
        }
    }
}
