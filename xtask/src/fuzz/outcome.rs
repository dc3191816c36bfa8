//! What libFuzzer prints about a run.

/// Figures of a run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Figures {
    /// Inputs tried.
    pub(super) executions: u64,
    /// A second, on average.
    pub(super) per_second: u64,
    /// Edges that were reached.
    pub(super) edges: u64,
    /// Inputs in memory that reach something of their own.
    pub(super) inputs: u64,
    /// Most memory, in megabytes.
    pub(super) memory: u64,
}

impl Figures {
    /// Above the lines.
    pub(super) const HEAD: &str = "target              executions   a second     edges    inputs  memory MB";

    /// One line of the table.
    pub(super) fn line(&self, target: &str) -> String {
        let Self { executions, per_second, edges, inputs, memory } = self;
        format!("{target:<18}{executions:>12}{per_second:>11}{edges:>10}{inputs:>10}{memory:>11}")
    }
}

/// Reads what a run printed: figures, and why it ended if that was not time.
pub(super) fn read(text: &str) -> (Figures, String) {
    let mut figures = Figures::default();
    let mut reason = String::new();
    for line in text.lines() {
        if let Some((name, value)) = line.strip_prefix("stat::").and_then(|stat| stat.split_once(':')) {
            let value = value.trim().parse().unwrap_or_default();
            match name {
                "number_of_executed_units" => figures.executions = value,
                "average_exec_per_sec" => figures.per_second = value,
                "peak_rss_mb" => figures.memory = value,
                _ => {}
            }
        } else if line.starts_with('#') {
            // `#4096 pulse  cov: 1234 ft: 5678 corp: 90/12Kb lim: 4096 exec/s: 2048 rss: 100Mb`
            let mut words = line.split_whitespace();
            while let Some(word) = words.next() {
                let mut number = || {
                    let digits = words.next().unwrap_or_default().split('/').next().unwrap_or_default();
                    digits.parse().unwrap_or_default()
                };
                match word {
                    "cov:" => figures.edges = number(),
                    "corp:" => figures.inputs = number(),
                    _ => {}
                }
            }
        } else if reason.is_empty() && (line.contains("panicked at") || line.contains("ERROR: ")) {
            line.trim().clone_into(&mut reason);
        } else if reason.ends_with(':') {
            // what a panic says is in the next line
            reason = format!("{reason} {}", line.trim());
        }
    }
    (figures, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "\
INFO: Running with entropic power schedule (0xFF, 100).
#2\tINITED cov: 100 ft: 101 corp: 1/1b exec/s: 0 rss: 40Mb
#4096\tpulse  cov: 1234 ft: 5678 corp: 90/12Kb lim: 4096 exec/s: 2048 rss: 100Mb
#8192\tDONE   cov: 1240 ft: 5700 corp: 95/13Kb lim: 4096 exec/s: 2048 rss: 101Mb
Done 8192 runs in 4 second(s)
stat::number_of_executed_units: 8192
stat::average_exec_per_sec:     2048
stat::new_units_added:          95
stat::slowest_unit_time_sec:    0
stat::peak_rss_mb:              101
";

    #[test]
    fn figures_are_read_from_what_is_printed() {
        let (figures, reason) = read(RUN);
        let wanted = Figures { executions: 8192, per_second: 2048, edges: 1240, inputs: 95, memory: 101 };
        assert_eq!((figures, reason.as_str()), (wanted, ""));
        assert_eq!(figures.line("cab").len(), Figures::HEAD.len());
    }

    #[test]
    fn the_reason_of_a_find_is_the_first_that_is_told() {
        let panic = "\nthread '<unnamed>' (7) panicked at crates/a/src/b.rs:1:2:\nindex out of bounds\n\
                     ==7== ERROR: libFuzzer: deadly signal\n";
        assert_eq!(read(panic).1, "thread '<unnamed>' (7) panicked at crates/a/src/b.rs:1:2: index out of bounds");
        let memory = "==7== ERROR: libFuzzer: out-of-memory (used: 2100Mb; limit: 2048Mb)\n";
        assert_eq!(read(memory).1, "==7== ERROR: libFuzzer: out-of-memory (used: 2100Mb; limit: 2048Mb)");
        assert_eq!(read("").0, Figures::default());
    }
}
