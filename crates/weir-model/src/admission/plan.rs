//! How much of everything there is, by the machine.

use super::{Bounds, Class, Machine};

const MIB: u64 = 1 << 20;

/// The bounds of all gates.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// Configuration and cookies that are answered at once.
    pub cheap: u64,
    /// Files that are sent at once.
    pub content: u64,
    /// Questions about updates that are answered at once.
    pub details: u64,
    /// Registrations and reports that are carried out at once.
    pub reports: u64,
    /// Scans that are carried out at once.
    pub scan: u64,
    /// Calls of downstream servers that are carried out at once.
    pub servers: u64,
    /// Bytes of requests that are in memory at once.
    pub bodies: u64,
    /// Bytes of answers that are under way at once, files aside.
    pub answers: u64,
    /// Requests that may wait before each gate.
    pub waiting: usize,
    /// Milliseconds that a request waits at most.
    pub patience: u64,
}

impl Plan {
    /// Bytes that a file under way takes: the piece that is being sent.
    pub const PIECE: u64 = 256 << 10;

    /// The plan for a machine.
    ///
    /// Requests and answers get a sixteenth of the memory each, and not more than the processors can fill; files an eighth. What
    /// is computed is bounded by processors; reports are not, since they wait for the disk.
    /// Agents give up on an answer after half a minute: after 20 seconds it is better to say that the server is busy.
    pub fn of(machine: Machine) -> Self {
        let processors = machine.processors.clamp(1, 1_024) as u64;
        let part = |share: u64, least: u64, most: u64| (machine.memory / share).clamp(least, most);
        let answers = part(16, 32 * MIB, processors * 64 * MIB);
        Self {
            cheap: 64 * processors,
            content: part(8, 64 * MIB, processors * 256 * MIB) / Self::PIECE,
            details: (4 * processors).max(8),
            // they wait for the disk together, and share its flush; what they take is counted by their bytes
            reports: (machine.memory >> 18).clamp(256, 4_096),
            // a page has five megabytes at most, and stays in memory until there is room for it
            scan: (8 * processors).min(answers / (4 * MIB)),
            servers: (8 * processors).max(16),
            bodies: part(16, 32 * MIB, processors * 48 * MIB),
            answers,
            waiting: usize::try_from(machine.memory >> 16).unwrap_or(usize::MAX).clamp(2_048, 65_536),
            patience: 20_000,
        }
    }

    /// How many requests of a class are carried out at once.
    pub fn places(&self, class: Class) -> u64 {
        match class {
            Class::Cheap => self.cheap,
            Class::Content => self.content,
            Class::Details => self.details,
            Class::Reports => self.reports,
            Class::Scan => self.scan,
            Class::Servers => self.servers,
        }
    }

    /// The bounds of a gate with so many units.
    pub fn bounds(&self, capacity: u64) -> Bounds {
        Bounds { capacity: capacity.max(1), waiting: self.waiting, patience: self.patience }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn the_plan_follows_the_machine() {
        // processors, memory; scan, details, reports, content, bodies, answers in MiB, waiting
        let cases = [
            ((1, GIB / 2), (8, 8, 2_048, 256, 32, 32, 8_192)),
            ((1, GIB / 8), (8, 8, 512, 256, 32, 32, 2_048)),
            ((2, 4 * GIB), (16, 8, 4_096, 2_048, 96, 128, 65_536)),
            ((2, 24 * GIB), (16, 8, 4_096, 2_048, 96, 128, 65_536)),
            ((16, 2 * GIB), (32, 64, 4_096, 1_024, 128, 128, 32_768)),
            ((32, 64 * GIB), (256, 128, 4_096, 32_768, 1_536, 2_048, 65_536)),
        ];
        for ((processors, memory), wanted) in cases {
            let plan = Plan::of(Machine { processors, memory });
            let got = (
                plan.scan,
                plan.details,
                plan.reports,
                plan.content,
                plan.bodies / MIB,
                plan.answers / MIB,
                plan.waiting,
            );
            assert_eq!(got, wanted, "{processors} processors, {memory} bytes");
        }
    }

    #[test]
    fn what_is_under_way_takes_a_quarter_of_the_memory() {
        for memory in [GIB / 2, GIB, 4 * GIB, 64 * GIB] {
            for processors in [1, 2, 8, 128] {
                let plan = Plan::of(Machine { processors, memory });
                let under_way = plan.bodies + plan.answers + plan.content * Plan::PIECE;
                assert!(under_way <= memory / 4, "{processors} processors, {memory} bytes: {under_way}");
            }
        }
    }

    #[test]
    fn nothing_is_ever_shut() {
        for (processors, memory) in [(0, 0), (usize::MAX, 0), (0, u64::MAX), (usize::MAX, u64::MAX)] {
            let plan = Plan::of(Machine { processors, memory });
            for class in Class::ALL {
                assert!(plan.places(class) > 0, "{class:?} on {processors} processors, {memory} bytes");
            }
            assert!(plan.bodies > 0 && plan.answers > 0 && plan.waiting > 0);
            assert_eq!(plan.bounds(0).capacity, 1);
        }
    }
}
