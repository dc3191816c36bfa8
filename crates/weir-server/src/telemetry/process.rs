//! What the system says of this process.

use std::fs;

use super::meters::set;

/// What was read; what the system does not tell is absent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Process {
    resident_kib: Option<u64>,
    threads: Option<u64>,
    open_files: Option<u64>,
    cpu_seconds: Option<u64>,
}

/// Sets the metrics of the process. Blocks for as long as the system takes to say it.
pub(super) fn measure() {
    let process = read();
    if let Some(kib) = process.resident_kib {
        set("process_resident_memory_bytes", &[], (kib * 1_024) as f64);
    }
    if let Some(threads) = process.threads {
        set("process_threads", &[], threads as f64);
    }
    if let Some(open) = process.open_files {
        set("process_open_fds", &[], open as f64);
    }
    if let Some(seconds) = process.cpu_seconds {
        metrics::counter!("process_cpu_seconds_total").absolute(seconds);
    }
    if let Some(most) = most_files() {
        set("process_max_fds", &[], most as f64);
    }
}

fn read() -> Process {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
    };
    // the one that reads them is open, too
    let open = fs::read_dir("/proc/self/fd").ok().map(|files| (files.count() as u64).saturating_sub(1));
    let cpu_seconds = fs::read_to_string("/proc/self/stat").ok().and_then(|stat| ticks(&stat)).and_then(seconds);
    Process { resident_kib: of("VmRSS"), threads: of("Threads"), open_files: open, cpu_seconds }
}

/// Ticks of the processor that a line of `/proc/self/stat` tells: fields 14 and 15 (proc(5)). The second field is the name of the
/// program in parentheses, which may hold blanks.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

#[cfg(unix)]
fn seconds(ticks: u64) -> Option<u64> {
    ticks.checked_div(rustix::param::clock_ticks_per_second())
}

#[cfg(not(unix))]
fn seconds(_ticks: u64) -> Option<u64> {
    None
}

#[cfg(unix)]
fn most_files() -> Option<u64> {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Nofile).current
}

#[cfg(not(unix))]
fn most_files() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_program_does_not_matter() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 1200 34 0 0 20 0 8 0";
        for name in ["(weir)", "(a b)", "(a) (b)"] {
            assert_eq!(ticks(&format!("42 {name} {rest}")), Some(1_234));
        }
        assert_eq!(ticks("42 weir"), None);
        assert_eq!(ticks(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_memory_threads_and_files() {
        let process = read();
        assert!(process.resident_kib.is_some_and(|kib| kib > 100), "{process:?}");
        assert!(process.threads.is_some_and(|threads| threads > 0), "{process:?}");
        assert!(process.open_files.is_some_and(|files| files > 2), "{process:?}");
        assert!(process.cpu_seconds.is_some(), "{process:?}");
        assert!(most_files().is_none_or(|most| most > 10));
    }
}
