//! The truth table of `docs/exposure.md`: a test for each row, by its number.

use jiff::Timestamp;

use super::join::{fix, vulnerability};
use crate::{
    exposure::{
        Advisory, Article, Builder, ComputerFacts, Fix, Join, Known, OsBuild, Reason, State, Update, Verdict, judge,
    },
    status::{State as UpdateState, UpdateNumber},
};

/// Products by number.
const PRODUCTS: [&str; 6] = [
    "Windows 97 Version 31H1 for x64-based Systems",
    "Windows Server 2031",
    "Example Ledger",
    "Example Ledger for Mac",
    "Windows 98 for ARM64-based Systems",
    "Example Reader",
];
/// The release that computers run here.
const RELEASE: [u32; 3] = [10, 0, 97_001];

/// One vulnerability, `CVE-2031-0001`, beside others of its document.
fn known(fixes: Vec<Fix>, others: Vec<Fix>) -> Known {
    let products = PRODUCTS.iter().map(|&name| name.to_owned()).collect();
    let vulnerabilities = vec![vulnerability("CVE-2031-0001", fixes), vulnerability("CVE-2031-0002", others)];
    let mut builder = Builder::default();
    builder.advisory(1, Timestamp::UNIX_EPOCH, &Advisory { products, vulnerabilities });
    builder.finish()
}

/// Update 1 has article 9000001 and update 2 replaces it; 3 has 9000003; 4 has 9000004.
fn catalogue() -> Vec<Update> {
    let update = |number: u32, supersedes: &[u32]| Update {
        number: UpdateNumber(number),
        articles: vec![Article(9_000_000 + number)],
        supersedes: supersedes.iter().copied().map(UpdateNumber).collect(),
        reported: true,
    };
    vec![update(1, &[]), update(2, &[1]), update(3, &[]), update(4, &[])]
}

struct Case {
    known: Known,
    states: Vec<(u32, UpdateState)>,
    os: Option<OsBuild>,
    reported: bool,
}

fn case(fixes: Vec<Fix>, states: &[(u32, UpdateState)]) -> Case {
    Case {
        known: known(fixes, Vec::new()),
        states: states.to_vec(),
        os: Some(OsBuild { release: RELEASE, revision: None }),
        reported: true,
    }
}

impl Case {
    fn verdict(&self) -> Verdict {
        let join = Join::new(&self.known, &catalogue());
        let state = |update: UpdateNumber| {
            let found = self.states.iter().find(|(number, _)| *number == update.0);
            found.map_or(Unknown, |(_, state)| *state)
        };
        let vulnerability = self.known.vulnerabilities.values().next().expect("one");
        judge(
            &self.known,
            self.known.shape_of(vulnerability),
            &join,
            &ComputerFacts { reported: self.reported, os: self.os, state: &state },
        )
    }

    #[track_caller]
    fn gives(&self, row: &str, state: State, reason: Reason) {
        let verdict = self.verdict();
        assert_eq!((verdict.state, verdict.evidence.reason), (state, reason), "row {row}: {verdict:?}");
        assert_eq!(reason.state(), state, "row {row}");
    }
}

use UpdateState::{Downloaded, Failed, Installed, NotApplicable, PendingRestart, Required, Unknown};

/// A fix of a product that is not Windows: its updates alone decide.
fn ledger() -> Vec<Fix> {
    vec![fix(9_000_001, None, &[2])]
}

#[test]
fn states_of_the_fixing_update_decide() {
    for (row, direct, later, state, reason) in [
        ("1", Installed, Unknown, State::Fixed, Reason::Installed),
        ("1", Installed, Required, State::Fixed, Reason::Installed),
        ("2", NotApplicable, Installed, State::Fixed, Reason::LaterInstalled),
        ("2", Required, Installed, State::Fixed, Reason::LaterInstalled),
        ("2", Unknown, Installed, State::Fixed, Reason::LaterInstalled),
        ("3", Required, Required, State::Exposed, Reason::Needed),
        ("3", Downloaded, NotApplicable, State::Exposed, Reason::Needed),
        ("4", Failed, Unknown, State::Exposed, Reason::Failed),
        ("5", PendingRestart, Unknown, State::Exposed, Reason::RestartPending),
        ("5", NotApplicable, PendingRestart, State::Exposed, Reason::RestartPending),
        ("6", NotApplicable, Required, State::NoData, Reason::LaterNeeded),
        ("6", NotApplicable, Failed, State::NoData, Reason::LaterNeeded),
        ("6", Unknown, Downloaded, State::NoData, Reason::LaterNeeded),
        ("7", NotApplicable, NotApplicable, State::NotAffected, Reason::NotApplicable),
        ("7", NotApplicable, Unknown, State::NotAffected, Reason::NotApplicable),
        ("8", Unknown, Unknown, State::NoData, Reason::NotEvaluated),
        ("8", Unknown, NotApplicable, State::NoData, Reason::NotEvaluated),
    ] {
        case(ledger(), &[(1, direct), (2, later)]).gives(row, state, reason);
    }
}

#[test]
fn without_data_nothing_is_said() {
    let silent = Case { reported: false, ..case(ledger(), &[]) };
    silent.gives("9", State::NoData, Reason::NotReported);
    case(vec![fix(9_009_999, None, &[2])], &[]).gives("10", State::NoData, Reason::NotInCatalogue);
    case(vec![fix(0, None, &[2])], &[]).gives("11", State::NoData, Reason::NoArticle);
    case(Vec::new(), &[]).gives("12", State::NoData, Reason::NoFix);
    let mut affected = known(Vec::new(), Vec::new());
    affected.shapes.clear();
    affected.vulnerabilities.values_mut().for_each(|it| it.shape = None);
    Case { known: affected, ..case(Vec::new(), &[]) }.gives("12", State::NoData, Reason::NoFix);
}

#[test]
fn an_affected_product_without_a_fix_is_no_data() {
    let mut one = vulnerability("CVE-2031-0001", ledger());
    one.affected = vec![2, 5];
    let products = PRODUCTS.iter().map(|&name| name.to_owned()).collect();
    let mut builder = Builder::default();
    builder.advisory(1, Timestamp::UNIX_EPOCH, &Advisory { products, vulnerabilities: vec![one] });
    let case = Case { known: builder.finish(), ..case(Vec::new(), &[(1, Installed)]) };
    case.gives("12", State::NoData, Reason::NoFix);
}

#[test]
fn one_of_several_remedies_of_a_product_is_enough() {
    let both = || vec![fix(9_000_001, None, &[2]), fix(9_000_003, None, &[2])];
    for (row, first, second, state, reason) in [
        ("13", Required, Installed, State::Fixed, Reason::Installed),
        ("13", NotApplicable, Installed, State::Fixed, Reason::Installed),
        ("13", NotApplicable, Required, State::Exposed, Reason::Needed),
        ("13", NotApplicable, Unknown, State::NoData, Reason::NotEvaluated),
        ("13", NotApplicable, NotApplicable, State::NotAffected, Reason::NotApplicable),
    ] {
        case(both(), &[(1, first), (3, second)]).gives(row, state, reason);
    }
}

#[test]
fn every_product_has_to_be_fixed() {
    let both = || vec![fix(9_000_001, None, &[2]), fix(9_000_003, None, &[5])];
    for (row, first, second, state, reason) in [
        ("14", Installed, Required, State::Exposed, Reason::Needed),
        ("14", Installed, Unknown, State::NoData, Reason::NotEvaluated),
        ("14", Installed, NotApplicable, State::Fixed, Reason::Installed),
        ("14", Installed, Installed, State::Fixed, Reason::Installed),
        ("14", NotApplicable, NotApplicable, State::NotAffected, Reason::NotApplicable),
        ("14", Required, Unknown, State::Exposed, Reason::Needed),
    ] {
        case(both(), &[(1, first), (3, second)]).gives(row, state, reason);
    }
}

#[test]
fn what_does_not_run_on_windows_is_left_out() {
    case(vec![fix(0, None, &[3])], &[]).gives("15", State::NotAffected, Reason::OtherPlatform);
    let both = vec![fix(9_000_001, None, &[2]), fix(0, None, &[3])];
    case(both, &[(1, Installed)]).gives("15", State::Fixed, Reason::Installed);
}

/// Fixes of two releases of Windows.
fn windows() -> Vec<Fix> {
    vec![fix(9_000_001, Some([10, 0, 97_001, 1_000]), &[0]), fix(9_000_003, Some([10, 0, 98_001, 500]), &[1])]
}

#[test]
fn builds_of_other_releases_are_left_out() {
    for (row, own, other, state, reason) in [
        ("16", Installed, Unknown, State::Fixed, Reason::Installed),
        ("16", Required, Unknown, State::Exposed, Reason::Needed),
        ("16", Unknown, NotApplicable, State::NoData, Reason::NotEvaluated),
        // what the computer says of the update of another release does not matter
        ("16", Installed, Required, State::Fixed, Reason::Installed),
        ("17", NotApplicable, NotApplicable, State::NoData, Reason::ReleaseAffected),
    ] {
        case(windows(), &[(1, own), (3, other)]).gives(row, state, reason);
    }
}

#[test]
fn a_higher_build_of_another_release_does_not_fix() {
    let mut case = case(vec![fix(9_000_003, Some([10, 0, 96_000, 1]), &[1])], &[]);
    case.gives("19", State::NoData, Reason::ReleaseNotListed);
    case.os = Some(OsBuild { release: [10, 0, 95_000], revision: Some(99_999) });
    case.gives("19", State::NoData, Reason::ReleaseNotListed);
}

#[test]
fn a_release_that_the_document_speaks_of_and_leaves_out_is_not_affected() {
    let server = || vec![fix(9_000_003, Some([10, 0, 98_001, 500]), &[1])];
    let client = vec![fix(9_000_001, Some([10, 0, 97_001, 1_000]), &[0])];
    let assessed = Case { known: known(server(), client), ..case(Vec::new(), &[]) };
    assessed.gives("18", State::NotAffected, Reason::OtherRelease);
    case(server(), &[]).gives("19", State::NoData, Reason::ReleaseNotListed);
    // and other products still count
    let both = || [server(), ledger()].concat();
    let client = || vec![fix(9_000_004, Some([10, 0, 97_001, 1_000]), &[0])];
    let with = |state| Case { known: known(both(), client()), ..case(Vec::new(), &[(1, state)]) };
    with(Installed).gives("18", State::Fixed, Reason::Installed);
    with(Required).gives("18", State::Exposed, Reason::Needed);
    with(Unknown).gives("18", State::NoData, Reason::NotEvaluated);
    case(both(), &[(1, Installed)]).gives("19", State::NoData, Reason::ReleaseNotListed);
}

#[test]
fn a_computer_runs_one_release_of_windows() {
    // documents without builds: what applies shows which release it is
    let plain = || vec![fix(9_000_001, None, &[0]), fix(9_009_999, None, &[1]), fix(9_000_003, None, &[4])];
    case(plain(), &[(1, Installed)]).gives("20", State::Fixed, Reason::Installed);
    case(plain(), &[(1, Required)]).gives("20", State::Exposed, Reason::Needed);
    case(plain(), &[(1, NotApplicable), (3, NotApplicable)]).gives("20", State::NoData, Reason::NotInCatalogue);
    let with_ledger = [plain(), vec![fix(9_000_004, None, &[2])]].concat();
    let case = case(with_ledger, &[(1, Installed), (4, Unknown)]);
    case.gives("20", State::NoData, Reason::NotEvaluated);
    let left_out = case.verdict().parts.iter().filter(|part| part.left_out).count();
    assert_eq!(left_out, 2, "the other releases");
}

#[test]
fn without_a_build_no_release_is_left_out() {
    let unknown = |states| Case { os: None, ..case(windows(), states) };
    unknown(&[(1, NotApplicable), (3, NotApplicable)]).gives("7", State::NotAffected, Reason::NotApplicable);
    unknown(&[(1, NotApplicable)]).gives("8", State::NoData, Reason::NotEvaluated);
    unknown(&[(1, Installed)]).gives("20", State::Fixed, Reason::Installed);
}

#[test]
fn an_exact_build_decides_alone() {
    let exact = |revision| Case {
        os: Some(OsBuild { release: RELEASE, revision: Some(revision) }),
        ..case(windows(), &[(1, Required)])
    };
    exact(1_000).gives("21", State::Fixed, Reason::BuildReached);
    exact(1_001).gives("21", State::Fixed, Reason::BuildReached);
    exact(999).gives("3", State::Exposed, Reason::Needed);
    // also of a computer that never reported
    Case { reported: false, ..exact(1_000) }.gives("21", State::Fixed, Reason::BuildReached);
    // not of another product
    let ledger = vec![fix(9_000_001, Some([10, 0, 97_001, 1_000]), &[2])];
    let case = Case { os: exact(5_000).os, ..case(ledger, &[(1, Required)]) };
    case.gives("3", State::Exposed, Reason::Needed);
}

/// With an older build it is exposed, whatever the computer says, and the update that would fix it is named: the clock of the
/// service level and exceptions go by it.
#[test]
fn an_older_build_names_the_update() {
    let os = Some(OsBuild { release: RELEASE, revision: Some(999) });
    for (own, later, reason, update) in [
        (Failed, Unknown, Reason::Failed, 1),
        (Required, Unknown, Reason::Needed, 1),
        (Downloaded, Unknown, Reason::Needed, 1),
        (PendingRestart, Unknown, Reason::RestartPending, 1),
        (NotApplicable, PendingRestart, Reason::RestartPending, 2),
        // what it installed since has not become effective, or was taken back
        (Installed, Unknown, Reason::BuildOlder, 1),
        (NotApplicable, Required, Reason::BuildOlder, 2),
        (Unknown, Unknown, Reason::BuildOlder, 1),
        (NotApplicable, NotApplicable, Reason::BuildOlder, 1),
    ] {
        // what it says of the update of another release does not matter
        let case = Case { os, ..case(windows(), &[(1, own), (2, later), (3, Required)]) };
        case.gives("22", State::Exposed, reason);
        assert_eq!(case.verdict().needed().collect::<Vec<_>>(), [UpdateNumber(update)], "{own:?}, {later:?}");
    }
    let silent = Case { os, reported: false, ..case(windows(), &[]) };
    silent.gives("22", State::Exposed, Reason::BuildOlder);
    assert_eq!(silent.verdict().evidence.update, Some(UpdateNumber(1)));
    let without = Case { os, ..case(vec![fix(9_009_999, Some([10, 0, 97_001, 1_000]), &[0])], &[]) };
    without.gives("22", State::Exposed, Reason::BuildOlder);
    assert_eq!(without.verdict().evidence.update, None, "the catalogue has none");
    // a failure of another part is told before the build
    let both = [windows(), vec![fix(9_000_004, None, &[2])]].concat();
    Case { os, ..case(both, &[(4, Failed)]) }.gives("14", State::Exposed, Reason::Failed);
}

#[test]
fn a_verdict_names_the_updates_that_are_needed() {
    let both = vec![fix(9_000_001, None, &[2]), fix(9_000_003, None, &[5])];
    let verdict = case(both, &[(1, Required), (3, Failed)]).verdict();
    assert_eq!(verdict.needed().collect::<Vec<_>>(), [UpdateNumber(1), UpdateNumber(3)]);
    assert_eq!(verdict.evidence.reason, Reason::Failed, "the worst of them");
    assert_eq!(verdict.parts.len(), 2);
}

/// Over all states of two updates: fixed only if something is installed, and never without a report.
#[test]
fn nothing_is_fixed_without_an_installed_update() {
    let fixes = [
        ledger(),
        windows(),
        vec![fix(9_000_001, None, &[2]), fix(9_000_003, None, &[2])],
        vec![fix(9_000_001, None, &[2]), fix(9_000_003, None, &[5])],
        vec![fix(9_000_001, None, &[0]), fix(9_000_003, None, &[1]), fix(0, None, &[3])],
    ];
    for fixes in fixes {
        for first in UpdateState::ALL {
            for second in UpdateState::ALL {
                for third in UpdateState::ALL {
                    for reported in [true, false] {
                        let states = [(1, first), (2, second), (3, third)];
                        let case = Case { reported, ..case(fixes.clone(), &states) };
                        let verdict = case.verdict();
                        if verdict.state == State::Fixed {
                            assert!(reported && [first, second, third].contains(&Installed), "{verdict:?}");
                        }
                        if verdict.state == State::Exposed {
                            assert!(verdict.needed().next().is_some(), "{verdict:?}");
                        }
                    }
                }
            }
        }
    }
}
