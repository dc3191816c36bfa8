//! Fuzz targets: each decoder of what comes from outside, with what must hold of it whatever it is given. That it ends, within
//! bounds and without a panic, holds of all; a target asserts more where there is more: what is read is written and read the same,
//! what is refused changes nothing, an answer lies within what was asked.
//!
//! `fuzz/runner` drives the targets with libFuzzer (`cargo xtask fuzz`). Their corpora, `fuzz/corpus`, hold small inputs made by
//! hand and every input that ever failed, named for what was wrong; the tests try all of them in every run.
//!
//! *Invariant:* a target is a function of its input: no clock, no chance, nothing kept from one input to the next.

mod targets;

pub use targets::TARGETS;

/// A decoder and what is tried of it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of its module, and of its folder of inputs.
    pub name: &'static str,
    /// Bytes of the longest input that is worth a try.
    pub longest: usize,
    /// Tries an input, and says whether it was read, as opposed to refused. Panics where something does not hold.
    pub run: fn(&[u8]) -> bool,
}

/// The target of a name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
