//! What this process uses, and how many files it may open.

use std::time::Duration;

/// Processor time of this process so far, all threads.
pub(super) fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Resident memory of this process in bytes: now and at its highest. Zeros where the system does not tell.
pub(super) fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
    };
    (field("VmRSS:").unwrap_or(0), field("VmHWM:").unwrap_or(0))
}

/// Allows as many open files as the system lets this process have, and says how many connections that is room for.
pub(super) fn room_for_connections(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    /// What is open beside connections, with reserve.
    const OTHERS: u64 = 64;
    let limits = getrlimit(Resource::Nofile);
    let needed = wanted as u64 + OTHERS;
    let allowed = limits.current.unwrap_or(u64::MAX);
    if allowed >= needed {
        return wanted;
    }
    let most = limits.maximum.unwrap_or(needed).min(needed);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: limits.maximum }).is_ok();
    let allowed = if raised { most } else { allowed };
    usize::try_from(allowed.saturating_sub(OTHERS)).unwrap_or(1).clamp(1, wanted)
}
