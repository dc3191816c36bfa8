//! What a process has to work with.

/// Memory where the system does not tell.
const UNKNOWN: u64 = 4 << 30;

/// What the bounds follow from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Machine {
    /// Processors that the process may use.
    pub processors: usize,
    /// Bytes of memory that it may use.
    pub memory: u64,
}

/// The memory that a process may use, in bytes: that of the machine (`/proc/meminfo`), or less if one of the groups that it is in
/// (the texts of `memory.max` or `memory.limit_in_bytes`) is allowed less. 4 GiB where nothing tells.
pub fn memory<'t>(meminfo: &str, groups: impl IntoIterator<Item = &'t str>) -> u64 {
    let total = meminfo.lines().find_map(|line| {
        let kib: u64 = line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kib.checked_mul(1_024)
    });
    // "max" is no limit, and neither is a zero
    let limits = groups.into_iter().filter_map(|text| text.trim().parse::<u64>().ok()).filter(|limit| *limit > 0);
    limits.chain(total).min().unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: &str = "MemTotal:       24593196 kB\nMemFree:          361140 kB\nMemAvailable:   10000000 kB\n";
    const TOTAL: u64 = 24_593_196 * 1_024;

    #[test]
    fn the_least_limit_counts() {
        let cases: [(&str, &[&str], u64); 7] = [
            (MEMINFO, &[], TOTAL),
            (MEMINFO, &["max\n"], TOTAL),
            (MEMINFO, &["1073741824\n", "max"], 1 << 30),
            (MEMINFO, &["9223372036854771712"], TOTAL),
            (MEMINFO, &["0"], TOTAL),
            ("", &["536870912"], 512 << 20),
            ("MemTotal: many kB", &["?"], 4 << 30),
        ];
        for (meminfo, groups, wanted) in cases {
            assert_eq!(memory(meminfo, groups.iter().copied()), wanted, "{groups:?}");
        }
    }
}
