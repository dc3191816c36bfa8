use super::*;

#[derive(Default)]
struct Sample {
    title: String,
    products: Vec<String>,
    needed: u64,
    declined: bool,
}

impl Facts for Sample {
    fn flag(&self, flag: Flag) -> bool {
        flag == Flag::Declined && self.declined
    }

    fn number(&self, field: NumberField) -> u64 {
        if field == NumberField::Needed { self.needed } else { 0 }
    }

    fn any_text(&self, field: TextField, each: &mut dyn FnMut(&str) -> bool) -> bool {
        match field {
            TextField::Title => each(&self.title.to_lowercase()),
            TextField::Product => self.products.iter().any(|product| each(&product.to_lowercase())),
            TextField::Type => each("software"),
            _ => false,
        }
    }
}

fn accepts(filter: &str, sample: &Sample) -> bool {
    Filter::parse(filter).expect(filter).accepts(sample)
}

fn error(filter: &str) -> String {
    Filter::parse(filter).expect_err(filter).problem().detail
}

#[test]
fn terms_are_joined_with_the_usual_precedence() {
    let sample = Sample {
        title: "2019-09 Cumulative Update".to_owned(),
        products: vec!["Windows 10".to_owned(), "Windows Server 2019".to_owned()],
        needed: 3,
        declined: false,
    };
    for filter in [
        "type = software and needed > 0 and title ~ \"cumulative update\"",
        "TYPE = Software AND NOT declined",
        "declined or needed = 3",
        "declined and needed = 9 or title ~ update",
        "(declined or needed >= 3) and product = \"windows server 2019\"",
        "product ~ server",
        "declined = false",
        "declined != true",
        "not (declined or needed < 3)",
    ] {
        assert!(accepts(filter, &sample), "{filter}");
    }
    for filter in [
        "declined",
        "needed < 3",
        "product = windows",
        "product != \"Windows 10\"",
        "not needed <= 3",
        "declined and (needed = 9 or title ~ update)",
    ] {
        assert!(!accepts(filter, &sample), "{filter}");
    }
}

#[test]
fn values_in_quotes_may_hold_quotes() {
    let sample = Sample { title: r#"a "b" \c"#.to_owned(), ..Sample::default() };
    assert!(accepts(r#"title = "a \"b\" \\c""#, &sample));
}

#[test]
fn mistakes_name_their_place_and_what_was_meant() {
    assert_eq!(
        error("titel ~ x"),
        "the filter is wrong at character 1: there is no field \"titel\"; did you mean title?"
    );
    assert_eq!(
        error("type = soft"),
        "the filter is wrong at character 8: type is one of category, detectoid, driver, software"
    );
    assert_eq!(
        error("needed ~ 3"),
        "the filter is wrong at character 1: needed is a number and cannot be searched with ~"
    );
    assert_eq!(error("title ~ \"x"), "the filter is wrong at character 9: a quote is not closed");
    assert_eq!(
        error("title = x title = y"),
        "the filter is wrong at character 11: expected \"and\", \"or\" or the end"
    );
    assert_eq!(error("(declined"), "the filter is wrong at character 10: expected \")\"");
    assert_eq!(error("needed >"), "the filter is wrong at character 9: expected a value");
    assert_eq!(
        error("title"),
        "the filter is wrong at character 6: expected a comparison of title, such as title = ..."
    );
    assert!(error("").contains("expected a field"));
    assert!(error("declined and !").contains("does not belong here"));
}

#[test]
fn hostile_filters_are_bounded() {
    assert!(error(&"(".repeat(4_000)).contains("nested too deeply"));
    assert!(error(&"not ".repeat(1_000)).contains("nested too deeply"));
    assert!(error(&vec!["declined"; 300].join(" or ")).contains("more than 256 terms"));
    assert!(error(&"x".repeat(5_000)).contains("longer than"));
}
