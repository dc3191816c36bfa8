//! Queries: what is read, what is not, and what they find.

use proptest::prelude::*;

use super::{Comparison, Condition, Literal, MAX_NESTING, parse};
use crate::applicability::{
    GapKind, Truth,
    facts::{System, WmiValue},
    memory::{Memory, Nothing, Uncollected},
};

fn computer() -> Memory<&'static Nothing> {
    let mut computer = Memory::new(System::default());
    let text = |text: &str| WmiValue::Text(text.to_owned());
    let first = vec![
        ("Model".to_owned(), text("CF-SX4E1234")),
        ("Size".to_owned(), text("34359738369")),
        ("Count".to_owned(), WmiValue::Integer(10)),
        ("Load".to_owned(), WmiValue::Real(0.5)),
        ("Joined".to_owned(), WmiValue::Boolean(true)),
        ("Key".to_owned(), WmiValue::Null),
        ("DeviceID".to_owned(), text(r"PCI\VEN_8086&DEV_27CC")),
        ("Quote".to_owned(), text("it's \"so\"")),
    ];
    let second = vec![("Model".to_owned(), text("Vostro 1520")), ("Count".to_owned(), WmiValue::Integer(-1))];
    computer.set_wmi("root/CIMV2", "Thing", vec![first, second]);
    computer.set_wmi("root\\cimv2", "Empty", Vec::new());
    computer
}

fn letter(query: &str) -> char {
    match super::evaluate("root\\cimv2", query, &computer(), &mut 10_000) {
        Truth::False => 'f',
        Truth::True => 't',
        Truth::Unknown(gaps) => match gaps.kept()[0].kind {
            GapKind::NotCollected => 'n',
            GapKind::Unsupported => 's',
            GapKind::TooMuch => 'x',
            _ => '?',
        },
    }
}

#[test]
fn conditions_find_instances() {
    for (expected, condition) in [
        ('t', "Model = 'vostro 1520'"),
        ('f', "Model = 'Vostro 1720'"),
        ('t', "Model = \"Vostro 1720\" OR Model = \"Vostro 1520\""),
        ('f', "Model = 'Vostro 1520' AND Count = 10"),
        ('t', "Model = 'Vostro 1520' AND Count = -1"),
        ('t', "Count >= 10"),
        ('t', "Count <= '-1'"),
        ('f', "Count > 10"),
        ('t', "Count < 10.5 AND Count > 9.5"),
        ('t', "Count <> 10"),
        ('t', "Count != 10 AND NOT Count = 10"),
        ('t', "Size > 34359738368 AND Joined = TRUE"),
        ('n', "Size > 34359738369"),
        ('t', "Load = 0.5"),
        ('t', "Load < 1 AND Count = 10"),
        ('t', "Joined = True"),
        ('t', "Joined = 1"),
        ('t', "Joined <> false"),
        ('n', "Joined = FALSE"),
        ('t', "Key IS NULL"),
        ('n', "Key IS NOT NULL"),
        ('t', "Model IS NOT NULL"),
        ('f', "Model IS NULL"),
        ('n', "Key = 'x'"),
        ('s', "Key <> 'x' AND Count = 10"),
        ('s', "NOT Key LIKE 'x%' AND Count = 10"),
        ('f', "Key LIKE 'x%' AND Count = 10"),
        ('t', "NOT Model LIKE 'empty%'"),
        ('t', "Model NOT LIKE 'empty%'"),
        ('t', "not (Model like 'CF%' and Model like 'Vostro%')"),
        ('t', "(Model LIKE 'HP%'or Model LIKE 'vos%')"),
        ('n', "Unseen = 1"),
        ('t', "Unseen = 1 OR Count = 10"),
        ('f', "Unseen = 1 AND Count = 99"),
        ('s', "Joined > FALSE AND Count = 10"),
        ('s', "Model > 5 AND Count = 10"),
        ('s', "Count = 'ten'"),
        ('s', "Count LIKE '1%'"),
        ('t', r"DeviceID LIKE 'PCI\\VEN[_]8086&DEV[_]27CC%'"),
        ('t', r#"Quote = 'it\'s \"so\"'"#),
        ('t', "Quote = \"it's \\\"so\\\"\""),
    ] {
        assert_eq!(letter(&format!("SELECT * FROM Thing WHERE {condition}")), expected, "{condition}");
    }
}

#[test]
fn patterns_match() {
    for (expected, pattern) in [
        ('t', "CF-[SN]X4[EFGHJ]____"),
        ('t', "CF-[SN]X[1-4]_____"),
        ('f', "CF-[SN]X[1-3]_____"),
        ('t', "CF-[a=z]X4%"),
        ('t', "CF-[^A-R]%"),
        ('f', "CF-[^S]%"),
        ('t', "%sx%12%4"),
        ('f', "%sx%13%"),
        ('t', "%"),
        ('f', ""),
        ('f', "CF-SX4E123"),
        ('f', "CF-SX4E12345"),
        ('t', "[C]F%"),
        ('f', "[CF%"),
        // A bracket without an end, or with nothing before it, is a bracket.
        ('f', "[]CF-]%"),
    ] {
        let query = format!("SELECT Model FROM Thing WHERE Count = 10 AND Model LIKE '{pattern}'");
        assert_eq!(letter(&query), expected, "{pattern}");
    }
}

#[test]
fn other_queries_are_not_answered() {
    for query in [
        "",
        "SELECT",
        "SELECT * FROM",
        "SELECT FROM Thing",
        "SELECT * FROM Thing WHERE",
        "SELECT * FROM Thing WHERE Count",
        "SELECT * FROM Thing WHERE Count =",
        "SELECT * FROM Thing WHERE Count = NULL",
        "SELECT * FROM Thing WHERE Count = Size",
        "SELECT * FROM Thing WHERE Count = 1 OR",
        "SELECT * FROM Thing WHERE (Count = 1",
        "SELECT * FROM Thing WHERE Count = 1)",
        "SELECT * FROM Thing WHERE Count = 0x10",
        "SELECT * FROM Thing WHERE Count = 1e3",
        "SELECT * FROM Thing WHERE Count = 1.2.3",
        "SELECT * FROM Thing WHERE Model = 'open",
        "SELECT * FROM Thing WHERE Model = 'a\\n'",
        "SELECT * FROM Thing WHERE Model NOT = 'a'",
        "SELECT * FROM Thing WHERE Model ISA 'a'",
        "SELECT * FROM Thing WHERE Model.Name = 'a'",
        "SELECT * FROM Thing WHERE 1 = Count",
        "SELECT * FROM Thing, Other",
        "SELECT * FROM Thing WITHIN 5",
        "SELECT *, Model FROM Thing",
        "ASSOCIATORS OF {Thing.Model='a'}",
        "REFERENCES OF {Thing}",
        "DELETE FROM Thing",
        "SELECT * FROM Thing; SELECT * FROM Thing",
    ] {
        assert_eq!(letter(query), 's', "{query}");
    }
}

#[test]
fn classes_decide_without_a_condition() {
    assert_eq!(letter("select model , count from THING"), 't');
    assert_eq!(letter("SELECT * FROM Empty"), 'f');
    assert_eq!(letter("SELECT * FROM Nothing WHERE Unseen = 1"), 'f');
    let mut steps = 100;
    let answer = super::evaluate("root\\wmi", "SELECT * FROM Thing", &computer(), &mut steps);
    assert!(answer.is_false(), "another namespace");
    let nothing = Memory::over(&Uncollected);
    assert!(super::evaluate("root\\cimv2", "SELECT * FROM Thing", &nothing, &mut steps).known().is_none());
}

#[test]
fn the_tree_is_as_written() {
    let query = parse("SELECT a,b FROM C WHERE NOT NOT x=1 OR NOT y LIKE 'p' AND z IS NULL").expect("of the subset");
    assert_eq!((query.class.as_str(), query.properties.expect("a list").len()), ("C", 2));
    let Some(Condition::Or(parts)) = query.condition else { panic!("{:?}", query.condition) };
    let compare =
        Condition::Compare { property: "x".to_owned(), comparison: Comparison::Equal, literal: Literal::Integer(1) };
    assert_eq!(parts[0], compare);
    assert!(matches!(&parts[1], Condition::And(inside) if matches!(&inside[0], Condition::Not(_))));
}

#[test]
fn what_takes_too_much_is_unknown() {
    let nested = |depth| {
        let (open, close) = ("(".repeat(depth), ")".repeat(depth));
        format!("SELECT * FROM Thing WHERE {open}Count = 10{close}")
    };
    assert_eq!(letter(&nested(MAX_NESTING)), 't');
    assert_eq!(letter(&nested(MAX_NESTING + 1)), 'x');
    assert_eq!(letter(&nested(30_000)), 'x');
    assert_eq!(letter(&format!("SELECT * FROM Thing WHERE {}Count = 10", "NOT ".repeat(10_000))), 't');
    assert_eq!(letter(&format!("SELECT * FROM Thing WHERE Model = '{}'", "a".repeat(100_000))), 'x');
    let many = vec!["Count = 99"; 4_000].join(" OR ");
    assert_eq!(letter(&format!("SELECT * FROM Thing WHERE {many}")), 'f');
    let query = "SELECT * FROM Thing WHERE Model LIKE '%a%a%a%a%a%a%a%a%b'";
    let mut computer = computer();
    computer.set_wmi("root\\cimv2", "Thing", vec![vec![("Model".to_owned(), WmiValue::Text("a".repeat(100_000)))]]);
    let answer = super::evaluate("root\\cimv2", query, &computer, &mut 10_000);
    assert_eq!(answer.gaps()[0].kind, GapKind::TooMuch);
}

proptest! {
    #[test]
    fn no_text_is_too_strange(query in ".{0,80}", pattern in "[%_\\[\\]^a-c=-]{0,12}", text in "[a-c]{0,12}") {
        let _ = parse(&query);
        let _ = parse(&format!("SELECT * FROM T WHERE {query}"));
        let mut steps = 10_000;
        let matched = super::like::matches(&pattern, &text, &mut steps);
        prop_assert!(matched.is_some());
        // Whatever follows, a text begins with itself.
        let literal = super::like::matches(&format!("{text}%"), &format!("{text}{text}"), &mut steps);
        prop_assert_eq!(literal, Some(true));
    }
}
