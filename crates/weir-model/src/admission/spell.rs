//! Whether refusals are a moment's or go on.

/// Milliseconds without a refusal after which a spell of them is over.
const OVER: u64 = 5 * 60 * 1_000;
/// Milliseconds after which refusals go on.
const GOES_ON: u64 = 10 * 60 * 1_000;

/// The last spell of refusals: those of which each came within five minutes of the one before.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Spell {
    /// When the first and the last of it were.
    times: Option<(u64, u64)>,
    count: u64,
}

impl Spell {
    /// Something was refused.
    pub fn note(&mut self, now: u64) {
        match &mut self.times {
            Some((_, last)) if now.saturating_sub(*last) < OVER => {
                *last = now.max(*last);
                self.count += 1;
            }
            times => {
                *times = Some((now, now));
                self.count = 1;
            }
        }
    }

    /// Refusals of the spell that is under way; none if there is none.
    pub fn under_way(&self, now: u64) -> Option<u64> {
        let (_, last) = self.times?;
        (now.saturating_sub(last) < OVER).then_some(self.count)
    }

    /// For how many minutes refusals go on, if they do: a storm that is over within ten minutes is none that somebody has to
    /// hear of, since whoever was refused came again.
    pub fn goes_on(&self, now: u64) -> Option<u64> {
        let (first, last) = self.times?;
        let goes_on = now.saturating_sub(last) < OVER && last.saturating_sub(first) >= GOES_ON;
        goes_on.then(|| last.saturating_sub(first) / 60_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    #[test]
    fn a_spell_ends_with_five_quiet_minutes() {
        let mut spell = Spell::default();
        assert_eq!((spell.under_way(0), spell.goes_on(0)), (None, None));
        spell.note(MINUTE);
        spell.note(3 * MINUTE);
        assert_eq!(spell.under_way(7 * MINUTE), Some(2));
        assert_eq!(spell.under_way(8 * MINUTE), None);
        spell.note(9 * MINUTE);
        assert_eq!(spell.under_way(9 * MINUTE), Some(1), "another one");
        assert_eq!(spell.goes_on(9 * MINUTE), None);
    }

    #[test]
    fn what_lasts_goes_on() {
        let mut spell = Spell::default();
        for minute in 0..=9 {
            spell.note(minute * MINUTE);
        }
        assert_eq!(spell.goes_on(9 * MINUTE), None);
        for minute in 10..=14 {
            spell.note(minute * MINUTE);
        }
        assert_eq!(spell.goes_on(14 * MINUTE), Some(14));
        assert_eq!(spell.goes_on(18 * MINUTE), Some(14), "it may come again");
        assert_eq!(spell.goes_on(19 * MINUTE), None);
    }

    #[test]
    fn a_clock_that_goes_back_breaks_nothing() {
        let mut spell = Spell::default();
        spell.note(10 * MINUTE);
        spell.note(MINUTE);
        assert_eq!(spell.under_way(0), Some(2));
        assert_eq!(spell.goes_on(0), None);
    }
}
