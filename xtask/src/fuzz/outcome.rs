//! What libFuzzer prints about a run.

use std::path::PathBuf;

/// Lines that tell why a run ended: what a panic or the sanitizer says, and the innermost calls.
const REASON: usize = 12;

/// What a run told.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Told {
    pub(super) figures: Figures,
    /// Files that inputs were written to with which something was wrong.
    pub(super) finds: Vec<PathBuf>,
    /// Why the run ended, if that was not time: its first lines.
    pub(super) reason: Vec<String>,
}

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

impl Told {
    /// Above the lines.
    pub(super) fn head() -> String {
        row("target", ["executions", "a second", "edges", "inputs", "memory MB", "finds"])
    }

    /// One line of the table.
    pub(super) fn line(&self, target: &str) -> String {
        let Figures { executions, per_second, edges, inputs, memory } = self.figures;
        row(target, [executions, per_second, edges, inputs, memory, self.finds.len() as u64])
    }
}

fn row(target: &str, columns: [impl std::fmt::Display; 6]) -> String {
    let [executions, per_second, edges, inputs, memory, finds] = columns;
    format!("{target:<18}{executions:>12}{per_second:>11}{edges:>10}{inputs:>10}{memory:>11}{finds:>7}")
}

/// Reads what a run printed.
pub(super) fn read(text: &str) -> Told {
    let mut told = Told::default();
    let figures = &mut told.figures;
    for line in text.lines() {
        if let Some((name, value)) = line.strip_prefix("stat::").and_then(|stat| stat.split_once(':')) {
            let value = value.trim().parse().unwrap_or_default();
            match name {
                "number_of_executed_units" => figures.executions = value,
                "average_exec_per_sec" => figures.per_second = value,
                "peak_rss_mb" => figures.memory = value,
                _ => {}
            }
        } else if let Some((_, find)) = line.split_once("; Test unit written to ") {
            told.finds.push(PathBuf::from(find));
        } else if line.starts_with('#') && line.contains(" exec/s: ") {
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
        } else if !line.trim().is_empty() && told.reason.len() < REASON {
            if !told.reason.is_empty()
                || ["panicked at", "ERROR: ", "Slowest unit: "].iter().any(|it| line.contains(it))
            {
                told.reason.push(line.trim_end().to_owned());
            }
        }
    }
    told
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
        let told = read(RUN);
        let figures = Figures { executions: 8192, per_second: 2048, edges: 1240, inputs: 95, memory: 101 };
        assert_eq!(told, Told { figures, ..Told::default() });
        assert_eq!(told.line("cab").len(), Told::head().len());
        assert!(told.line("cab").ends_with("      0"));
    }

    #[test]
    fn a_find_is_told_with_its_file_and_how_it_began() {
        let told = read(
            "\nthread '<unnamed>' (7) panicked at crates/a/src/b.rs:1:2:\nindex out of bounds\nstack backtrace:\n\
             ==7== ERROR: libFuzzer: deadly signal\n    #0 0x55d5 in __sanitizer_print_stack_trace\n\
             stat::number_of_executed_units: 12\n\
             artifact_prefix='/t/finds/cab/'; Test unit written to /t/finds/cab/crash-0a\nBase64: AA==\n",
        );
        assert_eq!(told.finds, [PathBuf::from("/t/finds/cab/crash-0a")]);
        assert_eq!(told.figures.executions, 12);
        assert_eq!(told.reason[0], "thread '<unnamed>' (7) panicked at crates/a/src/b.rs:1:2:");
        assert_eq!(told.reason[1], "index out of bounds");
        assert!(told.line("cab").ends_with("      1"));
    }

    #[test]
    fn the_reason_is_the_first_that_is_told_and_no_book() {
        let memory = "==7== ERROR: libFuzzer: out-of-memory (used: 2100Mb; limit: 2048Mb)\n";
        assert_eq!(read(memory).reason, ["==7== ERROR: libFuzzer: out-of-memory (used: 2100Mb; limit: 2048Mb)"]);
        let deep = format!("==7==ERROR: AddressSanitizer: stack-overflow\n{}", "    #1 0x55d5 in a\n".repeat(100));
        assert_eq!(read(&deep).reason.len(), REASON);
        assert_eq!(read(""), Told::default());
    }
}
