//! Who may speak of whom.
//!
//! A roll-up carries no identity beyond where it comes from (MS-WSUSSS 3.1.4.13: the cookie is constant), and
//! `ParentServerId` is what the sender says. So what it says is held against the tree as it was told so far: a server
//! speaks of itself and of those below it. A server that moved appears below its new parent once nothing has been heard of
//! it on its old way for [`SETTLED`]; one that calls here itself is believed about itself at once.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{ParentError, Place, ancestors};

/// So long after a server was heard of on its way no other server can claim it: as long as an authorization counts.
pub const SETTLED: SignedDuration = SignedDuration::from_hours(24);

/// A server below as it is known, as far as that decides who may speak of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Standing {
    /// Where it hangs.
    pub place: Place,
    /// It enrolled here as a site: it proves itself, and nobody else speaks of it.
    pub enrolled: bool,
    /// When something new was last heard of it on its way: it was authorized here, or the server above it told of it.
    pub heard: Option<Timestamp>,
}

/// Why nothing of what is said of a server counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Unheard {
    /// It is known as a server of another one, or of ours, and was heard of there lately.
    Elsewhere,
    /// It enrolled here as a site.
    Enrolled,
    /// It would not be below the one who speaks.
    Outside,
}

impl Unheard {
    /// One word, for logs and counters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::Enrolled => "enrolled",
            Self::Outside => "outside",
        }
    }
}

/// What becomes of what is said of a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It counts.
    Heard,
    /// It counts if it is newer than what is known: the server was below another one.
    Moved,
    /// It does not count.
    Unheard(Unheard),
}

/// Judges the servers of one request by `speaker`: their ids and places, in any order, some more than once. One verdict for
/// each.
///
/// # Errors
///
/// The speaker names another server as its parent, one has the id of the receiver, a parent is unknown, or servers would be
/// below themselves: such a request is wrong as a whole (3.1.4.14).
pub fn judge(
    known: &BTreeMap<Uuid, Standing>,
    receiver: Uuid,
    speaker: Uuid,
    said: &[(Uuid, Place)],
    now: Timestamp,
) -> Result<Vec<Verdict>, ParentError> {
    let mut tree: BTreeMap<Uuid, Place> = known.iter().map(|(id, standing)| (*id, standing.place)).collect();
    // whoever calls here is directly below
    tree.insert(speaker, Place::Here);
    let is_its = |tree: &BTreeMap<Uuid, Place>, id: Uuid| {
        id == speaker || ancestors(tree, id).is_ok_and(|above| above.contains(&speaker))
    };
    let mut verdicts = Vec::with_capacity(said.len());
    for (id, place) in said {
        if *id == receiver || id.is_nil() {
            return Err(ParentError::Ourselves(*id));
        }
        verdicts.push(match (known.get(id), place) {
            _ if *id == speaker => match place {
                Place::Here => Verdict::Heard,
                Place::Below(parent) => return Err(ParentError::Misplaced { server: *id, parent: *parent }),
            },
            (_, Place::Here) => Verdict::Unheard(Unheard::Outside),
            (None, _) => Verdict::Heard,
            (Some(_), _) if is_its(&tree, *id) => Verdict::Heard,
            (Some(standing), _) if standing.enrolled => Verdict::Unheard(Unheard::Enrolled),
            (Some(standing), _) if standing.heard.is_some_and(|at| now < at + SETTLED) => {
                Verdict::Unheard(Unheard::Elsewhere)
            }
            (Some(_), _) => Verdict::Moved,
        });
    }
    // Any order is taken: the tree is judged as it is after the request.
    for ((id, place), verdict) in said.iter().zip(&verdicts) {
        if !matches!(verdict, Verdict::Unheard(_)) {
            tree.insert(*id, *place);
        }
    }
    for ((id, _), verdict) in said.iter().zip(&mut verdicts) {
        if !matches!(verdict, Verdict::Unheard(_)) && *id != speaker && !ancestors(&tree, *id)?.contains(&speaker) {
            *verdict = Verdict::Unheard(Unheard::Outside);
        }
    }
    Ok(verdicts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Uuid = Uuid::from_u128(1);
    const CALLER: Uuid = Uuid::from_u128(2);
    const SIBLING: Uuid = Uuid::from_u128(3);
    const ITS: Uuid = Uuid::from_u128(4);
    const SITE: Uuid = Uuid::from_u128(5);

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    /// The caller and a sibling, a server below the sibling, and a site: all heard of at hour 100.
    fn known() -> BTreeMap<Uuid, Standing> {
        let standing = |place, enrolled| Standing { place, enrolled, heard: Some(at(100)) };
        BTreeMap::from([
            (CALLER, standing(Place::Here, false)),
            (SIBLING, standing(Place::Here, false)),
            (ITS, standing(Place::Below(SIBLING), false)),
            (SITE, standing(Place::Here, true)),
        ])
    }

    fn verdicts(said: &[(Uuid, Place)], hour: i64) -> Result<Vec<Verdict>, ParentError> {
        judge(&known(), OURS, CALLER, said, at(hour))
    }

    #[test]
    fn a_server_speaks_of_itself_and_of_new_ones_below_it_in_any_order() {
        let [a, b] = [10, 11].map(Uuid::from_u128);
        let said = [(b, Place::Below(a)), (a, Place::Below(CALLER)), (CALLER, Place::Here), (a, Place::Below(CALLER))];
        assert_eq!(verdicts(&said, 101), Ok(vec![Verdict::Heard; 4]));
        // its own entry may come in another request
        assert_eq!(verdicts(&said[..2], 101), Ok(vec![Verdict::Heard; 2]));
    }

    #[test]
    fn siblings_and_what_is_below_them_are_not_its_to_tell_of() {
        let new = Uuid::from_u128(10);
        let below = Place::Below(CALLER);
        let cases = [
            ((SIBLING, Place::Here), Unheard::Outside),
            ((SIBLING, below), Unheard::Elsewhere),
            ((ITS, below), Unheard::Elsewhere),
            ((ITS, Place::Below(SIBLING)), Unheard::Elsewhere),
            ((SITE, below), Unheard::Enrolled),
            ((new, Place::Here), Unheard::Outside),
            ((new, Place::Below(SIBLING)), Unheard::Outside),
            ((new, Place::Below(ITS)), Unheard::Outside),
        ];
        for (said, why) in cases {
            assert_eq!(verdicts(&[said], 101), Ok(vec![Verdict::Unheard(why)]), "{said:?}");
        }
        // nor does a claim that does not count lend its place to others
        let said = [(SIBLING, below), (new, Place::Below(SIBLING))];
        assert_eq!(
            verdicts(&said, 101),
            Ok(vec![Verdict::Unheard(Unheard::Elsewhere), Verdict::Unheard(Unheard::Outside)])
        );
    }

    #[test]
    fn a_server_that_is_silent_for_a_day_may_have_moved_and_a_site_has_not() {
        let below = Place::Below(CALLER);
        assert_eq!(verdicts(&[(ITS, below)], 123), Ok(vec![Verdict::Unheard(Unheard::Elsewhere)]));
        assert_eq!(verdicts(&[(ITS, below)], 124), Ok(vec![Verdict::Moved]));
        assert_eq!(verdicts(&[(SIBLING, below), (ITS, Place::Below(SIBLING))], 124), Ok(vec![Verdict::Moved; 2]));
        assert_eq!(verdicts(&[(SITE, below)], 9_999), Ok(vec![Verdict::Unheard(Unheard::Enrolled)]));
        // handing over to another is not moving to it
        assert_eq!(verdicts(&[(ITS, Place::Below(SIBLING))], 124), Ok(vec![Verdict::Unheard(Unheard::Outside)]));
        // it calls here itself now
        let spoken = judge(&known(), OURS, ITS, &[(ITS, Place::Here)], at(101));
        assert_eq!(spoken, Ok(vec![Verdict::Heard]));
    }

    #[test]
    fn what_is_wrong_as_a_whole_is_an_error() {
        let [a, b, stranger] = [10, 11, 12].map(Uuid::from_u128);
        assert_eq!(verdicts(&[(OURS, Place::Here)], 101), Err(ParentError::Ourselves(OURS)));
        let misplaced = ParentError::Misplaced { server: CALLER, parent: SIBLING };
        assert_eq!(verdicts(&[(CALLER, Place::Below(SIBLING))], 101), Err(misplaced));
        let unknown = ParentError::Unknown { server: a, parent: stranger };
        assert_eq!(verdicts(&[(a, Place::Below(stranger))], 101), Err(unknown));
        let said = [(a, Place::Below(b)), (b, Place::Below(a))];
        assert!(matches!(verdicts(&said, 101), Err(ParentError::Cycle(_))));
        let chain: Vec<_> = (100..300).map(|n| (Uuid::from_u128(n), Place::Below(Uuid::from_u128(n + 1)))).collect();
        assert!(matches!(verdicts(&chain, 101), Err(ParentError::Deep(_))), "and quickly");
    }
}
