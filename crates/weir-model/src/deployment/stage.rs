//! What a deployment is doing, as lists narrow by it.

use jiff::{SignedDuration, Timestamp};

/// As long as some clock on Earth is behind UTC: times of day of each computer have come everywhere so much later.
pub const LAST_ZONE: SignedDuration = SignedDuration::from_hours(12);

/// What a deployment is doing. Each is in one of these.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Stage {
    /// It goes out, and its deadline, if it has one, lies ahead.
    Active,
    /// It waits for its available time, or for its files.
    Waiting,
    /// It goes out, and its deadline is over for every computer.
    Expired,
    /// An administrator switched it off.
    Disabled,
    /// What it deploys is sent to nobody.
    NotSent,
}

/// How what is deployed goes out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Going {
    /// Not at all: declined, expired, stopped or unresolved; or a group without updates.
    Nowhere,
    /// Not yet with its action.
    Waiting,
    /// With its action, from this time on.
    Out(Timestamp),
}

impl Going {
    /// Of one update: whether it may be sent, goes out with its action, and from when it is available.
    pub fn of(sent: bool, active: bool, available: Timestamp) -> Self {
        match (sent, active) {
            (false, _) => Self::Nowhere,
            (true, false) => Self::Waiting,
            (true, true) => Self::Out(available),
        }
    }

    /// Of a group, from what was said of its updates so far and of one more: it goes out as soon as one of them does.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Out(one), Self::Out(other)) => Self::Out(one.min(other)),
            (Self::Out(at), _) | (_, Self::Out(at)) => Self::Out(at),
            (Self::Waiting, _) | (_, Self::Waiting) => Self::Waiting,
            (Self::Nowhere, Self::Nowhere) => Self::Nowhere,
        }
    }
}

/// What decides of the stage of a deployment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Outgoing {
    /// It is switched on.
    pub enabled: bool,
    /// How what is deployed goes out.
    pub going: Going,
    /// Its available time is a time of day of each computer, and something is done then.
    pub waits_in_zones: bool,
    /// Its deadline, and whether that is a time of day of each computer.
    pub deadline: Option<(Timestamp, bool)>,
}

impl Outgoing {
    /// The stage at this moment.
    pub fn stage(&self, now: Timestamp) -> Stage {
        if !self.enabled {
            return Stage::Disabled;
        }
        let since = match self.going {
            Going::Nowhere => return Stage::NotSent,
            Going::Waiting => return Stage::Waiting,
            Going::Out(since) => since,
        };
        if self.waits_in_zones && now.duration_since(since) < LAST_ZONE {
            return Stage::Waiting;
        }
        let over = |(at, local): (Timestamp, bool)| {
            let behind = if local { LAST_ZONE } else { SignedDuration::ZERO };
            now.duration_since(at) > behind
        };
        if self.deadline.is_some_and(over) { Stage::Expired } else { Stage::Active }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + hour * 3_600).expect("in range")
    }

    fn out(deadline: Option<(Timestamp, bool)>) -> Outgoing {
        Outgoing { enabled: true, going: Going::Out(at(0)), waits_in_zones: false, deadline }
    }

    #[test]
    fn a_group_goes_out_as_soon_as_one_of_its_updates_does() {
        let of = |updates: &[Going]| updates.iter().fold(Going::Nowhere, |all, one| all.with(*one));
        assert_eq!(of(&[]), Going::Nowhere);
        assert_eq!(of(&[Going::Nowhere, Going::Waiting]), Going::Waiting);
        assert_eq!(of(&[Going::Out(at(5)), Going::Waiting, Going::Out(at(3)), Going::Nowhere]), Going::Out(at(3)));
        assert_eq!(Going::of(false, true, at(1)), Going::Nowhere);
        assert_eq!(Going::of(true, false, at(1)), Going::Waiting);
        assert_eq!(Going::of(true, true, at(1)), Going::Out(at(1)));
    }

    #[test]
    fn each_deployment_is_in_one_stage() {
        assert_eq!(out(None).stage(at(1)), Stage::Active);
        assert_eq!(out(Some((at(2), false))).stage(at(2)), Stage::Active, "the deadline itself is not over");
        assert_eq!(out(Some((at(2), false))).stage(at(3)), Stage::Expired);
        assert_eq!(Outgoing { enabled: false, ..out(Some((at(2), false))) }.stage(at(3)), Stage::Disabled);
        assert_eq!(Outgoing { going: Going::Nowhere, ..out(None) }.stage(at(1)), Stage::NotSent);
        assert_eq!(Outgoing { going: Going::Waiting, ..out(Some((at(0), false))) }.stage(at(1)), Stage::Waiting);
    }

    #[test]
    fn times_of_day_come_last_in_the_westernmost_zone() {
        let local = Outgoing { waits_in_zones: true, ..out(Some((at(20), true))) };
        assert_eq!(local.stage(at(11)), Stage::Waiting);
        assert_eq!(local.stage(at(12)), Stage::Active);
        assert_eq!(local.stage(at(31)), Stage::Active);
        assert_eq!(local.stage(at(33)), Stage::Expired);
    }
}
