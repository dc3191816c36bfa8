mod properties;

use std::{collections::BTreeMap, net::IpAddr};

use jiff::Timestamp;
use uuid::Uuid;

use super::{computers::Field as C, updates::Field as U, *};

/// Values by name of the field, as they are written; every type is read of them.
#[derive(Default)]
struct Sample(BTreeMap<&'static str, Vec<String>>);

impl Sample {
    fn of(values: &[(&'static str, &str)]) -> Self {
        let mut sample = Self::default();
        for (name, value) in values {
            sample.0.entry(name).or_default().push((*value).to_owned());
        }
        sample
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(|values| values.first()).map(String::as_str)
    }
}

impl<F: Field> Facts<F> for Sample {
    fn flag(&self, field: F) -> bool {
        self.first(field.spec().name) == Some("true")
    }

    fn number(&self, field: F) -> Option<u64> {
        self.first(field.spec().name)?.parse().ok()
    }

    fn instant(&self, field: F) -> Option<Timestamp> {
        self.first(field.spec().name)?.parse().ok()
    }

    fn any_text(&self, field: F, each: &mut dyn FnMut(&str) -> bool) -> bool {
        self.0.get(field.spec().name).into_iter().flatten().any(|text| each(&text.to_lowercase()))
    }

    fn words(&self, field: F) -> Words {
        let words = self.0.get(field.spec().name).into_iter().flatten();
        words.fold(Words::default(), |all, word| all.with(Words::of(field.spec().kind, word)))
    }

    fn version(&self, field: F) -> Option<Version> {
        Version::read(self.first(field.spec().name)?)
    }

    fn any_address(&self, field: F, each: &mut dyn FnMut(IpAddr) -> bool) -> bool {
        self.first(field.spec().name).and_then(|text| text.parse().ok()).is_some_and(each)
    }
}

fn now() -> Timestamp {
    "2026-03-31T12:00:00Z".parse().expect("time")
}

fn update(text: &str) -> UpdateExpression {
    Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn computer(text: &str) -> ComputerExpression {
    Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn error(text: &str) -> String {
    UpdateExpression::parse(text).expect_err(text).to_string()
}

fn windows() -> Sample {
    Sample::of(&[
        ("title", "2019-09 Cumulative Update"),
        ("product", "Windows 10"),
        ("product", "Windows Server 2019"),
        ("needed", "3"),
        ("type", "software"),
        ("severity", "important"),
        ("custom_severity", "none"),
        ("kb", "4512578"),
        ("size", "10000000"),
        ("released", "2026-03-01T12:00:00Z"),
        ("architecture", "x64"),
        ("architecture", "arm64"),
        ("id", "5cc25303-143f-40f3-a2ff-803a1db69955"),
    ])
}

#[test]
fn terms_are_joined_with_the_usual_precedence() {
    let sample = windows();
    for text in [
        "type = software and needed > 0 and title ~ \"cumulative update\"",
        "TYPE = Software AND NOT declined",
        "declined or needed = 3",
        "declined and needed = 9 or title ~ update",
        "(declined or needed >= 3) and product = \"windows server 2019\"",
        "product ~ server",
        "declined = false",
        "declined != true",
        "not (declined or needed < 3)",
        "not not needed = 3",
    ] {
        assert!(update(text).accepts(&sample, now()), "{text}");
    }
    for text in [
        "declined",
        "needed < 3",
        "product = windows",
        "product != \"Windows 10\"",
        "not needed <= 3",
        "declined and (needed = 9 or title ~ update)",
    ] {
        assert!(!update(text).accepts(&sample, now()), "{text}");
    }
}

#[test]
fn every_type_has_its_comparisons() {
    let sample = windows();
    let holds = [
        "severity >= moderate and severity < critical",
        "severity in (important, critical)",
        "custom_severity is empty and severity is not empty",
        "kb = KB4512578 and kb ~ 4512 and kb not in (1, 2)",
        "article in 4512578",
        "size = 10 MB and size < 10MiB and size > \"9.5 MB\" and size <= 10000000",
        "released < 31 days and released > 4 weeks and released >= 2026-03-01 and released <= 2026-03-01",
        "released = 2026-03-01 and released != 2026-03-02 and released < 2026-03-02 and released > 2026-02-28",
        "created > 2026-03-01T11:00:00Z and created < 2026-03-01T14:00:00+01:00",
        "released < 1 month or released > 29 days",
        "architecture = amd64 and architecture in (arm64, x86) and architecture != itanium",
        "id = 5CC25303-143F-40F3-A2FF-803A1DB69955",
        "title !~ preview and title is not empty and description is empty and supersedes is empty",
        "product in (\"windows 10\", \"x, y\")",
        "type ~ soft and severity ~ import and severity !~ crit",
    ];
    for text in holds {
        assert!(update(text).accepts(&sample, now()), "{text}: {}", update(text).explain(&sample, now()));
    }
    let sample = Sample::of(&[
        ("os_version", "10.0.19045.3"),
        ("ip", "10.1.0.20"),
        ("build", "19045"),
        ("last_scan", "2026-01-31T12:00:00Z"),
    ]);
    for text in [
        "os_version < 10.0.19046 and os_version > 9 and os_version = 10.0.19045 and os_version != 10.0.19045.4",
        "os_version <= 10.0.19045 and not os_version < 10.0.19045 and os_version < 10.0.19045.30",
        "ip in 10.1.0.0/16 and ip = 10.1.0.5-10.1.0.80 and ip in (fe80::/10, 10.1.0.20)",
        "ip in (10.1.0.0 - 10.1.0.20) and ip not in (10.1.0.21 -10.2.0.0, 10.0.0.0- 10.1.0.19)",
        "ip = ::ffff:10.1.0.0/112",
        "build >= 19041 and last_scan > 1 month and last_scan <= 2 months",
    ] {
        assert!(computer(text).accepts(&sample, now()), "{text}: {}", computer(text).explain(&sample, now()));
    }
}

#[test]
fn what_is_not_known_compares_as_false() {
    let nobody = Sample::default();
    for text in ["build < 9", "build >= 9", "last_scan > 1 day", "last_scan < 1 day", "ip in ::/0", "os_version > 1"] {
        assert!(!computer(text).accepts(&nobody, now()), "{text}");
        assert!(computer(&format!("not {text}")).accepts(&nobody, now()), "not {text}");
    }
    assert!(computer("build != 9 and build is empty and name !~ x and last_scan is empty").accepts(&nobody, now()));
}

#[test]
fn values_in_quotes_may_hold_quotes() {
    let sample = Sample::of(&[("title", r#"a "b" \c"#)]);
    let expression = update(r#"title = "a \"b\" \\c""#);
    assert!(expression.accepts(&sample, now()));
    assert_eq!(expression.to_string(), r#"title = "a \"b\" \\c""#);
}

#[test]
fn mistakes_name_their_place_and_what_was_meant() {
    for (text, message) in [
        ("titel ~ x", "wrong at character 1: there is no field \"titel\"; did you mean title?"),
        ("type = soft", "wrong at character 8: type is one of category, detectoid, driver, software"),
        ("needed ~ 3", "wrong at character 1: needed is a number and cannot be searched with ~"),
        ("title < x", "wrong at character 1: title is a text and cannot be compared with <"),
        ("declined < 1", "wrong at character 1: declined cannot be compared with <"),
        ("declined = 3", "wrong at character 12: declined is true or false"),
        ("title ~ \"x", "wrong at character 9: a quote is not closed"),
        ("title = x title = y", "wrong at character 11: expected \"and\", \"or\" or the end"),
        ("(declined", "wrong at character 10: expected \")\""),
        ("needed >", "wrong at character 9: expected a value"),
        ("needed > x", "wrong at character 10: \"x\" is not a whole number"),
        ("needed > 1.5", "wrong at character 10: \"1.5\" is not a whole number"),
        ("needed > -1", "wrong at character 10: \"-1\" is not a whole number"),
        ("needed > 18446744073709551616", "wrong at character 10: \"18446744073709551616\" is not a whole number"),
        ("size > 10 XB", "wrong at character 11: expected \"and\", \"or\" or the end"),
        ("title", "wrong at character 6: expected a comparison of title, such as title = ..."),
        ("title not x", "wrong at character 11: expected \"in\""),
        ("title is x", "wrong at character 10: expected \"empty\""),
        ("kb in (1 2)", "wrong at character 10: expected \",\" or \")\""),
        ("kb in ()", "wrong at character 8: expected a value"),
        ("released = 30 days", "wrong at character 12: an age is compared with < or >, such as released < 30 days"),
        ("\u{fc}\u{fc} = 1", "wrong at character 1: there is no field \"\u{fc}\u{fc}\""),
        ("title ~ \"\u{fc}\" x", "wrong at character 13: expected \"and\", \"or\" or the end"),
    ] {
        assert_eq!(error(text), message, "{text}");
    }
    assert!(error("").contains("expected a field"));
    assert!(error("declined and !").contains("does not belong here"));
    assert!(error("released < soon").contains("expected a day such as 2026-01-31"));
    assert!(error("id = x").contains("expected a GUID"));
    assert!(error("product = \"\"").contains("is empty"));
    for wrong in
        ["ip = 10.1.0.0/33", "ip = 10.1.0.9-10.1.0.1", "ip = 1.2.3", "ip = 10.1.0.1-fe80::1", "ip = 10.1.0.0/+8"]
    {
        assert!(ComputerExpression::parse(wrong).is_err(), "{wrong}");
    }
    for wrong in ["os_version = 10.", "os_version = 1.2.3.4.5", "os_version = 10.x", "os_version = +1"] {
        assert!(ComputerExpression::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn hostile_expressions_are_bounded() {
    assert!(error(&"(".repeat(4_000)).contains("nested too deeply"));
    assert!(error(&"not ".repeat(1_000)).contains("nested too deeply"));
    assert!(error(&vec!["declined"; 300].join(" or ")).contains("more than 256 terms"));
    let values: Vec<String> = (0..300).map(|at| at.to_string()).collect();
    assert!(error(&format!("needed in ({})", values.join(","))).contains("more than 256 terms"));
    assert!(error(&"x".repeat(5_000)).contains("at most 4096 characters"));
    // short as it was written, too long as it would be kept
    let long = format!("title~{}", vec!["x"; 200].join(" or title~"));
    assert!(long.len() < LONGEST && UpdateExpression::parse(&long).is_ok());
    let longer = format!("description~{}", vec!["\u{fc}"; 240].join(" or description~"));
    assert!(longer.chars().count() < LONGEST);
    assert!(error(&longer).contains("at most 4096 characters"));
}

#[test]
fn the_canonical_text_is_short_and_parses_to_the_same() {
    for (text, canonical) in [
        ("DECLINED=no", "not declined"),
        ("not(not(declined))", "declined"),
        ("(declined and (expired and deployed))", "declined and expired and deployed"),
        ("declined and (expired or deployed)", "declined and (expired or deployed)"),
        ("not (expired or deployed)", "not (expired or deployed)"),
        ("required==3", "needed = 3"),
        ("not needed < 3", "not needed < 3"),
        ("kb in (KB1)", "kb = 1"),
        ("kb not in (KB1,KB1 , 2)", "kb not in (1, 2)"),
        ("title !~ Preview", "title !~ \"Preview\""),
        ("size > 1500kb", "size > 1500 kB"),
        ("size > 1048576", "size > 1 MiB"),
        ("size > 1.5 MB", "size > 1500 kB"),
        ("run_time > 2 hours", "run_time > 120 minutes"),
        ("released<30days", "released < 30 days"),
        ("released > 2026-01-01T01:00:00+01:00", "released > 2026-01-01T00:00:00Z"),
        ("description is not empty", "description is not empty"),
        ("not description is empty", "description is not empty"),
        ("architecture = AMD64", "architecture = x64"),
    ] {
        assert_eq!(update(text).to_string(), canonical, "{text}");
        assert_eq!(update(canonical), update(text), "{text}");
    }
    for (text, canonical) in [
        ("ip in 10.1.2.3/16", "ip = 10.1.0.0/16"),
        (
            "ip in (10.0.0.1-10.0.0.1, 10.0.0.0-10.0.0.3, 10.0.0.1-10.0.0.3)",
            "ip in (10.0.0.1, 10.0.0.0/30, 10.0.0.1-10.0.0.3)",
        ),
        ("ip = 0.0.0.0/0", "ip = 0.0.0.0/0"),
        ("ip = ::/0", "ip = ::/0"),
        ("ip = FE80:0::1/10", "ip = fe80::/10"),
        ("os_version >= 010.0", "os_version >= 10.0"),
        ("needs = kb5005112", "needs = 5005112"),
    ] {
        assert_eq!(computer(text).to_string(), canonical, "{text}");
        assert_eq!(computer(canonical), computer(text), "{text}");
    }
}

#[test]
fn months_are_those_of_the_calendar() {
    let accepts = |text: &str, then: &str| update(text).accepts(&Sample::of(&[("released", then)]), now());
    // a month before the 31st of March is the end of February
    assert!(accepts("released > 1 month", "2026-02-28T11:00:00Z"));
    assert!(!accepts("released > 1 month", "2026-02-28T13:00:00Z"));
    assert!(accepts("released < 1 year", "2025-03-31T12:00:01Z"));
    assert!(!accepts("released < 1 year", "2025-03-31T11:59:59Z"));
    assert!(accepts("released >= 1 year and released <= 1 year", "2025-03-31T12:00:00Z"));
}

#[test]
fn bound_expressions_ask_no_clock() {
    let expression = update("released < 30 days or not released >= 1 year");
    assert!(expression.depends().time);
    let bound = expression.bind(now());
    assert!(!bound.depends().time);
    assert_eq!(bound.to_string(), "released > 2026-03-01T12:00:00Z or not released <= 2025-03-31T12:00:00Z");
}

#[test]
fn dependencies_are_those_of_the_fields() {
    let depends = update("title ~ x and needed > 1 and group = y").depends();
    assert_eq!(depends, Depends { catalogue: true, groups: true, status: true, ..Depends::default() });
    let depends = computer("last_scan > 30 days and collection != y").depends();
    assert_eq!(depends, Depends { contact: true, membership: true, time: true, ..Depends::default() });
    assert_eq!(computer("last_scan > 2026-01-01").depends(), Depends { contact: true, ..Depends::default() });
}

#[test]
fn explanations_name_the_terms_that_decided() {
    let sample = windows();
    let explain = |text: &str| update(text).explain(&sample, now());
    let reason = |term: &str, holds, value: &str| Reason { term: term.to_owned(), holds, value: value.to_owned() };
    assert_eq!(
        explain("type = software and needed > 5 and declined"),
        Explanation { holds: false, reasons: vec![reason("needed > 5", false, "needed is 3")] }
    );
    assert_eq!(
        explain("declined or kb = 1 or severity > important").reasons,
        [
            reason("declined", false, "declined is false"),
            reason("kb = 1", false, "kb is \"4512578\""),
            reason("severity > important", false, "severity is important"),
        ]
    );
    let held = explain("declined or needed > 1 or title ~ x");
    assert_eq!(held, Explanation { holds: true, reasons: vec![reason("needed > 1", true, "needed is 3")] });
    let negated = explain("not (needed > 1 and type = software)");
    assert!(!negated.holds);
    assert_eq!(negated.reasons.len(), 2);
    assert_eq!(explain("description ~ x").to_string(), "description ~ \"x\" does not hold: description is empty");
}

struct Book;

impl Names<U> for Book {
    fn ids(&self, field: U, folded: &str) -> Vec<Uuid> {
        match (field, folded) {
            (U::Product, "windows 10" | "win 10") => vec![Uuid::from_u128(10)],
            (U::Product, "twice") => vec![Uuid::from_u128(1), Uuid::from_u128(2)],
            _ => Vec::new(),
        }
    }

    fn name(&self, field: U, id: Uuid) -> Option<String> {
        match (field, id.as_u128()) {
            (U::Product, 10) => Some("Windows 10".to_owned()),
            (U::Product, 1 | 2) => Some("Twice".to_owned()),
            _ => None,
        }
    }

    fn all(&self, _: U) -> Vec<String> {
        vec!["Windows 10".to_owned(), "Twice".to_owned()]
    }

    fn knows(&self, field: U) -> bool {
        field == U::Product
    }
}

#[test]
fn names_become_ids_and_names_again() {
    let expression =
        update("product in (\"WINDOWS 10\", \"Win 10\") and product ~ server and classification = Updates");
    let resolved = expression.resolve(&Book).expect("known");
    assert_eq!(
        resolved.expression.to_string(),
        "product = 00000000-0000-0000-0000-00000000000a and product ~ \"server\" and classification = \"Updates\""
    );
    assert_eq!(resolved.by_text, ["product ~ \"server\""]);
    assert_eq!(
        resolved.expression.with_names(&Book).to_string(),
        "product = \"Windows 10\" and product ~ \"server\" and classification = \"Updates\""
    );
    // a name that two things have is not one of either
    let twice = update("product = 00000000-0000-0000-0000-000000000001");
    assert_eq!(twice.with_names(&Book), twice);

    let errors = update("product = Twice and product = \"Windows 1o\"").resolve(&Book).expect_err("wrong");
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(texts[0].starts_with("2 things are called \"Twice\"; give the id for product: 0000"), "{texts:?}");
    assert_eq!(texts[1], "there is no product \"Windows 1o\"; did you mean \"Windows 10\"?");
}

#[test]
fn names_of_fields_are_unique_and_tables_complete() {
    fn check<F: Field>() {
        let mut names: Vec<&str> = Vec::new();
        for field in F::all() {
            let spec = field.spec();
            names.push(spec.name);
            names.extend(spec.aliases);
            assert!(!spec.meaning.is_empty() && !spec.kind.operators().is_empty() && !spec.kind.words().is_empty());
            assert_eq!(F::named(&spec.name.to_uppercase()), Some(*field));
            assert!(!["and", "or", "not", "in", "is", "empty"].contains(&spec.name));
            if let Kind::Words { words, also, .. } = spec.kind {
                assert!(words.len() <= 32 && also.iter().all(|(_, word)| words.contains(word)));
            }
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        let listed: Vec<&str> = F::all().iter().map(|field| field.spec().name).collect();
        assert!(listed.is_sorted(), "{listed:?}");
    }
    check::<U>();
    check::<C>();
}

#[test]
fn several_expressions_are_joined_within_the_bounds() {
    let joined = Expression::all_of([update("declined or expired"), update("needed > 1 and deployed")]).expect("fits");
    assert_eq!(joined.expect("some").to_string(), "(declined or expired) and needed > 1 and deployed");
    assert_eq!(UpdateExpression::all_of([]), Ok(None));
    let long = update(&vec!["declined"; 200].join(" or "));
    assert!(Expression::all_of([long.clone(), long]).is_err());
}

#[test]
fn parts_that_must_all_hold_are_told_apart() {
    let parts = |text: &str| {
        let expression: ComputerExpression = Expression::parse(text).expect("it can be read");
        expression.conjuncts().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        parts("server and needed > 0 and (workstation or plain_http)"),
        ["server", "needed > 0", "workstation or plain_http"]
    );
    assert_eq!(parts("server or workstation"), ["server or workstation"]);
    assert_eq!(parts("not (server and plain_http)"), ["not (server and plain_http)"]);
}
