//! Priorities of custom sets: 1 is the strongest, each number is used once.

use uuid::Uuid;

/// Puts a set at a priority, or behind all others, and numbers all of them anew from 1 in their order.
///
/// `current` are the sets with their priorities, `moved` among them or not. A priority beyond the end is the end. Two sets
/// with one priority, which only a change that is half arrived leaves behind, are told apart by their ids.
pub fn reorder(current: &[(Uuid, u32)], moved: Uuid, priority: Option<u32>) -> Vec<(Uuid, u32)> {
    let mut others: Vec<(u32, Uuid)> =
        current.iter().filter(|(id, _)| *id != moved).map(|(id, priority)| (*priority, *id)).collect();
    others.sort_unstable();
    let at = priority.map_or(others.len(), |priority| (priority.max(1) as usize - 1).min(others.len()));
    let mut order: Vec<Uuid> = others.into_iter().map(|(_, id)| id).collect();
    order.insert(at, moved);
    order.into_iter().zip(1..).collect()
}
