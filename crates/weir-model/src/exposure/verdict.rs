//! What holds of one computer and one vulnerability, and why. The rows of the truth table in `docs/exposure.md` have a test
//! each.

use super::{Build, Join, Joined, Known, Platform, Problem, Remedy, Shape};
use crate::status::{State as UpdateState, UpdateNumber};

/// Where a computer stands towards a vulnerability.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum State {
    /// It needs an update that fixes the vulnerability.
    Exposed,
    /// Nothing can be said.
    NoData,
    /// It has what fixes the vulnerability.
    Fixed,
    /// The vulnerability does not concern it.
    NotAffected,
}

impl State {
    /// All, in the order of what counts first.
    pub const ALL: [Self; 4] = [Self::Exposed, Self::NoData, Self::Fixed, Self::NotAffected];
}

/// The build of the operating system that a computer told. RegisterComputer (MS-WUSP 2.2.2.2.3) carries three numbers, scans of
/// newer agents four ([`Build::of_device`]).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct OsBuild {
    /// Major, minor and build: the release.
    pub release: [u32; 3],
    /// The revision, where it is known.
    pub revision: Option<u32>,
}

/// What is known of a computer.
pub struct ComputerFacts<'a> {
    /// It reported the states of updates at least once.
    pub reported: bool,
    /// The build of its operating system, if it told.
    pub os: Option<OsBuild>,
    /// Its state of an update; unknown if the update was not offered to it or came after its last report.
    pub state: &'a dyn Fn(UpdateNumber) -> UpdateState,
}

/// Why something is so. Of several that lead to the same state the first one is told.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// The exact build of the computer is the fixed one or newer.
    BuildReached,
    /// An attempt to install the update that fixes it failed.
    Failed,
    /// The update that fixes it is installed.
    Installed,
    /// An update that replaces the fixing one is installed.
    LaterInstalled,
    /// The fixing update does not apply, one that replaces it is needed: the fix may or may not be there.
    LaterNeeded,
    /// The update that fixes it is needed.
    Needed,
    /// The documents name a fix that is no update with an article.
    NoArticle,
    /// The documents name no fix.
    NoFix,
    /// No update that fixes it applies to the computer.
    NotApplicable,
    /// The computer did not tell about an update that fixes it: it was not offered, or came after the last report.
    NotEvaluated,
    /// The catalogue has no update of the article.
    NotInCatalogue,
    /// The computer never reported.
    NotReported,
    /// The affected products do not run on Windows.
    OtherPlatform,
    /// The fixes are for other releases of Windows; those documents have fixes for this release too, and not of this
    /// vulnerability.
    OtherRelease,
    /// The documents have a fix for this very release of Windows, yet no update that brings it applies, and none that
    /// replaces it is installed: it may have come another way, or something that it needs first is missing.
    ReleaseAffected,
    /// The fixes are for other releases of Windows, and the documents do not speak of this one.
    ReleaseNotListed,
    /// The update that fixes it is installed and becomes effective with a restart.
    RestartPending,
    /// The exact build of the computer is older than the fixed one. The last: what an update says tells more.
    BuildOlder,
}

impl Reason {
    /// The state that follows.
    pub fn state(self) -> State {
        match self {
            Self::BuildOlder | Self::Failed | Self::Needed | Self::RestartPending => State::Exposed,
            Self::BuildReached | Self::Installed | Self::LaterInstalled => State::Fixed,
            Self::NotApplicable | Self::OtherPlatform | Self::OtherRelease => State::NotAffected,
            Self::LaterNeeded
            | Self::NoArticle
            | Self::NoFix
            | Self::NotEvaluated
            | Self::NotInCatalogue
            | Self::NotReported
            | Self::ReleaseAffected
            | Self::ReleaseNotListed => State::NoData,
        }
    }
}

/// What speaks for a reason.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Evidence {
    /// The reason.
    pub reason: Reason,
    /// The update that it is about.
    pub update: Option<UpdateNumber>,
}

impl Evidence {
    fn of(reason: Reason) -> Self {
        Self { reason, update: None }
    }

    fn by(reason: Reason, update: UpdateNumber) -> Self {
        Self { reason, update: Some(update) }
    }
}

/// What is said of one problem.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Part {
    /// Place of the problem in [`Shape::problems`].
    pub problem: usize,
    /// Why.
    pub evidence: Evidence,
    /// It was left out: it is about a release of Windows that the computer does not run, or about another platform.
    pub left_out: bool,
}

/// What holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// Where the computer stands.
    pub state: State,
    /// What decided.
    pub evidence: Evidence,
    /// What is said of each problem, in their order.
    pub parts: Vec<Part>,
}

impl Verdict {
    /// The updates that a computer needs for this.
    pub fn needed(&self) -> impl Iterator<Item = UpdateNumber> {
        let exposed = self.parts.iter().filter(|part| !part.left_out && part.evidence.reason.state() == State::Exposed);
        exposed.filter_map(|part| part.evidence.update)
    }
}

/// Judges. What cannot be told is no data, never fixed.
pub fn judge(known: &Known, shape: Option<&Shape>, join: &Join, computer: &ComputerFacts<'_>) -> Verdict {
    let Some(shape) = shape else { return nothing() };
    let parts = known.problems_of(shape).map(|problem| of_problem(problem, join, computer));
    combine(known, shape, computer.os, parts)
}

fn nothing() -> Verdict {
    Verdict { state: State::NoData, evidence: Evidence::of(Reason::NoFix), parts: Vec::new() }
}

/// Puts together what is said of the problems of a shape ([`of_problem`]), in their order, of a computer with this build.
pub fn combine(
    known: &Known,
    shape: &Shape,
    os: Option<OsBuild>,
    evidence: impl IntoIterator<Item = Evidence>,
) -> Verdict {
    if shape.problems.is_empty() {
        return nothing();
    }
    let platform = |place: u32| known.problems.get(place as usize).map(|problem| problem.platform);
    let of_windows =
        |part: &Part| shape.problems.get(part.problem).and_then(|at| platform(*at)) == Some(Platform::Windows);
    let mut parts: Vec<Part> = Vec::with_capacity(shape.problems.len());
    parts.extend(evidence.into_iter().enumerate().map(|(problem, evidence)| {
        let left_out = matches!(evidence.reason, Reason::OtherPlatform | Reason::OtherRelease);
        Part { problem, evidence, left_out }
    }));
    // a computer runs one release of Windows: what applies to it shows which, and the others are none of its concern
    let applies = |part: &Part| matches!(part.evidence.reason.state(), State::Exposed | State::Fixed);
    if parts.iter().any(|part| applies(part) && of_windows(part)) {
        for part in &mut parts {
            part.left_out |= !applies(part) && of_windows(part);
        }
    }
    // nothing is for its release: only a document that speaks of this release says something by leaving it out
    let mut windows = parts.iter().filter(|part| of_windows(part)).peekable();
    let excluded = windows.peek().is_some() && windows.all(|part| part.evidence.reason == Reason::OtherRelease);
    let assessed = || os.is_some_and(|os| shape.assessed.contains(&os.release));
    let unlisted =
        excluded.then(|| Evidence::of(if assessed() { Reason::OtherRelease } else { Reason::ReleaseNotListed }));
    let counted = parts.iter().filter(|part| !part.left_out).map(|part| part.evidence).chain(unlisted);
    let rank = |evidence: &Evidence| (evidence.reason.state(), evidence.reason, evidence.update);
    let evidence = counted.min_by_key(rank).unwrap_or(Evidence::of(Reason::OtherPlatform));
    Verdict { state: evidence.reason.state(), evidence, parts }
}

/// What is said of one problem: any of its remedies is enough.
pub fn of_problem(problem: &Problem, join: &Join, computer: &ComputerFacts<'_>) -> Evidence {
    if problem.platform == Platform::Elsewhere {
        return Evidence::of(Reason::OtherPlatform);
    }
    if problem.remedies.is_empty() {
        return Evidence::of(Reason::NoFix);
    }
    if problem.platform == Platform::Windows {
        match by_build(&problem.remedies, computer.os) {
            Some(Reason::BuildOlder) => return older(&problem.remedies, join, computer),
            Some(reason) => return Evidence::of(reason),
            None => {}
        }
    }
    let evidence: Vec<Evidence> = problem.remedies.iter().map(|remedy| of_remedy(remedy, join, computer)).collect();
    let first = |state: State| {
        let of_state = evidence.iter().filter(|it| it.reason.state() == state);
        of_state.min_by_key(|it| (it.reason, it.update)).copied()
    };
    // one that is installed is enough; one that is needed shows that the product is here
    let found = first(State::Fixed).or_else(|| first(State::Exposed)).or_else(|| first(State::NoData));
    found.unwrap_or_else(|| {
        let named = problem.platform == Platform::Windows
            && computer.os.is_some_and(|os| problem.remedies.iter().any(|remedy| remedy.is_of(os)));
        Evidence::of(if named { Reason::ReleaseAffected } else { Reason::NotApplicable })
    })
}

impl Remedy {
    /// Whether it is for the release of Windows that a computer runs, as far as its build tells.
    fn is_of(&self, os: OsBuild) -> bool {
        self.build.is_some_and(|Build([a, b, c, _])| [a, b, c] == os.release)
    }
}

/// What builds alone decide: whether it is about the release that the computer runs, and, where the exact build is known,
/// whether it has the fix.
fn by_build(remedies: &[Remedy], os: Option<OsBuild>) -> Option<Reason> {
    let os = os?;
    if remedies.iter().all(|remedy| remedy.build.is_some() && !remedy.is_of(os)) {
        return Some(Reason::OtherRelease);
    }
    let revision = os.revision?;
    // several of them fix the same (a hotpatch has a build of its own): the lowest is enough
    let own = remedies.iter().filter(|remedy| remedy.is_of(os));
    let fixed = own.filter_map(|remedy| remedy.build).map(|Build([.., d])| d).min()?;
    Some(if revision >= fixed { Reason::BuildReached } else { Reason::BuildOlder })
}

/// What is said where the exact build is too old: it is exposed in any case. What the computer says of an update that would fix
/// it tells more than the build does, and the update is named whatever it says: clocks and exceptions go by it.
fn older(remedies: &[Remedy], join: &Join, computer: &ComputerFacts<'_>) -> Evidence {
    let is_own = |remedy: &&Remedy| remedy.build.is_none() || computer.os.is_some_and(|os| remedy.is_of(os));
    let own = || remedies.iter().filter(is_own);
    let evidence: Vec<Evidence> = own().map(|remedy| of_remedy(remedy, join, computer)).collect();
    let exposed = evidence.iter().filter(|it| it.reason.state() == State::Exposed);
    if let Some(told) = exposed.min_by_key(|it| (it.reason, it.update)) {
        return *told;
    }
    let joined = |remedy: &Remedy| {
        let Joined { direct, later } = join.of(remedy.article?)?;
        direct.first().or(later.first()).copied()
    };
    let update = evidence.iter().find_map(|it| it.update).or_else(|| own().find_map(joined));
    Evidence { reason: Reason::BuildOlder, update }
}

fn of_remedy(remedy: &Remedy, join: &Join, computer: &ComputerFacts<'_>) -> Evidence {
    let Some(article) = remedy.article else { return Evidence::of(Reason::NoArticle) };
    let Some(Joined { direct, later }) = join.of(article).filter(|it| !it.direct.is_empty() || !it.later.is_empty())
    else {
        return Evidence::of(Reason::NotInCatalogue);
    };
    if !computer.reported {
        return Evidence::of(Reason::NotReported);
    }
    let find = |updates: &[UpdateNumber], state: UpdateState| {
        updates.iter().copied().find(|update| (computer.state)(*update) == state)
    };
    if let Some(update) = find(direct, UpdateState::Installed) {
        return Evidence::by(Reason::Installed, update);
    }
    if let Some(update) = find(later, UpdateState::Installed) {
        return Evidence::by(Reason::LaterInstalled, update);
    }
    for (state, reason) in [
        (UpdateState::Failed, Reason::Failed),
        (UpdateState::Required, Reason::Needed),
        (UpdateState::Downloaded, Reason::Needed),
        (UpdateState::PendingRestart, Reason::RestartPending),
    ] {
        if let Some(update) = find(direct, state) {
            return Evidence::by(reason, update);
        }
    }
    if let Some(update) = find(later, UpdateState::PendingRestart) {
        return Evidence::by(Reason::RestartPending, update);
    }
    let is_needed = |update: &&UpdateNumber| {
        let state = (computer.state)(**update);
        state.is_needed() || state == UpdateState::Failed
    };
    if let Some(update) = later.iter().find(is_needed) {
        return Evidence::by(Reason::LaterNeeded, *update);
    }
    if direct.is_empty() {
        // an article that is replaced by others, of which none is there
        return Evidence::of(Reason::NotInCatalogue);
    }
    match find(direct, UpdateState::Unknown) {
        Some(update) => Evidence::by(Reason::NotEvaluated, update),
        None => Evidence::of(Reason::NotApplicable),
    }
}
