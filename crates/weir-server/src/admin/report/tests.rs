use super::*;

#[test]
fn every_report_of_the_registry_is_made() {
    let text = include_str!("mod.rs");
    let made = text.split("fn answer").nth(1).expect("the function").split("\n}\n").next().expect("its end");
    for report in REPORTS {
        assert!(made.contains(&format!("\"{}\"", report.number)), "nobody makes {}", report.number);
    }
}

#[test]
fn reports_are_known_by_id_in_any_case() {
    assert_eq!(named(" Service-Level-Breaches").map(|report| report.number).expect("known"), "F4");
    assert!(named("nothing").is_err());
}

#[test]
fn limits_and_formats_are_bounded() {
    assert_eq!(limit(None, ROWS).expect("default"), 1_000);
    assert!(limit(Some(0), ROWS).is_err() && limit(Some(MOST_ROWS + 1), ROWS).is_err());
    assert_eq!(format("CSV").expect("known"), Format::Csv);
    assert!(format("pdf").is_err());
}
