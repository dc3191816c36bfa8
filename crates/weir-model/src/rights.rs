//! What principals may do: roles, the permissions that acts need, and scopes by collection.
//!
//! A role is a rung: each may what the one below it may, and more. A scope limits a principal to computers of some collections
//! and of those below them; what is about the whole site is refused to it, whatever its role.

use std::collections::BTreeSet;

use crate::ids::CollectionId;

/// What somebody may do, by the roles of the field. In ascending order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Sees everything, changes nothing.
    ReadOnlyAnalyst,
    /// Also runs synchronization, jobs and client actions; changes no deployment.
    Operator,
    /// Also deploys: updates, groups, collections, deployments, rules, windows, exceptions.
    SoftwareUpdateManager,
    /// Everything, with settings, sites, users and tokens.
    FullAdministrator,
}

impl Role {
    /// All of them, the weakest first.
    pub const ALL: [Self; 4] =
        [Self::ReadOnlyAnalyst, Self::Operator, Self::SoftwareUpdateManager, Self::FullAdministrator];

    /// As commands, settings and refusals write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::ReadOnlyAnalyst => "read-only-analyst",
            Self::Operator => "operator",
            Self::SoftwareUpdateManager => "software-update-manager",
            Self::FullAdministrator => "full-administrator",
        }
    }
}

/// What an act needs. In ascending order of the role that it takes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Permission {
    /// What everybody may who is signed in: the own session, the own password.
    Account,
    /// To see.
    Look,
    /// To run synchronization, imports, jobs and client actions.
    Operate,
    /// To decide which computers get what, and when.
    Deploy,
    /// To change settings, sites and who may do what.
    Administer,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Account, Self::Look, Self::Operate, Self::Deploy, Self::Administer];

    /// The weakest role that has it.
    pub fn role(self) -> Role {
        match self {
            Self::Account | Self::Look => Role::ReadOnlyAnalyst,
            Self::Operate => Role::Operator,
            Self::Deploy => Role::SoftwareUpdateManager,
            Self::Administer => Role::FullAdministrator,
        }
    }
}

/// Whether a role has a permission.
pub fn allows(role: Role, permission: Permission) -> bool {
    role >= permission.role()
}

/// Whom an act concerns, so far as scopes are about it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Reach {
    /// Nobody's computers: the catalogue, definitions, the own account. Everybody may.
    Nobody,
    /// Computers or collections that the act itself limits to the scope.
    Scoped,
    /// The whole site: refused to who is limited.
    Site,
}

/// Which computers a principal sees and acts on.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub enum Scope {
    /// All of them, and the site itself.
    #[default]
    Everything,
    /// Those of these collections and of collections below them. Of none if there is none: a collection that was deleted takes
    /// its computers out of the scope, it does not open it.
    Collections(BTreeSet<CollectionId>),
}

impl Scope {
    /// Whether it leaves something out.
    pub fn is_limited(&self) -> bool {
        matches!(self, Self::Collections(_))
    }

    /// Whether an act of this reach may be tried at all.
    pub fn reaches(&self, reach: Reach) -> bool {
        !self.is_limited() || reach != Reach::Site
    }

    /// Whether a collection lies within. `is_within(inner, outer)` says whether `inner` is `outer` or below it.
    pub fn contains(&self, collection: CollectionId, is_within: impl Fn(CollectionId, CollectionId) -> bool) -> bool {
        match self {
            Self::Everything => true,
            Self::Collections(own) => own.iter().any(|outer| is_within(collection, *outer)),
        }
    }

    /// Whether a whole scope lies within this one: nobody gives away more than they have.
    pub fn covers(&self, other: &Self, is_within: impl Fn(CollectionId, CollectionId) -> bool) -> bool {
        match (self, other) {
            (Self::Everything, _) => true,
            (Self::Collections(_), Self::Everything) => false,
            (Self::Collections(_), Self::Collections(inner)) => {
                inner.iter().all(|collection| self.contains(*collection, &is_within))
            }
        }
    }

    /// Both together.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Collections(one), Self::Collections(two)) => Self::Collections(one | two),
            _ => Self::Everything,
        }
    }
}

/// A role in a scope.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// Where.
    pub scope: Scope,
}

impl Grant {
    /// Whether an act may be tried.
    pub fn permits(&self, permission: Permission, reach: Reach) -> bool {
        allows(self.role, permission) && self.scope.reaches(reach)
    }
}

/// What somebody has who is in several groups: the strongest role, in all scopes in which it is given. A weaker role in a wider
/// scope adds nothing, as one principal has one role. None without any grant.
pub fn combined(grants: impl IntoIterator<Item = Grant>) -> Option<Grant> {
    grants.into_iter().reduce(|one, two| match one.role.cmp(&two.role) {
        std::cmp::Ordering::Less => two,
        std::cmp::Ordering::Greater => one,
        std::cmp::Ordering::Equal => Grant { role: one.role, scope: one.scope.union(&two.scope) },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn id(number: u8) -> CollectionId {
        CollectionId(Uuid::from_u128(u128::from(number)))
    }

    /// Collections as a binary heap: the parent of `n` is `n / 2`, and 1 is the root.
    fn is_within(inner: CollectionId, outer: CollectionId) -> bool {
        let (mut at, outer) = (inner.0.as_u128(), outer.0.as_u128());
        while at > 0 {
            if at == outer {
                return true;
            }
            at /= 2;
        }
        false
    }

    fn scope() -> impl Strategy<Value = Scope> {
        prop_oneof![
            Just(Scope::Everything),
            prop::collection::btree_set(1_u8..64, 0..5)
                .prop_map(|ids| Scope::Collections(ids.into_iter().map(id).collect())),
        ]
    }

    fn grant() -> impl Strategy<Value = Grant> {
        (prop::sample::select(Role::ALL.to_vec()), scope()).prop_map(|(role, scope)| Grant { role, scope })
    }

    #[test]
    fn each_role_may_what_the_one_below_may() {
        for permission in Permission::ALL {
            let may: Vec<bool> = Role::ALL.iter().map(|role| allows(*role, permission)).collect();
            assert!(may.is_sorted(), "{permission:?}: {may:?}");
            assert!(allows(Role::FullAdministrator, permission));
            assert!(allows(permission.role(), permission));
        }
        assert!(!allows(Role::ReadOnlyAnalyst, Permission::Operate));
        assert!(!allows(Role::Operator, Permission::Deploy));
        assert!(!allows(Role::SoftwareUpdateManager, Permission::Administer));
    }

    #[test]
    fn a_scope_of_nothing_holds_nothing() {
        let nothing = Scope::Collections(BTreeSet::new());
        assert!(!nothing.contains(id(1), is_within));
        assert!(nothing.is_limited());
    }

    proptest! {
        #[test]
        fn what_is_below_a_collection_of_the_scope_is_in_it(scope in scope(), number in 1_u8..64) {
            if scope.contains(id(number), is_within) && number < 32 {
                prop_assert!(scope.contains(id(number * 2), is_within));
                prop_assert!(scope.contains(id(number * 2 + 1), is_within));
            }
        }

        #[test]
        fn a_covered_scope_holds_nothing_more(one in scope(), two in scope(), number in 1_u8..64) {
            prop_assert!(one.covers(&one, is_within));
            if one.covers(&two, is_within) && two.contains(id(number), is_within) {
                prop_assert!(one.contains(id(number), is_within));
            }
        }

        #[test]
        fn a_union_holds_what_either_holds(one in scope(), two in scope(), number in 1_u8..64) {
            let both = one.union(&two);
            let either = one.contains(id(number), is_within) || two.contains(id(number), is_within);
            prop_assert_eq!(both.contains(id(number), is_within), either);
            prop_assert_eq!(both, two.union(&one));
        }

        #[test]
        fn who_is_limited_never_reaches_the_site(grant in grant()) {
            for permission in Permission::ALL {
                if grant.scope.is_limited() {
                    prop_assert!(!grant.permits(permission, Reach::Site));
                }
                prop_assert_eq!(grant.permits(permission, Reach::Nobody), allows(grant.role, permission));
            }
        }

        #[test]
        fn groups_give_no_more_than_one_of_them_gives(grants in prop::collection::vec(grant(), 0..6)) {
            let Some(whole) = combined(grants.clone()) else {
                prop_assert!(grants.is_empty());
                return Ok(());
            };
            prop_assert!(grants.iter().all(|grant| grant.role <= whole.role));
            for number in 1_u8..64 {
                if whole.scope.contains(id(number), is_within) {
                    let given = |grant: &Grant| grant.role == whole.role && grant.scope.contains(id(number), is_within);
                    prop_assert!(grants.iter().any(given));
                }
            }
            if !whole.scope.is_limited() {
                prop_assert!(grants.iter().any(|grant| grant.role == whole.role && !grant.scope.is_limited()));
            }
        }
    }
}
