//! States of updates and bundles.

use super::{Applicability, State};
use crate::{
    applicability::{
        Bounds, Gap, GapKind, generate,
        memory::{Memory, Uncollected},
        truth::Gaps,
    },
    document::{CoreFragment, Limits},
};

const ID: &str = "11111111-2222-3333-4444-555555555555";

fn core(relationships: &str, rules: &str) -> CoreFragment {
    let text = format!(
        "<UpdateIdentity UpdateID=\"{ID}\" RevisionNumber=\"7\" /><Properties UpdateType=\"Software\" />\
         <Relationships>{relationships}</Relationships><ApplicabilityRules>{rules}</ApplicabilityRules>"
    );
    CoreFragment::parse(&text, &Limits::default()).expect("a fragment")
}

fn unknown(subject: &'static str) -> State {
    State::Unknown(Gaps::from(Gap::new(GapKind::NotCollected, subject)))
}

/// `t`, `f`, `u` (unknown) or `-` (absent) of IsInstalled, IsSuperseded and IsInstallable.
fn rules(letters: &str) -> String {
    let elements = ["IsInstalled", "IsSuperseded", "IsInstallable"];
    letters
        .chars()
        .zip(elements)
        .map(|(letter, element)| match letter {
            't' => format!("<{element}><True /></{element}>"),
            'f' => format!("<{element}><False /></{element}>"),
            'u' => format!("<{element}><b.MuiInstalled /></{element}>"),
            'e' => format!("<{element} />"),
            '2' => format!("<{element}><True /><True /></{element}>"),
            _ => String::new(),
        })
        .collect()
}

fn letter(state: &State) -> char {
    match state {
        State::Installed => 'I',
        State::NotApplicable => 'N',
        State::Required => 'R',
        State::Unknown(_) => 'U',
    }
}

/// SoftwareDistributionPackage.xsd: offered only if not installed, not superseded and installable; what is missing is
/// false.
#[test]
fn the_state_of_an_update_follows_its_three_rules() {
    let facts = Memory::over(&Uncollected);
    for (letters, expected) in [
        ("t--", 'I'),
        ("ttt", 'I'),
        ("tuu", 'I'),
        ("f-t", 'R'),
        ("fft", 'R'),
        ("--t", 'R'),
        ("e-t", 'R'),
        ("ftt", 'N'),
        ("f-f", 'N'),
        ("f--", 'N'),
        ("f-e", 'N'),
        ("---", 'N'),
        ("ftu", 'N'),
        ("fuf", 'N'),
        ("u-t", 'U'),
        ("u-f", 'U'),
        ("f-u", 'U'),
        ("fut", 'U'),
        ("2-t", 'U'),
        ("f-2", 'U'),
        ("ffu", 'U'),
    ] {
        let core = core("", &rules(letters));
        let state = Applicability::from(&core).state(&facts, &Bounds::default(), &|_| None);
        assert_eq!(letter(&state), expected, "{letters}: {state:?}");
        assert_eq!(state.gaps().is_empty(), expected != 'U');
    }
}

/// A letter per member, clauses apart by a comma: I, R, N, U, or `-` for one that was not sent.
fn bundle(members: &str, own: &str) -> State {
    let mut clauses = String::new();
    let mut states = Vec::new();
    for clause in members.split(',') {
        clauses.push_str("<AtLeastOne>");
        for member in clause.chars() {
            states.push(member);
            let number = states.len();
            clauses.push_str(&format!("<UpdateIdentity UpdateID=\"{ID}\" RevisionNumber=\"{number}\" />"));
        }
        clauses.push_str("</AtLeastOne>");
    }
    let core = core(&format!("<BundledUpdates>{clauses}</BundledUpdates>"), &rules(own));
    let applicability = Applicability::from(&core);
    assert!(applicability.is_bundle());
    let member = |identity: crate::ids::UpdateIdentity| {
        Some(match states[identity.revision.0 as usize - 1] {
            'I' => State::Installed,
            'N' => State::NotApplicable,
            'R' => State::Required,
            'U' => unknown("member"),
            _ => return None,
        })
    };
    applicability.state(&generate::known(&[]), &Bounds::default(), &member)
}

/// MS-WUSP 3.1.1, bundle table: clauses of which one member each suffices.
#[test]
fn the_state_of_a_bundle_follows_its_members() {
    for (members, expected) in [
        ("I", 'I'),
        ("IN", 'I'),
        ("IR", 'I'),
        ("IU", 'I'),
        ("I,I", 'I'),
        ("NNI,I-", 'I'),
        ("R", 'R'),
        ("NR", 'R'),
        ("-R", 'R'),
        ("I,R", 'R'),
        ("R,R", 'R'),
        ("IR,R", 'R'),
        ("N", 'N'),
        ("-", 'N'),
        ("I,N", 'N'),
        ("R,N-", 'N'),
        ("U,N", 'N'),
        ("U", 'U'),
        ("UR", 'U'),
        ("UN", 'U'),
        ("I,U", 'U'),
        ("R,U", 'U'),
        ("UU", 'U'),
    ] {
        assert_eq!(letter(&bundle(members, "")), expected, "{members}");
    }
}

#[test]
fn rules_of_a_bundle_restrict_it() {
    for (members, own, expected) in [
        ("R", "t--", 'I'),
        ("R", "f--", 'R'),
        ("R", "--t", 'R'),
        ("R", "--f", 'N'),
        ("R", "-t-", 'N'),
        ("R", "-f-", 'R'),
        ("I", "f--", 'R'),
        ("I", "f-f", 'N'),
        ("N", "f-t", 'N'),
        ("I", "--t", 'I'),
        ("N", "t--", 'I'),
        ("R", "2--", 'U'),
    ] {
        assert_eq!(letter(&bundle(members, own)), expected, "{members} {own}");
    }
}

#[test]
fn reasons_come_from_rules_and_members() {
    let core = core("", &rules("u-t"));
    let facts = Memory::over(&Uncollected);
    let state = Applicability::from(&core).state(&facts, &Bounds::default(), &|_| None);
    assert_eq!(state.gaps(), [Gap::new(GapKind::NotCollected, "user interface languages")]);
    assert_eq!(bundle("U", "").gaps(), [Gap::new(GapKind::NotCollected, "member")]);
}
