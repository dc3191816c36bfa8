//! What this process may use of the machine.

use std::{num::NonZero, path::Path, thread};

use weir_model::admission::{Machine, memory};

/// Where groups of processes are, in their second version and in their first.
const GROUPS: &str = "/sys/fs/cgroup";
const FIRST_VERSION: &str = "/sys/fs/cgroup/memory/memory.limit_in_bytes";

/// The machine, or the part of it that the process is confined to.
pub(super) fn here() -> Machine {
    let groups = limits();
    Machine {
        processors: thread::available_parallelism().map_or(1, NonZero::get),
        memory: memory(&text("/proc/meminfo").unwrap_or_default(), groups.iter().map(String::as_str)),
    }
}

/// What the groups that the process is in are allowed; nothing on systems that have none.
fn limits() -> Vec<String> {
    let own = text("/proc/self/cgroup").unwrap_or_default();
    let root = Path::new(GROUPS);
    let folder = own.lines().find_map(|line| line.strip_prefix("0::/")).map(|path| root.join(path));
    let folders = folder.iter().flat_map(|folder| folder.ancestors()).take_while(|folder| folder.starts_with(root));
    let mut limits: Vec<String> = folders.filter_map(|folder| text(folder.join("memory.max"))).collect();
    limits.extend(text(FIRST_VERSION));
    limits
}

fn text(path: impl AsRef<Path>) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_something_to_work_with() {
        let machine = here();
        assert!(machine.processors >= 1);
        assert!(machine.memory >= 1 << 20, "{} bytes", machine.memory);
    }
}
