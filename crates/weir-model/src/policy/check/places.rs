//! Values in the wrong place, of the wrong kind, out of range, or unknown.

use super::{
    super::{
        known::{Branch, known_at, known_values},
        registry::{Change, Entry, Root},
        render::SWITCHES,
    },
    Finding, Severity,
    view::View,
};
use crate::nearest::nearest;

pub(super) fn check(entries: &[Entry], view: &View<'_>, findings: &mut Vec<Finding>) {
    for entry in entries {
        if let Change::Set(name, data) = entry.change() {
            findings.extend(place(entry, name, &data.to_string()));
        }
    }
    for (known, data) in view.iter() {
        if known.shape.fits(data) {
            continue;
        }
        let right_kind = known.shape.kind_name() == data.kind_name();
        let (code, breaks) = if right_kind {
            (
                "value.range",
                format!("it is out of range, so that Windows passes it over or takes a default ({})", known.meaning),
            )
        } else {
            (
                "value.type",
                format!(
                    "it is {} and must be {}, so that Windows passes it over",
                    data.kind_name(),
                    known.shape.kind_name()
                ),
            )
        };
        // addresses are judged with the server
        if right_kind && known.shape.kind_name() == "REG_SZ" && matches!(known.name, "WUServer" | "WUStatusServer") {
            continue;
        }
        let next = format!("give {} as {}", known.shape.describe(), known.shape.kind_name());
        findings.push(view.finding(Severity::Warning, code, known.name, breaks, next));
    }
    for (switch, name) in SWITCHES {
        // an interval that nobody switched on, say; deadlines work without theirs
        if view.data(name).is_some() && !view.is(switch, 1) && *switch != "SetComplianceDeadline" {
            let next = format!("set {switch} to 1, or remove {name}");
            let breaks = format!("it counts only if {switch} is 1");
            findings.push(view.finding(Severity::Warning, "value.off", name, breaks, next));
        }
    }
}

/// What is wrong with where a value is.
fn place(entry: &Entry, name: &str, found: &str) -> Option<Finding> {
    let finding = |severity, code, breaks: String, next_step: String| Finding {
        severity,
        code,
        key: format!("{}\\{}", entry.root().name(), entry.key()),
        value: name.to_owned(),
        found: Some(found.to_owned()),
        breaks,
        next_step,
    };
    let path = entry.key().to_lowercase();
    let branch = |path: &str| Branch::ALL.into_iter().find(|branch| path.ends_with(&branch.path().to_lowercase()));
    match entry.root() {
        Root::LocalMachine => {}
        Root::CurrentUser | Root::Users => {
            let branch = branch(&path)?;
            return Some(finding(
                Severity::Error,
                "place.user",
                "policies of updates of a user count no more since Windows 10".to_owned(),
                format!("set it for the computer: HKEY_LOCAL_MACHINE\\{}", branch.path()),
            ));
        }
        Root::ClassesRoot | Root::CurrentConfig => return None,
    }
    let plain = path.replacen("software\\wow6432node\\", "software\\", 1);
    if plain != path {
        let branch = branch(&plain)?;
        return Some(finding(
            Severity::Error,
            "place.wow64",
            "Windows' agent reads the 64-bit view only, where this value is not".to_owned(),
            format!("set it below HKEY_LOCAL_MACHINE\\{}", branch.path()),
        ));
    }
    let is = |branch: &Branch| path == branch.path().to_lowercase();
    let here = [Branch::Automatic, Branch::Update].iter().any(is);
    if !here || known_at(entry.key(), name).is_some() {
        return None;
    }
    if let Some(known) = known_values().find(|known| known.name.eq_ignore_ascii_case(name)) {
        return Some(finding(
            Severity::Warning,
            "place.key",
            "it is in the wrong key, where nothing reads it".to_owned(),
            format!("set it below HKEY_LOCAL_MACHINE\\{}", known.branch.path()),
        ));
    }
    let next = nearest(name, known_values().map(|known| known.name)).map_or_else(
        || "weir policy values lists what there is; remove it if nothing needs it".to_owned(),
        |near| format!("if {near} was meant, correct the name"),
    );
    Some(finding(Severity::Note, "value.unknown", "it is no value that Windows is known to read".to_owned(), next))
}
