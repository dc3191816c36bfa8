//! How many files and connections the system lets the process have open.

/// What a server has open beside connections: the database, content files that are being sent, uploads.
const BESIDE: u64 = 1_000;

/// Raises the limit to the most that the system allows. Many systems begin with 1,024, which the first scan storm would
/// use up. Says so in the log if even the most is less than the listeners' settings.
#[cfg(unix)]
pub(super) fn raise(connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let most = getrlimit(Resource::Nofile).maximum;
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }) {
        tracing::warn!(%error, "the number of files that may be open could not be raised");
    }
    let (allowed, wanted) = (getrlimit(Resource::Nofile).current, connections as u64 + BESIDE);
    if let Some(allowed) = allowed.filter(|allowed| *allowed < wanted) {
        tracing::info!(
            allowed,
            wanted,
            "the system allows fewer open files than limits.connections needs; connections beyond wait"
        );
    }
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub(super) fn raise(_connections: usize) {}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use super::*;

    #[test]
    fn the_limit_becomes_the_most_that_the_system_allows() {
        let maximum = getrlimit(Resource::Nofile).maximum;
        // a little less, so that other tests of the process are not short of files meanwhile
        let less = maximum.map_or(1 << 16, |most| most - 1);
        setrlimit(Resource::Nofile, Rlimit { current: Some(less), maximum }).expect("lowered");
        raise(1);
        assert_eq!(getrlimit(Resource::Nofile).current, maximum);
    }
}
