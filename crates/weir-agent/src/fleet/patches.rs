//! How far behind the monthly releases a computer is.

use super::dice::Dice;

/// Months that the model knows, the newest not counted.
pub(crate) const MONTHS: u32 = 24;

/// Months behind, and how many in a hundred clients and servers. Managed fleets have four in five computers on the last
/// month when the next one is released; a tail sits in drawers, on leave, or behind a broken agent. Servers wait a month
/// on purpose.
pub(super) const AGES: &[(u32, u32, u32)] = &[(0, 58, 35), (1, 23, 38), (2, 9, 14), (4, 5, 7), (9, 3, 4), (18, 2, 2)];

/// Draws how many months behind the newest release a computer is, with the place of that age in the table.
pub(crate) fn months_behind(dice: &mut Dice, server: bool) -> (usize, u32) {
    let drawn = dice.weighted_index(AGES, |age| if server { age.2 } else { age.1 });
    drawn.and_then(|at| Some((at, AGES.get(at)?.0))).unwrap_or((0, 0))
}
